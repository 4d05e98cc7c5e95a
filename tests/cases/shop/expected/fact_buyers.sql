SELECT * FROM fact_buyers ORDER BY revenue
