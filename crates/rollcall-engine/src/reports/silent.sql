-- silent: parameters $from, $to (instants), $members: when the directory has which members, in the department where one is asked for, as a
-- list of {user_id, from, to} with midnights of the organization's zone. Pages are parts of this.
WITH members AS (
  SELECT unnest(CAST($members AS STRUCT(user_id VARCHAR, "from" TIMESTAMPTZ, "to" TIMESTAMPTZ)[]), recursive := true)
)
SELECT DISTINCT user_id
FROM members
WHERE "from" < $to AND "to" > $from
  AND user_id NOT IN (
    SELECT user_id FROM attendance WHERE joined_at < $to AND greatest(left_at, joined_at + INTERVAL 1 MILLISECOND) > $from
  )
ORDER BY user_id;
