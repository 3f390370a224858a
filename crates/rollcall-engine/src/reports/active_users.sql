-- active_users: parameters $from, $to (instants of one period), and lists $user_kinds, $devices, $session_kinds, $app (null: all).
-- One period; a report of many is this for each. A stay of no length counts at its instant.
SELECT count(DISTINCT user_id) AS users
FROM attendance
WHERE joined_at < $to
  AND (left_at > $from OR (left_at = joined_at AND joined_at >= $from))
  AND ($user_kinds IS NULL OR list_contains($user_kinds, user_kind))
  AND ($devices IS NULL OR list_contains($devices, device))
  AND ($session_kinds IS NULL OR list_contains($session_kinds, session_kind))
  AND ($app IS NULL OR app = $app);
