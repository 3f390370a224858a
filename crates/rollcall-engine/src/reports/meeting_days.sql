-- meeting_days: parameters $from, $to (instants), $zone (IANA), $app and $unit (null: all).
-- Durations are in milliseconds. Days without meetings are not rows here; the report gives them zeros.
WITH meetings AS (
  SELECT app, session_id, session_started_at,
         epoch_ms(max(left_at)) - epoch_ms(min(joined_at)) AS duration,
         count(DISTINCT user_id)                           AS participants
  FROM attendance
  WHERE session_kind = 'meeting'
    AND session_started_at >= $from AND session_started_at < $to
    AND ($app IS NULL OR app = $app)
    AND ($unit IS NULL OR unit = $unit)
  GROUP BY app, session_id, session_started_at
)
SELECT CAST(timezone($zone, session_started_at) AS DATE) AS date,
       count(*)          AS meetings,
       sum(duration)     AS duration,
       sum(participants) AS participants
FROM meetings
GROUP BY 1
ORDER BY 1;
