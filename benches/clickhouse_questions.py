"""The questions of `questions.py` in ClickHouse, in process, on the same attendances. Prints one JSON object.

Usage: clickhouse_questions.py DIRECTORY QUESTIONS.json   (what the second holds: see `questions.py`)
"""

import json
import sys

from clickhouse import COLUMNS, LENGTH, LOAD, TABLE, ClickHouse

# Each user with each department at or above those of the directory, which does not change here.
ABOVE = """
CREATE TABLE above (user_id String, department LowCardinality(String)) ENGINE = MergeTree ORDER BY user_id;
INSERT INTO above SELECT DISTINCT * FROM file('{above}', 'CSV', $$user_id String, department String$$)
"""

AT = "toDateTime64({}, 3, 'UTC')"
START, END = AT.format("{start}"), AT.format("{end}")
# Stays that overlap a range; a session may begin a day after its first join, and 16 days before its last leave.
OVERLAP = f"""session_started_at < {AT.format('{end} + 86400')} AND session_started_at >= {AT.format('{start} - 16 * 86400')}
  AND joined_at < {END} AND joined_at >= {AT.format('{start} - 8 * 86400')} AND (left_at > {START} OR left_at = joined_at AND joined_at >= {START})"""
WITHIN = f"toUnixTimestamp64Milli(least(left_at, {END})) - toUnixTimestamp64Milli(greatest(joined_at, {START}))"
STARTED = f"session_started_at >= {START} AND session_started_at < {END}"
MILLIS = "toUnixTimestamp64Milli({})"

SESSIONS = f"""
SELECT {MILLIS.format('session_started_at')} AS started, session_id, uniqExact(user_id), count(), sum({LENGTH})
FROM attendance WHERE {STARTED} {{only}} GROUP BY session_started_at, session_id ORDER BY session_started_at, session_id LIMIT 100
"""
ONLY = f"AND (session_started_at, session_id) IN (SELECT session_started_at, session_id FROM attendance WHERE {STARTED} AND {{whose}})"

# The number of stays, and of sessions with somebody in them, after each change; days of +08:00 begin with what the day before left.
CONCURRENCY = f"""
WITH changes AS (
  SELECT started, session_id, at, sum(change) AS change
  FROM (
    SELECT {MILLIS.format('session_started_at')} AS started, session_id, greatest({MILLIS.format('joined_at')}, toInt64({{start}} * 1000)) AS at, 1 AS change
    FROM attendance WHERE {OVERLAP} AND joined_at < left_at
    UNION ALL
    SELECT {MILLIS.format('session_started_at')} AS started, session_id, {MILLIS.format('left_at')} AS at, -1 AS change
    FROM attendance WHERE {OVERLAP} AND joined_at < left_at
  )
  GROUP BY started, session_id, at
),
counted AS (
  SELECT at, change, sum(change) OVER (PARTITION BY started, session_id ORDER BY at) AS after FROM changes
),
both AS (
  SELECT at, sum(change) AS stays, sum(toInt64(after > 0) - toInt64(after - change > 0)) AS sessions FROM counted GROUP BY at
  UNION ALL SELECT toInt64({{start}} * 1000 + number * 86400000), 0, 0 FROM numbers({{days}})
),
at_once AS (
  SELECT at, sum(sum(stays)) OVER (ORDER BY at) AS all_stays, sum(sum(sessions)) OVER (ORDER BY at) AS all_sessions FROM both GROUP BY at
)
SELECT intDiv(at + 28800000, 86400000) AS day, max(all_stays), max(all_sessions) FROM at_once WHERE at < {{end}} * 1000 GROUP BY day ORDER BY day
"""

HOURS = f"""
SELECT toDayOfWeek(toDateTime(hour * 3600, 'Asia/Shanghai')) AS weekday, toHour(toDateTime(hour * 3600, 'Asia/Shanghai')) AS clock, sum(users)
FROM (
  SELECT arrayJoin(range(toUInt32(intDiv(greatest({MILLIS.format('joined_at')}, {{start}} * 1000), 3600000)),
                         toUInt32(intDiv(least(greatest({MILLIS.format('left_at')} - 1, {MILLIS.format('joined_at')}), {{end}} * 1000 - 1), 3600000)) + 1)) AS hour,
         uniqExact(user_id) AS users
  FROM attendance WHERE {OVERLAP} GROUP BY hour
)
GROUP BY weekday, clock ORDER BY weekday, clock
"""

SQL = {
    "departments": f"""SELECT department, count() FROM above WHERE user_id IN (SELECT user_id FROM attendance WHERE {OVERLAP})
        GROUP BY department ORDER BY department""",
    "people": f"""SELECT user_id, uniqExact(session_started_at, session_id), sum({WITHIN}) AS time FROM attendance WHERE {OVERLAP}
        GROUP BY user_id ORDER BY time DESC, user_id LIMIT 100 OFFSET {{offset}}""",
    "sessions": SESSIONS.replace("{only}", ""),
    "sessions_of_user": SESSIONS.replace("{only}", ONLY.replace("{whose}", "user_id = '{user}'")),
    "sessions_of_department": SESSIONS.replace(
        "{only}", ONLY.replace("{whose}", "user_id IN (SELECT user_id FROM above WHERE department = '{department}')")),
    "session": f"""SELECT user_id, {MILLIS.format('joined_at')} AS joined, {MILLIS.format('left_at')} AS gone FROM attendance
        WHERE session_started_at = fromUnixTimestamp64Milli({{started}}, 'UTC') AND session_id = '{{session}}' ORDER BY joined, gone, user_id LIMIT 100""",
    "concurrency": CONCURRENCY,
    "week_hours": HOURS,
    "media": f"""SELECT uniqExactIf(user_id, has(media, 'audio')), uniqExactIf(user_id, has(media, 'video')), uniqExactIf(user_id, has(media, 'screen'))
        FROM attendance WHERE {OVERLAP}""",
    "meeting_months": f"""SELECT toString(toStartOfMonth(session_started_at, 'Asia/Shanghai')) AS month, uniqExact(session_started_at, session_id),
        uniqExact(user_id) FROM attendance WHERE session_kind = 'meeting' AND {STARTED} GROUP BY month ORDER BY month""",
    "silent": f"""SELECT DISTINCT user_id FROM file('{{members}}', 'CSV', $$user_id String$$)
        WHERE user_id NOT IN (SELECT user_id FROM attendance WHERE {OVERLAP}) ORDER BY user_id LIMIT 100""",
    "person": f"""SELECT uniqExact(session_started_at, session_id), sum({WITHIN}) FROM attendance WHERE {OVERLAP} AND user_id = '{{user}}'""",
}


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        asked = json.load(file)
    house = ClickHouse(sys.argv[1])
    house.session.query(TABLE)
    house.load("attendance", asked["count"], LOAD.format(files=asked["files"], format=asked["format"], columns=COLUMNS))
    house.do(ABOVE.format(above=asked["above"]))
    for name, spans in asked["questions"].items():
        house.time(name, [SQL[name].format(**span) for span in spans])
    print(json.dumps(house.found))


if __name__ == "__main__":
    main()
