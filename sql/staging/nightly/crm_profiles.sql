-- A person may be registered twice; the record changed last speaks for the customer.
SELECT customer_id, user_id, birthday, gender, city, consent_email, consent_sms, created_at
FROM (
    SELECT
        customer_id,
        user_id,
        birthday,
        gender,
        city,
        consent_email,
        consent_sms,
        created_at,
        ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY updated_at DESC, user_id ASC) AS position
    FROM crm_customers
    WHERE customer_id IS NOT NULL AND created_at < $as_of
) AS records
WHERE position = 1
