-- week_hours: parameters $from, $to (instants), $zone (IANA), and those of active_users.sql that say which stays count.
-- An hour is what the clocks of the zone call by one date, hour and offset. Since 1979 every zone has changed its clocks at a quarter hour
-- of UTC, so hours are made of these. Weekdays are 1 (Monday) to 7.
WITH stays AS (
  SELECT user_id, joined_at, greatest(left_at, joined_at + INTERVAL 1 MILLISECOND) AS left_at
  FROM attendance
  WHERE joined_at < $to AND greatest(left_at, joined_at + INTERVAL 1 MILLISECOND) > $from
    AND ($user_kinds IS NULL OR list_contains($user_kinds, user_kind))
    AND ($devices IS NULL OR list_contains($devices, device))
    AND ($session_kinds IS NULL OR list_contains($session_kinds, session_kind))
    AND ($media IS NULL OR list_has_any(media, $media))
    AND ($app IS NULL OR app = $app)
),
members AS (
  SELECT unnest(CAST($members AS STRUCT(user_id VARCHAR, "from" TIMESTAMPTZ, "to" TIMESTAMPTZ)[]), recursive := true)
),
-- What of the stays counts.
parts AS (
  SELECT user_id, joined_at AS begins, left_at AS ends FROM stays WHERE $members IS NULL
  UNION ALL
  SELECT stays.user_id, greatest(joined_at, members."from"), least(left_at, members."to")
  FROM stays JOIN members ON members.user_id = stays.user_id AND members."from" < left_at AND members."to" > joined_at
),
quarters AS (
  SELECT unnest(generate_series(time_bucket(INTERVAL 15 MINUTE, $from), $to - INTERVAL 1 MILLISECOND, INTERVAL 15 MINUTE)) AS quarter
),
hours AS (
  SELECT date_trunc('hour', timezone($zone, quarter)) AS clock, timezone($zone, quarter) - timezone('UTC', quarter) AS ahead,
         greatest(min(quarter), $from) AS begins, least(max(quarter) + INTERVAL 15 MINUTE, $to) AS ends
  FROM quarters
  GROUP BY ALL
),
counted AS (
  SELECT clock, ahead, count(DISTINCT user_id) AS users
  FROM hours LEFT JOIN parts ON parts.begins < hours.ends AND parts.ends > hours.begins
  GROUP BY ALL
)
SELECT isodow(clock) AS weekday, hour(clock) AS hour, sum(users) AS users, count(*) AS hours, sum(users) / count(*) AS users_mean
FROM counted
GROUP BY 1, 2
ORDER BY 1, 2;
