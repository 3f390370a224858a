-- department_days: parameters $from, $to (instants of one day, cut to the range; or of the range as one), $departments (a list: the
-- department of the row, and with its subtree those below it by the tree of the day). One row; a report of many is this for each.
-- A range as one whose tree changes takes the facts of each day by the tree of that day.
WITH facts AS (
  SELECT *, (kind = 'chat' AND (turns > 0 OR accepted > 0)) AS chat_use,
            (kind = 'completion' AND (suggested > 0 OR accepted > 0)) AS completion_use
  FROM assistance
  WHERE "at" >= $from AND "at" < $to AND list_has_any(department_ids, $departments)
)
SELECT count(DISTINCT user_id) FILTER (chat_use OR completion_use)       AS developers,
       count(DISTINCT user_id) FILTER (chat_use)                         AS chat_developers,
       count(DISTINCT user_id) FILTER (completion_use)                   AS completion_developers,
       max("at") FILTER (chat_use OR completion_use)                       AS last_use,
       coalesce(sum(turns) FILTER (kind = 'chat'), 0)                    AS turns,
       coalesce(sum(accepted) FILTER (kind = 'chat'), 0)                 AS turns_accepted,
       coalesce(sum(suggested) FILTER (kind = 'completion'), 0)          AS suggested,
       coalesce(sum(accepted) FILTER (kind = 'completion'), 0)           AS accepted,
       coalesce(sum(lines_accepted) FILTER (kind <> 'edit'), 0)          AS lines_accepted,
       coalesce(sum(lines_changed), 0)                                   AS lines_changed
FROM facts;

-- The breakdowns: chatting, coding, completion.
SELECT chat_type, coalesce(ide, '') AS ide, count(DISTINCT user_id) FILTER (turns > 0 OR accepted > 0) AS developers,
       sum(turns) AS turns, sum(accepted) AS accepted
FROM assistance
WHERE "at" >= $from AND "at" < $to AND list_has_any(department_ids, $departments) AND kind = 'chat'
GROUP BY 1, 2
ORDER BY 1, 2;

SELECT coalesce(language, '') AS language, count(DISTINCT user_id) AS developers,
       coalesce(sum(lines_accepted) FILTER (kind <> 'edit'), 0) AS lines_accepted, sum(lines_changed) AS lines_changed
FROM assistance
WHERE "at" >= $from AND "at" < $to AND list_has_any(department_ids, $departments) AND (lines_accepted > 0 OR lines_changed > 0)
GROUP BY 1
ORDER BY 1;

SELECT coalesce(language, '') AS language, coalesce(ide, '') AS ide,
       count(DISTINCT user_id) FILTER (suggested > 0 OR accepted > 0) AS developers,
       sum(suggested) AS suggested, sum(accepted) AS accepted, sum(lines_accepted) AS lines_accepted, sum(lines_changed) AS lines_changed
FROM assistance
WHERE "at" >= $from AND "at" < $to AND list_has_any(department_ids, $departments) AND kind = 'completion'
GROUP BY 1, 2
ORDER BY 1, 2;
