-- users_by_means: parameters $by ('medium' or 'device'), $from, $to (instants), and those of active_users.sql that say which stays count.
-- "of" is all distinct users, whatever they used; a share is users / of.
WITH stays AS (
  SELECT user_id, device, media, greatest(joined_at, $from) AS begins,
         least(greatest(left_at, joined_at + INTERVAL 1 MILLISECOND), $to) AS ends
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
counted AS (
  SELECT user_id, device, media
  FROM stays
  WHERE $members IS NULL
     OR EXISTS (SELECT 1 FROM members WHERE members.user_id = stays.user_id AND members."from" < ends AND members."to" > begins)
),
rows AS (
  SELECT unnest(CASE $by WHEN 'medium' THEN ['audio', 'video', 'screen']
                         ELSE ['desktop', 'web', 'mobile', 'tablet', 'room', 'phone', 'unknown'] END) AS means,
         unnest(range(7)) AS number
)
SELECT means, count(DISTINCT user_id) AS users, (SELECT count(DISTINCT user_id) FROM counted) AS "of"
FROM rows LEFT JOIN counted ON CASE $by WHEN 'medium' THEN list_contains(media, means) ELSE device = means END
WHERE means IS NOT NULL
GROUP BY means, number
ORDER BY number;
