-- people: whoever is behind a row, in the order of their ids. Parameters $from, $to (instants of the row's period, cut to the range).
-- "time" is what of the stays lies in there, in milliseconds; "first" and "last" are of whole stays.

-- Behind a row of active_users, users_by_means or department_users: those parameters of active_users.sql that say which stays count.
-- Behind a row of a medium or a device they name it; behind that of a department $members is its, behind the one without $outside is true,
-- and $members are the users of any department; no two of a user overlap. Behind a row of concurrency $at is its instant, else it is null.
WITH stays AS (
  SELECT *, greatest(joined_at, $from) AS begins, least(greatest(left_at, joined_at + INTERVAL 1 MILLISECOND), $to) AS ends,
         row_number() OVER () AS number
  FROM attendance
  WHERE joined_at < $to AND greatest(left_at, joined_at + INTERVAL 1 MILLISECOND) > $from
    AND ($user_kinds IS NULL OR list_contains($user_kinds, user_kind))
    AND ($devices IS NULL OR list_contains($devices, device))
    AND ($session_kinds IS NULL OR list_contains($session_kinds, session_kind))
    AND ($media IS NULL OR list_has_any(media, $media))
    AND ($app IS NULL OR app = $app)
    AND ($at IS NULL OR joined_at <= $at AND left_at > $at)
),
members AS (
  SELECT unnest(CAST($members AS STRUCT(user_id VARCHAR, "from" TIMESTAMPTZ, "to" TIMESTAMPTZ)[]), recursive := true)
),
-- How long the user of a stay is a member while it lasts.
met AS (
  SELECT number, sum(epoch_ms(least(ends, members."to")) - epoch_ms(greatest(begins, members."from"))) AS inside
  FROM stays JOIN members ON members.user_id = stays.user_id AND members."from" < ends AND members."to" > begins
  GROUP BY number
),
counted AS (
  SELECT stays.*, epoch_ms(ends) - epoch_ms(begins) AS lasted,
         CASE WHEN $members IS NULL THEN lasted WHEN $outside THEN lasted - coalesce(inside, 0) ELSE coalesce(inside, 0) END AS part
  FROM stays LEFT JOIN met USING (number)
)
SELECT user_id, min(joined_at) AS "first", max(left_at) AS "last",
       count(DISTINCT (app, session_id, session_started_at, session_kind)) AS sessions,
       -- One of no length counts, and adds nothing.
       coalesce(sum(part) FILTER (left_at > joined_at), 0) AS time
FROM counted
WHERE part > 0
GROUP BY user_id
ORDER BY user_id;

-- Behind a row of meeting_days, or of top_users with $user (null: all): $app and $unit (null: all).
SELECT user_id, min(joined_at) AS "first", max(left_at) AS "last",
       count(DISTINCT (app, session_id, session_started_at, session_kind)) AS sessions,
       sum(greatest(epoch_ms(least(left_at, $to)) - epoch_ms(greatest(joined_at, $from)), 0)) AS time
FROM attendance
WHERE session_kind = 'meeting'
  AND session_started_at >= $from AND session_started_at < $to
  AND ($user IS NULL OR user_id = $user)
  AND ($app IS NULL OR app = $app)
  AND ($unit IS NULL OR unit = $unit)
GROUP BY user_id
ORDER BY user_id;

-- Behind a row of users_by_place: its parameters, and $place (null: of unknown place).
WITH stays AS (
  SELECT *, coalesce(country, split_part(subdivision, '-', 1)) AS land
  FROM attendance
  WHERE joined_at < $to AND greatest(left_at, joined_at + INTERVAL 1 MILLISECOND) > $from
    AND ($app IS NULL OR app = $app)
),
placed AS (
  SELECT *,
         CASE
           WHEN $level = 'country' THEN
             CASE WHEN subdivision IN ('CN-HK', 'CN-MO', 'CN-TW') THEN split_part(subdivision, '-', 2) ELSE land END
           WHEN land IN ('HK', 'MO', 'TW') THEN 'CN-' || land
           ELSE subdivision
         END AS anywhere,
         CASE WHEN $country IS NULL OR split_part(anywhere, '-', 1) = $country THEN anywhere END AS place
  FROM stays
)
SELECT user_id, min(joined_at) AS "first", max(left_at) AS "last",
       count(DISTINCT (app, session_id, session_started_at, session_kind)) AS sessions,
       sum(epoch_ms(least(left_at, $to)) - epoch_ms(greatest(joined_at, $from))) AS time
FROM placed
WHERE place IS NOT DISTINCT FROM $place
  AND ($place IS NOT NULL OR user_id NOT IN (SELECT user_id FROM placed WHERE place IS NOT NULL))
GROUP BY user_id
ORDER BY user_id;
