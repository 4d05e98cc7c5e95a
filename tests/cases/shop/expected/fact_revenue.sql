SELECT * FROM fact_revenue ORDER BY day, product
