//! martlet: a nightly batch job for customer data warehouses.
//!
//! | from | function | to |
//! | --- | --- | --- |
//! | YAML and SQL texts | `spec::load` | a pipeline as written, with the place of every value |
//! | a pipeline as written | `plan::resolve` | a pipeline as validated |
//! | a pipeline as validated | `run::execute` | published tables and a report |
//!
//! The modules in reading order; each uses only what stands above it:
//!
//! | module | holds |
//! | --- | --- |
//! | `names` | validated names: one type and one rule each |
//! | `zone` | local days of moments |
//! | `size` | sizes in bytes, as people write them |
//! | `digest` | digests of texts |
//! | `spreadsheet` | the rows of XLSX workbooks |
//! | `diagnostics` | what is wrong with a text an author wrote, and where |
//! | `spec` | a pipeline as written |
//! | `settings` | where things are and how big the machine is, each value with its origin |
//! | `functions` | SQL functions the marts need and `DataFusion` lacks |
//! | `infer` | guesses of what fields are, from values that were seen |
//! | `report` | events of a run, its counters and its report |
//! | `engine` | the only door to `DataFusion` sessions, memory and object stores |
//! | `plan` | a pipeline as validated |
//! | `lineage` | what every column is made of, from raw fields to marts and back |
//! | `trial` | runs the tests of stages |
//! | `site` | the documents of a project as one HTML page |
//! | `warehouse` | layout, lease, generations, Delta tables: the state beside the data |
//! | `steps` | extract, clean, dedupe, identity, transform, audit, publish |
//! | `run` | a pipeline as executed: the spine, the only place that knows the order of the steps |
//! | `measure` | parts of a night by themselves, for benchmarks |
//! | `sample` | deterministic raw exports to try martlet on |
//! | `cli` | arguments, commands, printing, exit statuses |
//!
//! `docs/architecture.md` tells what each may use, and how a run commits.

pub mod cli;
mod diagnostics;
mod digest;
mod engine;
mod functions;
#[cfg(test)]
pub(crate) mod fuzz;
mod infer;
mod lineage;
#[doc(hidden)]
pub mod measure;
mod names;
mod plan;
mod report;
mod run;
mod sample;
mod settings;
mod site;
mod size;
mod spec;
mod spreadsheet;
mod steps;
mod trial;
mod warehouse;
mod zone;
