SELECT id, _event_date AS day FROM rows
