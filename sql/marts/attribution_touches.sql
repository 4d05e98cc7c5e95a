-- Channels are named in a text with commas around each, so that no name is found inside another.
SELECT touch_id, customer_id, touched_at, source_order, channel, campaign_id
FROM fact_touches
WHERE strpos(
    concat(',', replace($attribution_excluded_channels, ' ', ''), ','),
    concat(',', channel, ',')
) = 0
