-- One row for each beginning and each end of a spell, then counted by period.
SELECT
    cohort_members.cohort_start,
    events.event_period AS period_start,
    SUM(events.started) AS started_spells,
    SUM(events.reactivated) AS reactivated_spells,
    SUM(events.ended) AS ended_spells,
    SUM(events.ended_from_start) AS ended_spells_from_start
FROM (
    SELECT
        customer_id,
        period_start($cohort_period, started_on) AS event_period,
        1 AS started,
        CASE WHEN spell_number > 1 THEN 1 ELSE 0 END AS reactivated,
        0 AS ended,
        0 AS ended_from_start
    FROM customer_spells
    UNION ALL
    SELECT
        customer_id,
        period_start($cohort_period, churned_on) AS event_period,
        0 AS started,
        0 AS reactivated,
        1 AS ended,
        CASE WHEN started_on < period_start($cohort_period, churned_on) THEN 1 ELSE 0 END
            AS ended_from_start
    FROM customer_spells
    WHERE churned_on IS NOT NULL
) AS events
INNER JOIN cohort_members ON cohort_members.customer_id = events.customer_id
GROUP BY cohort_members.cohort_start, events.event_period
