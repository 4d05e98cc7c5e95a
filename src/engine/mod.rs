//! The only door to `DataFusion` sessions, memory and object stores.

mod clean_table;
mod columns;
mod constants;
mod context;
mod customers;
mod difference;
mod exact;
mod expression;
mod first_value;
#[cfg(test)]
mod fixtures;
mod groups;
mod joins;
mod kept;
mod key;
mod key_set;
mod parallel;
mod parquet;
mod partitions;
mod published;
mod repeats;
mod replace;
mod row_counts;
mod separable;
mod session;
mod sort;
mod spool;
mod sql;
mod store;
mod table;
mod window;
mod work;

pub(crate) use clean_table::{CleanFiles, MOVED, clean_table, customers_compared, customers_moved};
pub(crate) use context::Context;
pub(crate) use customers::Customers;
pub(crate) use difference::{difference, has_rows, keys_of, rows_from};
pub(crate) use expression::{ExpressionError, RowExpression};
pub(crate) use kept::{Keeper, Kept};
pub(crate) use key::goes_on;
pub(crate) use key_set::{KeySet, rows_of_keys, rows_of_others};
pub(crate) use parallel::{Queue, beside, both, on_threads, sort_on_threads};
pub(crate) use parquet::{
    FileSummary, ParquetFile, ParquetFileError, ParquetFileErrorKind, ParquetOptions, parquet_bytes,
};
pub(crate) use partitions::{Layout, table_of_file_partitions, table_of_kept};
pub(crate) use published::Published;
pub(crate) use repeats::may_repeat;
pub(crate) use row_counts::RowCounts;
pub(crate) use separable::{
    Compared, Ground, Input, Inseparable, Night, Separation, separable, stamps,
};
pub(crate) use session::{Resources, lacked_memory, on_one_thread, planning_session, session};
pub(crate) use spool::{Spool, SpoolBudget, SpoolError, SpoolWriter};
pub(crate) use sql::{
    MixedTime, Parameters, Planned, Select, SelectError, Tables, WrongName, judge_question,
    not_deterministic, plan_and_inspect, plan_select, schema_of,
};
pub(crate) use store::{Root, RootError};
pub(crate) use table::{in_stored_types, table_of_files, table_of_urls};
pub(crate) use work::WorkFolder;
