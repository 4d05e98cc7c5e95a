SELECT column, comparison, level FROM identity.match_levels
