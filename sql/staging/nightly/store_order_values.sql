-- A return restates its sale. One that names no known sale stays a document of its own, so that its money is not lost.
SELECT
    store_receipts.receipt_id AS order_id,
    store_receipts.customer_id,
    store_receipts.sold_at AS placed_at,
    store_receipts.is_sale,
    store_receipts.gross_value,
    CAST(store_receipts.gross_value - store_receipts.sold_value AS DECIMAL(18, 4)) AS discount_value,
    CAST(
        store_receipts.returned_value + COALESCE(store_returns.returned_value, CAST(0 AS DECIMAL(18, 4)))
        AS DECIMAL(18, 4)
    ) AS refund_value,
    CASE
        WHEN store_receipts.returned_value > 0
            THEN GREATEST(local_date(store_receipts.sold_at), COALESCE(store_returns.refunded_on, local_date(store_receipts.sold_at)))
        ELSE store_returns.refunded_on
    END AS refunded_on,
    CAST(
        CASE
            WHEN store_returns.original_receipt_id IS NULL THEN store_receipts.cost_value
            ELSE store_receipts.cost_value + store_returns.cost_value
        END AS DECIMAL(18, 4)
    ) AS cost_value
FROM store_receipts
LEFT JOIN store_returns
    ON store_returns.original_receipt_id = store_receipts.receipt_id
    AND store_receipts.is_sale
LEFT JOIN store_receipts AS originals
    ON originals.receipt_id = store_receipts.original_receipt_id
    AND originals.is_sale
WHERE store_receipts.is_sale OR originals.receipt_id IS NULL
