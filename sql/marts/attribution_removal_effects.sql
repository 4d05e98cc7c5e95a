SELECT
    effect['channel'] AS channel,
    effect['removal_effect'] AS removal_effect,
    effect['conversion_probability'] AS conversion_probability
FROM (
    SELECT unnest(effects) AS effect
    FROM (
        SELECT markov_removal_effects(from_state, to_state, transitions) AS effects
        FROM attribution_transitions
    ) AS solved
) AS listed
