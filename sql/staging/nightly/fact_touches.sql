-- The control group of a campaign got no message and has no touch of it. The channel of a known campaign is the
-- campaign's, so that a click and the visit it leads to are one step of a path.
SELECT
    touches.touch_id,
    touches.customer_id,
    touches.touched_at,
    local_date(touches.touched_at) AS touch_date,
    touches.touch_type,
    COALESCE(dim_campaigns.channel, touches.channel) AS channel,
    touches.campaign_id,
    touches.session_id,
    touches.source_order,
    $as_of AS as_of,
    '2' AS definition_version
FROM (
    SELECT
        concat('sent:', send_id) AS touch_id,
        customer_id,
        sent_at AS touched_at,
        'message_sent' AS touch_type,
        channel,
        campaign_id,
        CAST(NULL AS TEXT) AS session_id,
        1 AS source_order
    FROM campaign_sends
    WHERE customer_id IS NOT NULL AND assigned_group = 'treatment' AND sent_at < $as_of
    UNION ALL
    SELECT
        concat('clicked:', send_id) AS touch_id,
        customer_id,
        clicked_at AS touched_at,
        'message_clicked' AS touch_type,
        channel,
        campaign_id,
        CAST(NULL AS TEXT) AS session_id,
        2 AS source_order
    FROM campaign_sends
    WHERE customer_id IS NOT NULL AND assigned_group = 'treatment' AND clicked_at < $as_of
    UNION ALL
    SELECT
        concat('web:', first_event_id) AS touch_id,
        customer_id,
        started_at AS touched_at,
        'web_session' AS touch_type,
        CASE
            WHEN utm_medium IN ('cpc', 'ppc') THEN 'paid_search'
            WHEN utm_medium IS NOT NULL THEN utm_medium
            WHEN regexp_like(referrer, '//([^/]*\.)?(baidu|bing|google|search|sogou)\.') THEN 'organic_search'
            WHEN referrer IS NOT NULL THEN 'referral'
            ELSE 'direct'
        END AS channel,
        utm_campaign AS campaign_id,
        session_id,
        3 AS source_order
    FROM web_sessions
    UNION ALL
    SELECT
        concat('app:', first_event_id) AS touch_id,
        customer_id,
        started_at AS touched_at,
        'app_session' AS touch_type,
        'app' AS channel,
        campaign_id,
        session_id,
        4 AS source_order
    FROM app_sessions
) AS touches
LEFT JOIN dim_campaigns ON dim_campaigns.campaign_id = touches.campaign_id
