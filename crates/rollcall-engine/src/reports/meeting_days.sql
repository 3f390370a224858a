-- meeting_days: parameters $from, $to (instants), $by ('day', 'week', 'month', 'quarter', 'year' or 'whole'), $zone (IANA), $week_start
-- (0: weeks begin on Monday, to 6: on Sunday), $app and $unit (null: all).
-- Durations are in milliseconds. Periods without meetings are not rows here; the report gives them zeros.
WITH stays AS (
  SELECT *, CAST(timezone($zone, CASE $by WHEN 'whole' THEN $from ELSE session_started_at END) AS DATE) AS day,
         CASE $by WHEN 'week' THEN day - CAST((isodow(day) + 6 - $week_start) % 7 AS INTEGER)
                  ELSE CAST(date_trunc(CASE $by WHEN 'whole' THEN 'day' ELSE $by END, day) AS DATE) END AS date
  FROM attendance
  WHERE session_kind = 'meeting'
    AND session_started_at >= $from AND session_started_at < $to
    AND ($app IS NULL OR app = $app)
    AND ($unit IS NULL OR unit = $unit)
),
meetings AS (
  SELECT date, epoch_ms(max(left_at)) - epoch_ms(min(joined_at)) AS duration, count(DISTINCT user_id) AS participants
  FROM stays
  GROUP BY date, app, session_id, session_started_at
),
people AS (
  SELECT date, count(DISTINCT user_id) AS people FROM stays GROUP BY date
)
SELECT date, count(*) AS meetings, sum(duration) AS duration, sum(participants) AS participants, any_value(people) AS people
FROM meetings JOIN people USING (date)
GROUP BY date
ORDER BY date;
