//! Tells of each customer how large it is, and how firmly it hangs together.

use arrow::array::{ArrayRef, RecordBatch};

use super::assign::CustomerNumber;
use super::bridges::bridges;
use super::identifiers::Node;
use super::kinds::KindId;
use super::rank::Validity;
use super::resolved::Resolved;
use super::schemas::{batch, clusters_schema, numbers, texts};
use super::{CustomerId, IdentityError};

/// A customer with more links than this is not searched for bridges: the search takes memory for each of them.
const MOST_LINKS: usize = 100_000;

/// What is told of a customer.
#[derive(Clone, Default)]
struct Cluster {
    identifiers: i64,
    of_kinds: Vec<i64>,
    links: i64,
    bridges: Option<i64>,
}

impl Resolved<'_> {
    /// Returns one row for each customer, by its id.
    pub(super) fn clusters(&self, validity: &Validity) -> Result<RecordBatch, IdentityError> {
        let kinds: Vec<KindId> = self.kinds.declared().collect();
        let empty =
            Cluster { of_kinds: vec![0; kinds.len()], bridges: Some(0), ..Cluster::default() };
        let mut clusters = vec![empty; self.assignment.customers.len()];
        for node in self.evidence.identifiers.nodes() {
            if let Some(number) = self.assignment.of[node as usize] {
                let cluster = &mut clusters[number as usize];
                cluster.identifiers += 1;
                let kind = self.evidence.identifiers.kind(node);
                if let Some(place) = kinds.iter().position(|other| *other == kind) {
                    cluster.of_kinds[place] += 1;
                }
            }
        }
        let pairs = self.pairs(validity);
        for pairs in pairs.chunk_by(|left, right| left.0 == right.0) {
            let cluster = &mut clusters[pairs[0].0 as usize];
            cluster.links = pairs.len() as i64;
            let links = || pairs.iter().map(|(_, ends)| *ends).collect::<Vec<_>>();
            cluster.bridges = (pairs.len() <= MOST_LINKS).then(|| bridges(&links()) as i64);
        }
        self.table(&kinds, &clusters)
    }

    /// Returns each pair of identifiers that a link within a customer joins, by customer.
    fn pairs(&self, validity: &Validity) -> Vec<(CustomerNumber, [Node; 2])> {
        let identifiers = &self.evidence.identifiers;
        let counts = self.evidence.links.iter().filter(|link| {
            link.ends.iter().all(|node| !self.is_ambiguous(*node))
                && validity.holds(identifiers, link)
        });
        let mut pairs: Vec<_> = counts
            .filter_map(|link| {
                let [left, right] = link.ends.map(|node| self.assignment.of[node as usize]);
                left.filter(|left| Some(*left) == right).map(|customer| (customer, link.ends))
            })
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    fn table(&self, kinds: &[KindId], clusters: &[Cluster]) -> Result<RecordBatch, IdentityError> {
        let customers = self.assignment.customers.iter().zip(clusters);
        let living = customers.filter(|(_, cluster)| cluster.identifiers > 0);
        let mut rows: Vec<(CustomerId, &Cluster)> =
            living.map(|(customer, cluster)| (customer.id, cluster)).collect();
        rows.sort_unstable_by_key(|(id, _)| *id);
        let rows = || rows.iter();
        let mut columns: Vec<ArrayRef> = vec![
            texts(rows().map(|(id, _)| Some(id.to_string()))),
            numbers(rows().map(|(_, cluster)| Some(cluster.identifiers))),
            numbers(rows().map(|(_, cluster)| Some(cluster.links))),
            numbers(rows().map(|(_, cluster)| cluster.bridges)),
        ];
        for place in 0..kinds.len() {
            columns.push(numbers(rows().map(|(_, cluster)| Some(cluster.of_kinds[place]))));
        }
        let names = kinds.iter().map(|kind| self.kinds.get(*kind).name.as_str());
        batch(clusters_schema(names), columns)
    }
}
