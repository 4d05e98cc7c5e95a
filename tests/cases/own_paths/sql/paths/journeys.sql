-- A line stands for so many customers, each of whom goes the path once.
SELECT
    concat(CAST(_record AS TEXT), '-', CAST(journey AS TEXT)) AS customer_id,
    path,
    journey <= total_conversions AS converts,
    CAST(total_conversion_value / NULLIF(total_conversions, 0) AS DECIMAL(18, 4)) AS net_value
FROM (
    SELECT
        _record,
        path,
        total_conversions,
        total_conversion_value,
        unnest(generate_series(1, total_conversions + total_null)) AS journey
    FROM paths
) AS counted
