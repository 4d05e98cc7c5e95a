-- A cost in a currency without a rate of its day stays without value, and the check on it stops the run:
-- no rate is ever made up.
SELECT
    campaign_costs.campaign_id,
    campaign_costs.channel,
    campaign_costs.cost_date AS spend_date,
    CAST(campaign_costs.cost * exchange_rates.rate AS DECIMAL(18, 4)) AS spend_value,
    campaign_costs.impressions,
    campaign_costs.clicks,
    campaign_costs.platform_conversions AS platform_reported_conversions,
    $as_of AS as_of,
    '2' AS definition_version
FROM campaign_costs
LEFT JOIN exchange_rates
    ON exchange_rates.currency = campaign_costs.currency
    AND exchange_rates.rate_date = campaign_costs.cost_date
WHERE campaign_costs.cost_date < $as_of_date
