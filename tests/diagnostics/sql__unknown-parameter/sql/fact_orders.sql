SELECT id, amount FROM orders WHERE amount > $churn_day
