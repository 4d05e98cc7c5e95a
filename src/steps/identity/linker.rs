//! Reads the identifiers on the rows of a source.

use std::hash::{BuildHasher, Hash, Hasher};

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::{cast, nullif};
use arrow::datatypes::DataType;
use foldhash::fast::FixedState;

use super::error::IdentitySourceErrorKind;
use super::junk::is_junk;
use super::kinds::{KindId, Kinds};
use crate::engine::RowExpression;
use crate::plan;

/// Knows which columns of a source hold identifiers, and on which rows they count.
pub(super) struct Linker {
    columns: Vec<Column>,
}

struct Column {
    kind: KindId,
    place: usize,
    /// The row says nothing of the identifier where this does not hold.
    when: Option<RowExpression>,
}

impl Linker {
    /// Compiles the links of a source.
    pub(super) fn new(
        kinds: &Kinds,
        source: &plan::Source,
    ) -> Result<Self, IdentitySourceErrorKind> {
        let schema = source.cleaned_schema();
        let mut columns = Vec::with_capacity(source.links.len());
        for link in &source.links {
            let Some(kind) = kinds.known(link.identifier.as_str()) else { continue };
            let when = link.when.as_ref().map(|when| RowExpression::compile(&schema, when));
            columns.push(Column { kind, place: link.column, when: when.transpose()? });
        }
        columns.sort_by_key(|column| (kinds.rank_as_owner(column.kind), column.place));
        Ok(Self { columns })
    }

    /// Reads the identifiers on the rows of a batch of the source.
    pub(super) fn read(&self, batch: &RecordBatch) -> Result<LinkColumns, IdentitySourceErrorKind> {
        let texts = self.columns.iter().map(|column| column.texts(batch));
        let texts = texts.collect::<Result<Vec<_>, _>>()?;
        let kinds = self.columns.iter().map(|column| column.kind);
        Ok(LinkColumns::new(kinds.zip(texts).collect()))
    }
}

impl Column {
    fn texts(&self, batch: &RecordBatch) -> Result<StringArray, IdentitySourceErrorKind> {
        let texts = cast(batch.column(self.place), &DataType::Utf8)?;
        let texts = match &self.when {
            None => texts,
            Some(when) => nullif(&texts, &fails(&when.evaluate(batch)?))?,
        };
        Ok(texts.as_string::<i32>().clone())
    }
}

/// Says for every row whether a condition does not hold; it does not where it cannot be told.
fn fails(answers: &BooleanArray) -> BooleanArray {
    answers.iter().map(|answer| Some(answer != Some(true))).collect()
}

/// The identifiers on the rows of a batch, the best owner first.
pub(super) struct LinkColumns(Vec<(KindId, StringArray)>);

impl LinkColumns {
    pub(super) fn new(columns: Vec<(KindId, StringArray)>) -> Self {
        Self(columns)
    }

    /// Hashes what a row bears.
    pub(super) fn hash(&self, row: usize) -> u64 {
        let mut hasher = FixedState::with_seed(0).build_hasher();
        self.0.iter().for_each(|(_, texts)| text(texts, row).hash(&mut hasher));
        hasher.finish()
    }

    /// Says whether two rows bear the same.
    pub(super) fn are_same(&self, left: usize, right: usize) -> bool {
        self.0.iter().all(|(_, texts)| text(texts, left) == text(texts, right))
    }

    /// Returns the identifiers of a row, but for values that identify nobody whatever the rules.
    pub(super) fn of(&self, row: usize) -> impl Iterator<Item = (KindId, &str)> {
        let present = self.0.iter().filter(move |(_, texts)| texts.is_valid(row));
        let values = present.map(move |(kind, texts)| (*kind, texts.value(row)));
        values.filter(|(_, value)| !is_junk(value))
    }
}

fn text(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}
