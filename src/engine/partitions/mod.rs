//! Tables that a query of the same run left in partitions.
//!
//! Of most stages one reads the other, and both go by the same keys. So a table remembers by which columns its rows were
//! spread over the partitions and in which orders each partition has them, and a query over it need not spread and sort
//! them again.

mod layout;
mod scan;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use layout::Layout;
pub(crate) use table::{table_of_file_partitions, table_of_kept};
