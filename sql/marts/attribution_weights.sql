-- The largest weight takes what rounding leaves over; among equal weights that is the earliest touch.
SELECT
    order_id,
    share['model'] AS model,
    touch_position,
    touch_id,
    channel,
    campaign_id,
    share['model'] = 'markov' AND is_markov_fallback AS is_fallback,
    share['weight'] AS weight,
    touch_position = share['takes_remainder'] AS takes_remainder
FROM (
    SELECT
        order_id,
        touch_position,
        touch_id,
        channel,
        campaign_id,
        is_markov_fallback,
        unnest(make_array(
            named_struct('model', 'first', 'weight', first_share, 'takes_remainder', CAST(1 AS BIGINT)),
            named_struct('model', 'last', 'weight', last_share, 'takes_remainder', touches),
            named_struct('model', 'last_non_direct', 'weight', last_non_direct_share, 'takes_remainder', last_position_that_counts),
            named_struct('model', 'linear', 'weight', linear_share, 'takes_remainder', CAST(1 AS BIGINT)),
            named_struct('model', 'position', 'weight', position_share, 'takes_remainder', position_leader),
            named_struct('model', 'time_decay', 'weight', time_decay_share, 'takes_remainder', time_decay_leader),
            named_struct('model', 'markov', 'weight', markov_share, 'takes_remainder', markov_leader),
            named_struct('model', 'shapley', 'weight', shapley_share, 'takes_remainder', shapley_leader)
        )) AS share
    FROM (
        SELECT
            shares.*,
            CASE WHEN shares.touch_position = 1 THEN CAST(1 AS DECIMAL(13, 12)) END AS first_share,
            CASE WHEN shares.touch_position = shares.touches THEN CAST(1 AS DECIMAL(13, 12)) END AS last_share,
            CASE WHEN shares.touch_position = shares.last_position_that_counts THEN CAST(1 AS DECIMAL(13, 12)) END
                AS last_non_direct_share,
            leaders.position_leader,
            leaders.time_decay_leader,
            leaders.markov_leader,
            leaders.shapley_leader
        FROM attribution_shares AS shares
        INNER JOIN attribution_leading_touches AS leaders ON leaders.order_id = shares.order_id
    ) AS shares
) AS unfolded
WHERE share['weight'] IS NOT NULL
