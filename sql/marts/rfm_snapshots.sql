-- The same rules at several ends of time: today, the night to compare with, and the one whose cut points are kept.
SELECT snapshot, snapshot_date
FROM (
    SELECT 'current' AS snapshot, $as_of_date AS snapshot_date
    UNION ALL
    SELECT 'previous' AS snapshot, $as_of_date - $rfm_previous_days AS snapshot_date
    UNION ALL
    SELECT 'frozen' AS snapshot, CAST(NULLIF($rfm_frozen_on, '') AS DATE) AS snapshot_date
) AS snapshots
WHERE snapshot <> 'frozen' OR $rfm_mode = 'frozen'
