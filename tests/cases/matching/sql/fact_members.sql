SELECT
    customer_id,
    count(*) AS members,
    min(member_id) AS first_member
FROM members
GROUP BY customer_id
ORDER BY first_member
