//! Writing a table as it is published.

use martlet::measure::Tables;

use crate::bench::{Amount, Bench};

const ROWS: u64 = 32_768;

const ORDERS: &str = "
    SELECT
        concat('order-', CAST(i AS VARCHAR)) AS order_id,
        concat('customer-', CAST(i * 48271 % 4001 AS VARCHAR)) AS customer_id,
        arrow_cast(1767225600000000 + i * 1000003, 'Timestamp(Microsecond, Some(\"UTC\"))') AS ordered_at,
        DATE '2026-01-30' - CAST(i * 7919 % 547 AS INTEGER) AS order_date,
        CASE i % 3 WHEN 0 THEN 'web' WHEN 1 THEN 'app' ELSE 'store' END AS channel,
        CASE WHEN i % 5 = 0 THEN concat('campaign-', CAST(i % 40 AS VARCHAR)) END AS campaign_id,
        CAST(i * 31 % 90007 AS DECIMAL(18, 4)) AS net_value,
        i * 13 % 7 AS lines,
        CAST(i * 17 % 1009 AS DOUBLE) / 1009 AS share,
        i % 11 = 0 AS is_first
    FROM generate_series(1, 32768) AS series (i)";

pub(crate) fn benches() -> Vec<Bench> {
    vec![Bench::new("write/parquet", Amount::Rows(ROWS), ROWS, || {
        let mut tables = Tables::new(&[])?;
        tables.generate("orders", ORDERS, &[])?;
        let rows = tables.rows("SELECT * FROM orders")?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        Ok(Box::new(move || rows.write(&folder.path().join("orders.parquet"))))
    })]
}
