-- concurrency: parameters $from, $to (instants of one period, cut to the range), lists $user_kinds, $devices, $session_kinds, $app (null:
-- all). One period; a report of many is this for each. It begins with who is there already. Stays are half-open: those of no length are
-- nowhere.
WITH stays AS (
  SELECT app, session_id, session_started_at, session_kind, greatest(joined_at, $from) AS begins, least(left_at, $to) AS ends
  FROM attendance
  WHERE joined_at < $to AND left_at > $from AND joined_at < left_at
    AND ($user_kinds IS NULL OR list_contains($user_kinds, user_kind))
    AND ($devices IS NULL OR list_contains($devices, device))
    AND ($session_kinds IS NULL OR list_contains($session_kinds, session_kind))
    AND ($app IS NULL OR app = $app)
),
-- By how much the number of stays in a session changes at an instant.
changes AS (
  SELECT app, session_id, session_started_at, session_kind, "at", sum(change) AS change
  FROM (SELECT *, begins AS "at", 1 AS change FROM stays UNION ALL SELECT *, ends, -1 FROM stays)
  GROUP BY ALL
),
filled AS (
  SELECT *, sum(change) OVER session > 0 AS is_filled, sum(change) OVER session > change AS was_filled
  FROM changes
  WINDOW session AS (PARTITION BY app, session_id, session_started_at, session_kind ORDER BY "at")
),
at_once AS (
  SELECT "at", sum(sum(change)) OVER (ORDER BY "at") AS stays,
         sum(sum(CAST(is_filled AS INTEGER) - CAST(was_filled AS INTEGER))) OVER (ORDER BY "at") AS sessions
  FROM filled
  GROUP BY "at"
)
SELECT max(stays) AS stays, (SELECT "at" FROM at_once ORDER BY stays DESC, "at" LIMIT 1) AS stays_at,
       max(sessions) AS sessions, (SELECT "at" FROM at_once ORDER BY sessions DESC, "at" LIMIT 1) AS sessions_at
FROM at_once;
