SELECT 'web_events' AS source, count(*) AS kept FROM web_events
UNION ALL
SELECT 'app_events' AS source, count(*) AS kept FROM app_events
UNION ALL
SELECT 'store_sales' AS source, count(*) AS kept FROM store_sales
