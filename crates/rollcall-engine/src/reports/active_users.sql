-- active_users: parameters $from, $to (instants of one period or hour, cut to the range), lists $user_kinds, $devices, $session_kinds and
-- $media (one of them was used), $app (null: all), and $members: where a department is asked for, when the directory has which users in it,
-- as a list of {user_id, from, to} with midnights of the organization's zone (null: no department is asked for).
-- One period; a report of many is this for each. A stay of no length counts at its instant, as if it lasted a millisecond.
WITH stays AS (
  SELECT user_id, greatest(joined_at, $from) AS begins, least(greatest(left_at, joined_at + INTERVAL 1 MILLISECOND), $to) AS ends
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
)
SELECT count(DISTINCT user_id) AS users
FROM stays
WHERE $members IS NULL
   OR EXISTS (SELECT 1 FROM members WHERE members.user_id = stays.user_id AND members."from" < ends AND members."to" > begins);
