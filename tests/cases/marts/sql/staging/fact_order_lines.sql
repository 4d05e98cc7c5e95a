SELECT
    lines.order_id,
    lines.line_number,
    lines.product_id,
    lines.category,
    lines.amount AS gross_value
FROM lines
