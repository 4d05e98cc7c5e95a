SELECT
    known_customers.customer_id,
    identity_customers.first_seen AS first_seen_at,
    customer_sightings.last_seen_at,
    crm_profiles.user_id,
    crm_profiles.created_at AS registered_at,
    CAST(date_part('year', crm_profiles.birthday) AS BIGINT) AS birth_year,
    crm_profiles.gender,
    crm_profiles.city,
    COALESCE(crm_profiles.consent_email, FALSE) AS consent_email,
    COALESCE(crm_profiles.consent_sms, FALSE) AS consent_sms,
    $as_of AS as_of,
    '2' AS definition_version
FROM known_customers
LEFT JOIN identity_customers ON identity_customers.customer_id = known_customers.customer_id
LEFT JOIN customer_sightings ON customer_sightings.customer_id = known_customers.customer_id
LEFT JOIN crm_profiles ON crm_profiles.customer_id = known_customers.customer_id
