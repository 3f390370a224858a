-- department_users: parameters $from, $to (instants), those of active_users.sql that say which stays count but for $members, and of the
-- directory: $departments (a list of the ids that exist on some day of the range), $members (a list of {department, user_id, from, to}:
-- when it has a user in a department, or with its subtree in one below it; with midnights of the organization's zone), $inside (a list of
-- {user_id, from, to}: when it has a user in any; no two of a user overlap). Where the rows are those below one department, the last row
-- is not part of the answer.
WITH stays AS (
  SELECT DISTINCT user_id, greatest(joined_at, $from) AS begins, least(greatest(left_at, joined_at + INTERVAL 1 MILLISECOND), $to) AS ends
  FROM attendance
  WHERE joined_at < $to AND greatest(left_at, joined_at + INTERVAL 1 MILLISECOND) > $from
    AND ($user_kinds IS NULL OR list_contains($user_kinds, user_kind))
    AND ($devices IS NULL OR list_contains($devices, device))
    AND ($session_kinds IS NULL OR list_contains($session_kinds, session_kind))
    AND ($media IS NULL OR list_has_any(media, $media))
    AND ($app IS NULL OR app = $app)
),
departments AS (
  SELECT unnest(CAST($departments AS VARCHAR[])) AS department
),
members AS (
  SELECT unnest(CAST($members AS STRUCT(department VARCHAR, user_id VARCHAR, "from" TIMESTAMPTZ, "to" TIMESTAMPTZ)[]), recursive := true)
),
inside AS (
  SELECT unnest(CAST($inside AS STRUCT(user_id VARCHAR, "from" TIMESTAMPTZ, "to" TIMESTAMPTZ)[]), recursive := true)
),
-- How long the user of a stay is in a department while it lasts: where that is not all the time, some of it counts outside.
covered AS (
  SELECT stays.user_id, begins, ends,
         coalesce(sum(epoch_ms(least(ends, inside."to")) - epoch_ms(greatest(begins, inside."from")))
                    FILTER (inside.user_id IS NOT NULL), 0) AS millis
  FROM stays LEFT JOIN inside ON inside.user_id = stays.user_id AND inside."from" < ends AND inside."to" > begins
  GROUP BY stays.user_id, begins, ends
),
users AS (
  SELECT department, count(DISTINCT stays.user_id) AS users
  FROM stays JOIN members ON members.user_id = stays.user_id AND members."from" < ends AND members."to" > begins
  GROUP BY department
),
belonging AS (
  SELECT department, count(DISTINCT user_id) AS members FROM members WHERE "from" < $to AND "to" > $from GROUP BY department
)
SELECT department, coalesce(users, 0) AS users, coalesce(members, 0) AS members
FROM departments LEFT JOIN users USING (department) LEFT JOIN belonging USING (department)
UNION ALL
SELECT NULL, count(DISTINCT user_id), 0 FROM covered WHERE millis < epoch_ms(ends) - epoch_ms(begins)
ORDER BY department NULLS LAST;
