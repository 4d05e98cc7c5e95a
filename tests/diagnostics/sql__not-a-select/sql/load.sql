COPY orders TO 'orders.parquet'
