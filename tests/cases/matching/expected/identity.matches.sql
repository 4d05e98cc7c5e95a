SELECT left_value, right_value FROM identity.matches ORDER BY least(left_value, right_value), greatest(left_value, right_value)
