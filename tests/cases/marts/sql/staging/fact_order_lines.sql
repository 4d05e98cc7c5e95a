SELECT
    lines.order_id,
    lines.line_number,
    lines.product_id,
    lines.category,
    lines.amount AS gross_value,
    lines.cost AS cost_value
FROM lines
