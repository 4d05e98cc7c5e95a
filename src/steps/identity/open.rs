//! Opens a registry, and takes back what objects said that are no longer there.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;

use super::assign::{Customer, CustomerNumber, Former};
use super::evidence::EvidenceBuilder;
use super::identifiers::{Instant, Node};
use super::kinds::{KindId, Kinds};
use super::links::{CERTAIN, Link, NOBODY};
use super::near::Near;
use super::origins::Origins;
use super::registry::{conform, damaged, map};
use super::schemas::evidence_schema;
use super::{IdentityError, Registry};
use crate::names::SourceName;

/// Objects whose evidence counts no more: they are gone, or replaced by a new version that is read this night.
#[derive(Debug, Clone, Default)]
pub(crate) struct Retraction {
    /// The sources and the paths below the raw root.
    pub(crate) objects: Vec<(SourceName, String)>,
    /// Sources of which nothing that was seen before counts.
    pub(crate) sources: Vec<SourceName>,
    /// The table `evidence` of the night before. It is needed only where something is taken back.
    pub(crate) evidence: Vec<RecordBatch>,
    /// Whether that table is gone, and every object is read anew for it.
    pub(crate) is_evidence_lost: bool,
}

impl Retraction {
    /// Says whether nothing is taken back.
    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.sources.is_empty()
    }
}

/// A registry in the form in which it is resolved.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) evidence: EvidenceBuilder,
    pub(super) former: Former,
    /// The links of the night before, where some of them may have been taken back.
    pub(super) former_links: Vec<Link>,
    /// What is left of the evidence of earlier nights, where some of it was taken back.
    pub(super) kept: Option<Vec<RecordBatch>>,
}

impl Registry {
    /// Returns the type of each identifier; those that are not declared become known.
    pub(super) fn kinds(&self, kinds: &mut Kinds) -> Result<Vec<KindId>, IdentityError> {
        let types = self.map.column(map::TYPE).as_string::<i32>();
        let mut last: Option<(&str, KindId)> = None;
        let number = |row: usize| {
            let name = types.value(row);
            let kind = match last {
                Some((same, kind)) if same == name => kind,
                _ => kinds.number(name).map_err(|_| damaged("a type of identifier is no name"))?,
            };
            last = Some((name, kind));
            Ok(kind)
        };
        (0..types.len()).map(number).collect()
    }

    /// Checks that links lead to identifiers that are there.
    pub(super) fn check_links(&self) -> Result<(), IdentityError> {
        let known = self.map.num_rows() as i64;
        let mut ends = ["left_number", "right_number"].iter().flat_map(|name| {
            let ends = self.links[*name].as_primitive::<Int64Type>().values();
            ends.iter()
        });
        if ends.all(|end| (0..known).contains(end)) {
            Ok(())
        } else {
            Err(damaged("a link leads to an identifier that is not there"))
        }
    }

    /// Opens the identifiers that are near, and their links; all must be where evidence is taken back.
    pub(super) fn open(
        &self,
        kinds: &Kinds,
        kind_of: &[KindId],
        near: &Near,
        (sources, retraction): (Origins, &Retraction),
    ) -> Result<Opened, IdentityError> {
        let mut evidence = EvidenceBuilder { sources, ..EvidenceBuilder::default() };
        evidence.identifiers.reserve(near.numbers.len());
        self.open_identifiers((kinds, kind_of), near, &mut evidence)?;
        let links = self.near_links(near, &mut evidence.sources);
        let former = self.former(near)?;
        if retraction.is_empty() {
            evidence.links.note_all(&links);
            let evidence = evidence.all_known();
            return Ok(Opened { evidence, former, ..Opened::default() });
        }
        let has_evidence = !retraction.evidence.is_empty() || retraction.is_evidence_lost;
        if !has_evidence && self.map.num_rows() > 0 {
            return Err(damaged("the evidence of earlier nights is not there"));
        }
        let kept = live(retraction)?;
        evidence.identifiers.retract_all();
        evidence.read_again(kinds, &kept)?;
        let evidence = evidence.all_known();
        Ok(Opened { evidence, former, former_links: links, kept: Some(kept) })
    }

    fn open_identifiers(
        &self,
        (kinds, kind_of): (&Kinds, &[KindId]),
        near: &Near,
        evidence: &mut EvidenceBuilder,
    ) -> Result<(), IdentityError> {
        let values = self.map.column(map::VALUE).as_string::<i32>();
        let states = self.map.column(map::STATE).as_string::<i32>();
        let seen = self.map.column(map::FIRST_SEEN).as_primitive::<TimestampMicrosecondType>();
        let identifiers = &mut evidence.identifiers;
        for (place, row) in near.numbers.iter().copied().enumerate() {
            let node = identifiers.note(kinds, kind_of[row], values.value(row), seen.value(row));
            if node as usize != place {
                return Err(damaged("an identifier stands there twice"));
            }
            if states.value(row) == RETRACTED {
                identifiers.retract(node);
            }
        }
        Ok(())
    }

    /// Returns the links between identifiers that are near, but for those between records that are alike: these are
    /// compared anew every night.
    fn near_links(&self, near: &Near, sources: &mut Origins) -> Vec<Link> {
        let rows = LinkRows::new(&self.links, sources);
        let link = |row: usize| {
            let [left, right] = rows.numbers(row);
            let ends = [near.node(left)?, near.node(right)?];
            Some(Link { ends, ..rows.link(row) })
        };
        (0..rows.len()).filter_map(link).filter(Link::is_certain).collect()
    }

    fn former(&self, near: &Near) -> Result<Former, IdentityError> {
        let ids = self.customer_ids();
        let times = |column| self.map.column(column).as_primitive::<TimestampMicrosecondType>();
        let (created, valid_from) = (times(map::CREATED), times(map::VALID_FROM));
        let mut numbers: HashMap<&str, CustomerNumber> = HashMap::new();
        let mut former = Former { of: vec![None; near.numbers.len()], ..Former::default() };
        for (place, row) in near.numbers.iter().copied().enumerate() {
            former.valid_from.push(valid_from.value(row));
            if ids.is_null(row) {
                continue;
            }
            let text = ids.value(row);
            let known = numbers.get(text).copied();
            let number = known.map_or_else(
                || {
                    let id = text.parse().map_err(|_| damaged("a customer id is none"))?;
                    former.customers.push(Customer { id, created: created.value(row) });
                    let number = former.customers.len() as CustomerNumber - 1;
                    numbers.insert(text, number);
                    Ok(number)
                },
                Ok,
            )?;
            former.of[place] = Some(number);
        }
        Ok(former)
    }
}

/// The state of an identifier that no object shows any more.
pub(super) const RETRACTED: &str = "retracted";

impl EvidenceBuilder {
    /// Takes all links that are there as known before the night.
    fn all_known(self) -> Self {
        Self { links: self.links.all_known(), ..self }
    }

    /// Notes all links that rows of `evidence` show, and which identifiers they name.
    fn read_again(&mut self, kinds: &Kinds, evidence: &[RecordBatch]) -> Result<(), IdentityError> {
        let known = self.identifiers.len() as Node;
        for batch in evidence {
            let rows = LinkRows::new(batch, &mut self.sources);
            let mut links = Vec::with_capacity(rows.len());
            for row in 0..batch.num_rows() {
                let link = rows.link(row);
                for end in link.ends.into_iter().filter(|end| *end != NOBODY) {
                    if end >= known {
                        return Err(damaged("evidence names an identifier that is not there"));
                    }
                    self.identifiers.see(kinds, end, link.first_seen);
                }
                if link.ends[1] != NOBODY {
                    links.push(link);
                }
            }
            self.links.note_all(&links);
        }
        Ok(())
    }
}

/// Returns the rows of evidence that come from no object that was taken back.
fn live(retraction: &Retraction) -> Result<Vec<RecordBatch>, IdentityError> {
    let objects = retraction.objects.iter();
    let retracted: HashSet<(&str, &str)> =
        objects.map(|(source, object)| (source.as_str(), object.as_str())).collect();
    let sources: HashSet<&str> = retraction.sources.iter().map(SourceName::as_str).collect();
    let live = |batch: &RecordBatch| {
        let batch = conform(&evidence_schema(), batch)?;
        let [of_rows, objects] =
            ["source", "object"].map(|name| cast(&batch[name], &DataType::Utf8));
        let (of_rows, objects) = (of_rows?, objects?);
        let rows = of_rows.as_string::<i32>().iter().zip(objects.as_string::<i32>());
        let is_live = |(source, object): (Option<&str>, Option<&str>)| {
            let (source, object) = (source.unwrap_or_default(), object.unwrap_or_default());
            !sources.contains(source) && !retracted.contains(&(source, object))
        };
        let mask: BooleanArray = rows.map(|row| Some(is_live(row))).collect();
        filter_record_batch(&batch, &mask)
    };
    let batches = retraction.evidence.iter().map(live).collect::<Result<_, ArrowError>>();
    batches.map_err(IdentityError::RegistryRead)
}

/// The columns of a table of links: of `links` itself, or of `evidence`.
pub(super) struct LinkRows<'a> {
    left: &'a [i64],
    right: &'a Int64Array,
    origins: Vec<u32>,
    source: &'a [i32],
    first_seen: &'a [Instant],
    last_seen: &'a [Instant],
    weight: &'a Float64Array,
}

impl<'a> LinkRows<'a> {
    pub(super) fn new(batch: &'a RecordBatch, sources: &mut Origins) -> Self {
        let source = batch["source"].as_dictionary::<Int32Type>();
        let names = source.values().as_string::<i32>();
        let seen = |name: &str| batch[name].as_primitive::<TimestampMicrosecondType>().values();
        Self {
            left: batch["left_number"].as_primitive::<Int64Type>().values(),
            right: batch["right_number"].as_primitive::<Int64Type>(),
            origins: names.iter().map(|name| sources.number(name.unwrap_or_default())).collect(),
            source: source.keys().values(),
            first_seen: seen("first_seen"),
            last_seen: seen("last_seen"),
            weight: batch["weight"].as_primitive::<Float64Type>(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.left.len()
    }

    /// Returns the numbers of the ends of a row that has two.
    pub(super) fn numbers(&self, row: usize) -> [i64; 2] {
        [self.left[row], self.right.value(row)]
    }

    /// Returns the link of a row, its ends as they are numbered in `map`; a number that stands for no identifier becomes [`NOBODY`].
    pub(super) fn link(&self, row: usize) -> Link {
        let node = |number: i64| Node::try_from(number).unwrap_or(NOBODY);
        let is_alone = self.right.is_null(row);
        let right = if is_alone { NOBODY } else { node(self.right.value(row)) };
        let is_certain = self.weight.is_null(row);
        Link {
            ends: [node(self.left[row]), right],
            origin: self.origins[self.source[row] as usize],
            weight: if is_certain { CERTAIN } else { self.weight.value(row) as f32 },
            first_seen: self.first_seen[row],
            last_seen: self.last_seen[row],
        }
    }
}
