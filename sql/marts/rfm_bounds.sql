-- A score begins at the least value that earns it or more. In mode frozen every snapshot goes by the frozen one.
SELECT
    rfm_snapshots.snapshot,
    bounds.dimension,
    bounds.score,
    bounds.lower_bound,
    bounds.valid_from
FROM rfm_snapshots
INNER JOIN (
    SELECT
        rfm_ranks.snapshot,
        rfm_ranks.dimension,
        scores.score,
        MIN(rfm_ranks.value) AS lower_bound,
        MIN(rfm_snapshots.snapshot_date) AS valid_from
    FROM rfm_ranks
    INNER JOIN (VALUES (2), (3), (4), (5)) AS scores (score) ON rfm_ranks.score >= scores.score
    INNER JOIN rfm_snapshots ON rfm_snapshots.snapshot = rfm_ranks.snapshot
    GROUP BY rfm_ranks.snapshot, rfm_ranks.dimension, scores.score
) AS bounds ON bounds.snapshot = CASE WHEN $rfm_mode = 'frozen' THEN 'frozen' ELSE rfm_snapshots.snapshot END
WHERE $rfm_mode <> 'cutpoints'
UNION ALL
SELECT snapshot, dimension, score, lower_bound, valid_from
FROM (
    SELECT
        rfm_snapshots.snapshot,
        rfm_fixed_cutpoints.dimension,
        rfm_fixed_cutpoints.score,
        rfm_fixed_cutpoints.lower_bound,
        rfm_fixed_cutpoints.valid_from,
        RANK() OVER (PARTITION BY rfm_snapshots.snapshot ORDER BY rfm_fixed_cutpoints.valid_from DESC) AS newest
    FROM rfm_snapshots
    INNER JOIN rfm_fixed_cutpoints ON rfm_fixed_cutpoints.valid_from <= rfm_snapshots.snapshot_date
    WHERE $rfm_mode = 'cutpoints'
) AS written
WHERE newest = 1
