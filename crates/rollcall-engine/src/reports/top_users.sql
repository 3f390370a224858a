-- top_users: parameters $from, $to (instants), $order ('meetings' or 'duration'), $limit, $app and $unit (null: all), $kinds (a list of
-- the kinds that are shown; null: all), $directory (a list of {user_id, kind}).
-- The kind shown is the directory's; of a user whom it does not know, that of the latest joined_at (of several then, the last of the list).
-- Durations are in milliseconds.
WITH known AS (
  SELECT unnest(CAST($directory AS STRUCT(user_id VARCHAR, kind VARCHAR)[]), recursive := true)
)
SELECT user_id,
       coalesce(any_value(known.kind),
                arg_max(user_kind, (joined_at, list_position(['member', 'guest', 'room', 'phone'], user_kind)))) AS shown,
       count(DISTINCT (app, session_id, session_started_at)) AS meetings,
       sum(epoch_ms(left_at) - epoch_ms(joined_at)) AS duration
FROM attendance LEFT JOIN known USING (user_id)
WHERE session_kind = 'meeting'
  AND session_started_at >= $from AND session_started_at < $to
  AND ($app IS NULL OR app = $app)
  AND ($unit IS NULL OR unit = $unit)
GROUP BY user_id
HAVING $kinds IS NULL OR list_contains($kinds, shown)
ORDER BY CASE $order WHEN 'meetings' THEN meetings ELSE duration END DESC,
         CASE $order WHEN 'meetings' THEN duration ELSE meetings END DESC,
         user_id
LIMIT $limit;
