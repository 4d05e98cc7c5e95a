//! Finds out which rows belong to the same customer.
//!
//! Guarantee: [`Identified`] holds the surviving rows of every source in files, and every row that bears
//! an identifier with the stable id of its customer. Who is one customer is a function of all evidence
//! ever seen and the rules, and depends neither on the order of files nor on the number of threads; the
//! id of a customer changes only by a recorded merge or split.
//!
//! Evidence is two identifiers on one row, survivor of dedupe or not, and is kept by object so that it can be taken
//! back. Links are taken from the strongest to the weakest (the priority of their weaker end), within a priority from
//! the first seen to the last, of one row those of its strongest identifier first. A link that would give a customer more
//! values of a type than the rules allow, or bring together what a person has decided to be apart, is refused and
//! recorded, and what was refused to a stronger identifier says nothing of what is seen with that one. A value that the links of stronger types tie to more than `max_customers` customers is ambiguous: it links
//! nobody, and is a customer of its own.
//!
//! A row belongs to the customer of one of its identifiers, chosen by `owner` in a way that does not depend on the
//! night: a stored row keeps its owner's number, and the customer is looked up in `map`.
//!
//! | row | with the links `c1`–`u1` and `c1`–`ann@x.org` |
//! | --- | --- |
//! | cookie `c1` | the customer of `u1`, `c1` and `ann@x.org` |
//! | cookie `c7` | a customer known by `c7` only |
//! | cookie `anonymous` | no customer |
//!
//! It never rewrites what it was given, never gives an id twice, and never forgets an identifier.

mod apply;
mod assign;
mod before;
mod bridges;
mod by_shard;
mod carry;
mod causes;
mod clean_files;
mod clusters;
mod entries;
mod error;
mod evidence;
#[cfg(test)]
mod findings;
mod former_files;
mod guards;
mod history;
mod identifiers;
mod index;
mod interner;
mod junk;
mod kinds;
mod linker;
mod links;
mod matching;
mod measure;
mod near;
mod numbers;
mod open;
mod origins;
mod rank;
mod refusals;
mod registry;
mod remember;
mod resolve;
mod resolved;
mod row_sets;
mod schemas;
mod sightings;
mod stamp;
mod stored;
mod tables;
mod take_in;
#[cfg(test)]
mod tests;
mod told;
mod types;
mod union_find;
mod verdicts;

pub(crate) use apply::identify;
pub(crate) use before::Before;
pub(crate) use carry::{Carried, METHOD};
pub(crate) use error::IdentityError;
pub(crate) use guards::{GuardOutcome, admit_customers};
pub(crate) use matching::MatchCounts;
pub(crate) use measure::{MeasuredEdges, groups_of, map_of_edges};
pub(crate) use open::Retraction;
pub(crate) use registry::Registry;
pub(crate) use types::{
    CLUSTERS, CONFLICTS, CleanFile, CleanTable, CustomerId, EVIDENCE, FormerFiles, Identified,
    IdentityCounts, LINKS, MAP, StoredTable,
};
