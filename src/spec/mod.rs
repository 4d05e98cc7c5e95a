//! A pipeline as written: the YAML and SQL texts parsed, nothing resolved.
//!
//! Guarantee: every key is known and every value has the right shape. Whether names refer to
//! anything, whether SQL makes sense, is for `plan` to say.

mod column;
mod edit;
mod folders;
mod history;
mod identity;
mod incremental;
mod intake;
mod load;
mod margins;
mod matching;
mod ordered;
mod positions;
mod preparation;
mod rfm;
mod schema;
mod sidecar;
mod source_tree;
mod types;
mod unit_test;
mod variable;
mod yaml;

pub(crate) use column::*;
pub(crate) use edit::{DeclaredColumn, InBraces, with_columns};
pub(crate) use folders::named as stage_folders;
pub(crate) use history::History;
pub(crate) use identity::*;
pub(crate) use incremental::Key;
pub(crate) use intake::*;
pub(crate) use load::{PipelineSpec, SidecarSpec, StageSpec, load};
pub(crate) use margins::*;
pub(crate) use matching::*;
pub(crate) use ordered::Ordered;
pub(crate) use positions::{MAX_BYTES, PositionMap};
pub(crate) use preparation::*;
pub(crate) use rfm::*;
pub(crate) use schema::{pipeline_schema, schema_of, sidecar_schema};
pub(crate) use sidecar::*;
pub(crate) use source_tree::{SourceTree, ending};
pub(crate) use types::*;
pub(crate) use unit_test::*;
pub(crate) use variable::{VariableDefault, VariableType};
pub(crate) use yaml::{Tree, parse_optional, parse_tree};

#[cfg(test)]
mod tests;
