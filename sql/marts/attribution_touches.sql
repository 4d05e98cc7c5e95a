-- Channels are named in a text with commas around each, so that no name is found inside another. A touch without a
-- channel stays whatever is counted, for the check to find. A session that began in
-- a channel that does not count is told by its first touch that does.
SELECT touch_id, customer_id, touched_at, source_order, channel, campaign_id
FROM (
    SELECT
        touch_id,
        customer_id,
        touched_at,
        source_order,
        channel,
        campaign_id,
        session_id,
        ROW_NUMBER() OVER (
            PARTITION BY customer_id, session_id
            ORDER BY touched_at, source_order, touch_id
        ) AS place_in_session
    FROM fact_touches
    WHERE touched_at < $as_of
        AND (
            trim($attribution_included_channels) = ''
            OR channel IS NULL
            OR strpos(
                concat(',', regexp_replace(trim($attribution_included_channels), ' *, *', ',', 'g'), ','),
                concat(',', channel, ',')
            ) > 0
        )
        AND (
            trim($attribution_excluded_channels) = ''
            OR channel IS NULL
            OR strpos(
                concat(',', regexp_replace(trim($attribution_excluded_channels), ' *, *', ',', 'g'), ','),
                concat(',', channel, ',')
            ) = 0
        )
) AS counted
WHERE $attribution_session_touches = 'all' OR session_id IS NULL OR place_in_session = 1
