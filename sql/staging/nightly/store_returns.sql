SELECT
    original_receipt_id,
    local_date(MAX(sold_at)) AS refunded_on,
    CAST(SUM(returned_value) AS DECIMAL(18, 4)) AS returned_value,
    CASE WHEN COUNT(cost_value) = COUNT(*) THEN CAST(SUM(cost_value) AS DECIMAL(18, 4)) END AS cost_value
FROM store_receipts
WHERE NOT is_sale AND original_receipt_id IS NOT NULL
GROUP BY original_receipt_id
