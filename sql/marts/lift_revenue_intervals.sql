-- allow(sql/float-money): an estimate with its error is no amount that anybody adds up
SELECT campaign_id, resampled['low'] AS difference_low, resampled['high'] AS difference_high
FROM (
    SELECT
        campaign_id,
        bootstrap_interval(
            CAST(revenue AS DOUBLE), assigned_group = 'treatment', CAST(0.95 AS DOUBLE)
        ) AS resampled
    FROM lift_outcomes
    GROUP BY campaign_id
) AS intervals
