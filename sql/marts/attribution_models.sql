SELECT model
FROM (
    VALUES
        ('first'),
        ('last'),
        ('last_non_direct'),
        ('linear'),
        ('position'),
        ('time_decay'),
        ('markov'),
        ('shapley')
) AS models (model)
