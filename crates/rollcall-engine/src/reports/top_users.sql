-- top_users: parameters $from, $to (instants), $order ('meetings' or 'duration'), $limit, $app and $unit (null: all).
-- The kind shown is the directory's; this one, of the latest joined_at (of several then, the last of the list), is for users the directory
-- does not know. Durations are in milliseconds.
SELECT user_id,
       arg_max(user_kind, (joined_at, list_position(['member', 'guest', 'room', 'phone'], user_kind))) AS user_kind,
       count(DISTINCT (app, session_id, session_started_at)) AS meetings,
       sum(epoch_ms(left_at) - epoch_ms(joined_at)) AS duration
FROM attendance
WHERE session_kind = 'meeting'
  AND session_started_at >= $from AND session_started_at < $to
  AND ($app IS NULL OR app = $app)
  AND ($unit IS NULL OR unit = $unit)
GROUP BY user_id
ORDER BY CASE $order WHEN 'meetings' THEN meetings ELSE duration END DESC,
         CASE $order WHEN 'meetings' THEN duration ELSE meetings END DESC,
         user_id
LIMIT $limit;
