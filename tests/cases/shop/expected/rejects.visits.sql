SELECT object, record, line, byte, "column", rule, code, message, event_date, raw, personal FROM rejects.visits ORDER BY object, record
