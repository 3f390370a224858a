-- developer_days: parameters $from, $to (instants of one day, cut to the range; or of the range as one), $held (a list: the members and
-- guests whom the directory holds on the day, in the department where one is asked for), $departments (that department and, with its subtree, those below
-- it; null: no department is asked for). Users without facts have a row of zeros. A row's breakdowns are those of department_days.sql,
-- with user_id = the row's in place of the departments.
WITH facts AS (
  SELECT *, (kind = 'chat' AND (turns > 0 OR accepted > 0)) AS chat_use,
            (kind = 'completion' AND (suggested > 0 OR accepted > 0)) AS completion_use
  FROM assistance
  WHERE "at" >= $from AND "at" < $to
), users AS (
  SELECT unnest($held) AS user_id
  UNION
  SELECT user_id FROM facts WHERE $departments IS NULL OR list_has_any(department_ids, $departments)
)
SELECT user_id,
       coalesce(bool_or(chat_use), false)                                AS chat,
       coalesce(bool_or(completion_use), false)                          AS completion,
       max("at") FILTER (chat_use OR completion_use)                       AS last_use,
       coalesce(sum(turns) FILTER (kind = 'chat'), 0)                    AS turns,
       coalesce(sum(accepted) FILTER (kind = 'chat'), 0)                 AS turns_accepted,
       coalesce(sum(suggested) FILTER (kind = 'completion'), 0)          AS suggested,
       coalesce(sum(accepted) FILTER (kind = 'completion'), 0)           AS accepted,
       coalesce(sum(lines_accepted) FILTER (kind <> 'edit'), 0)          AS lines_accepted,
       coalesce(sum(lines_changed), 0)                                   AS lines_changed
FROM users LEFT JOIN facts USING (user_id)
GROUP BY user_id
ORDER BY user_id;
