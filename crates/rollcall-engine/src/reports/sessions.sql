-- sessions: parameters $from, $to (instants), $app, $session_kinds (a list) and $user (null: all), and $members of active_users.sql.
-- Sessions that started in the range, with a stay of that user, and with one of a member while it is one; the numbers are the whole
-- session's. Pages are parts of this. Times are in milliseconds.
WITH members AS (
  SELECT unnest(CAST($members AS STRUCT(user_id VARCHAR, "from" TIMESTAMPTZ, "to" TIMESTAMPTZ)[]), recursive := true)
),
stays AS (
  SELECT *, EXISTS (SELECT 1 FROM members WHERE members.user_id = attendance.user_id AND members."to" > joined_at
                      AND members."from" < greatest(left_at, joined_at + INTERVAL 1 MILLISECOND)) AS is_member
  FROM attendance
  WHERE session_started_at >= $from AND session_started_at < $to
    AND ($app IS NULL OR app = $app)
    AND ($session_kinds IS NULL OR list_contains($session_kinds, session_kind))
)
SELECT session_started_at, app, session_id, session_kind, min(joined_at) AS first_join, max(left_at) AS last_leave,
       count(DISTINCT user_id) AS users, count(*) AS stays, sum(epoch_ms(left_at) - epoch_ms(joined_at)) AS time
FROM stays
GROUP BY session_started_at, app, session_id, session_kind
HAVING ($user IS NULL OR bool_or(user_id = $user)) AND ($members IS NULL OR bool_or(is_member))
ORDER BY session_started_at, app, session_id, list_position(['meeting', 'call', 'room'], session_kind);
