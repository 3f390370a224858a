-- session: parameters $app, $session_id, $started_at (an instant). Pages are parts of this.
SELECT user_id, user_kind, device, media, joined_at, left_at, epoch_ms(left_at) - epoch_ms(joined_at) AS time,
       coalesce(subdivision, country) AS place, unit
FROM attendance
WHERE app = $app AND session_id = $session_id AND session_started_at = $started_at
ORDER BY joined_at, left_at, user_id;
