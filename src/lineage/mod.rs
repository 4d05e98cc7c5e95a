//! What every column is made of: from the raw fields of exports to the marts, and back.
//!
//! Guarantee: lineage is read from the plans that a run executes, not from the text of the SQL, and it is complete:
//! a value that can reach a column, or decide about its rows, is among the column's origins. An origin is a *value*
//! where the column is computed from it, and an *influence* where it only decides which rows there are or which of
//! several values is taken: filters, joins, groups, limits, orders of windows, conditions of `CASE`, deduplication.
//! Never looks at data.
//!
//! ```text
//! SELECT customer_id, sum(amount) AS total FROM orders WHERE status = 'paid' GROUP BY customer_id
//!   total   value: orders.amount   influences: orders.customer_id, orders.status
//! ```

mod expression;
mod find;
mod graph;
mod json;
mod mermaid;
mod origin;
mod personal;
mod reach;
mod relation;
mod scope;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use find::{Sought, find};
pub(crate) use graph::{Lineage, Table, TableKind, lineage};
pub(crate) use json::{reach_to_json, to_json};
pub(crate) use mermaid::{graph as mermaid_graph, reach as mermaid_reach};
pub(crate) use origin::Origin;
pub(crate) use personal::{Personal, personal};
pub(crate) use reach::{Direction, Reach, reach};
pub(crate) use text::{overview, reach as reach_text};
