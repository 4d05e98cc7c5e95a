//! The steps of a run. Each takes its predecessor's output type and nothing else of it.

pub(crate) mod audit;
pub(crate) mod clean;
pub(crate) mod dedupe;
pub(crate) mod extract;
#[cfg(test)]
pub(crate) mod fixtures;
pub(crate) mod identity;
pub(crate) mod publish;
#[cfg(test)]
mod tests;
pub(crate) mod transform;
