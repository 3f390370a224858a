-- person: parameters $user, $from, $to (instants of the range; of a week, cut to the range), $zone (IANA). Times are in milliseconds: what
-- of the stays lies in the range. "first" and "last" are of whole stays. The use of the assistant is that of developer_days.sql.
WITH stays AS (
  SELECT *, greatest(joined_at, $from) AS begins, least(greatest(left_at, joined_at + INTERVAL 1 MILLISECOND), $to) AS ends
  FROM attendance
  WHERE user_id = $user AND joined_at < $to AND greatest(left_at, joined_at + INTERVAL 1 MILLISECOND) > $from
),
days AS (
  SELECT DISTINCT unnest(generate_series(date_trunc('day', timezone($zone, begins)), timezone($zone, ends - INTERVAL 1 MILLISECOND),
                                         INTERVAL 1 DAY)) AS day
  FROM stays
)
SELECT min(joined_at) AS "first", max(left_at) AS "last", (SELECT count(*) FROM days) AS days,
       count(DISTINCT (app, session_id, session_started_at, session_kind)) AS sessions,
       coalesce(sum(epoch_ms(least(left_at, $to)) - epoch_ms(begins)), 0) AS time
FROM stays;

-- By place, as facts have it.
SELECT coalesce(subdivision, country) AS place, sum(epoch_ms(least(left_at, $to)) - epoch_ms(greatest(joined_at, $from))) AS time
FROM attendance
WHERE user_id = $user AND joined_at < $to AND greatest(left_at, joined_at + INTERVAL 1 MILLISECOND) > $from
GROUP BY 1
ORDER BY time DESC, place NULLS FIRST;

-- By device.
SELECT device, sum(epoch_ms(least(left_at, $to)) - epoch_ms(greatest(joined_at, $from))) AS time
FROM attendance
WHERE user_id = $user AND joined_at < $to AND greatest(left_at, joined_at + INTERVAL 1 MILLISECOND) > $from
GROUP BY 1
ORDER BY time DESC, list_position(['desktop', 'web', 'mobile', 'tablet', 'room', 'phone', 'unknown'], device);
