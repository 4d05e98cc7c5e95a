//! Makes raw exports of an invented retailer to try martlet on, and the truth about them.
//!
//! Guarantee: the same [`Options`] give the same bytes on every machine and for every number of threads. Every
//! flaw in the files is planted and counted: for each source rows = first + versions + duplicates + dirty.
//! A broken row stands beside its good original, so no fact of the invented world is lost.
//!
//! It never reads anything, never touches a folder it did not write, and knows nothing of pipelines: the files
//! are shaped for `pipelines/nightly.yaml`, and a test holds the two together.

mod app;
mod calendar;
mod campaigns;
mod chance;
mod chunk;
mod crm;
mod delivery;
mod dirt;
mod encode;
mod evidence;
mod files;
mod happening;
mod messages;
mod options;
mod orders;
mod people;
mod plan;
mod products;
mod purchase;
mod rates;
mod reference;
mod sends;
mod session;
mod source;
mod spelling;
mod store;
mod tally;
mod truth;
mod web;
mod words;
mod world;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use options::Options;
pub(crate) use tally::Summary;
pub(crate) use write::write;
