SELECT id, amount FROM ordres
