"""The same facts in ClickHouse, in process: load, bytes on disk, and the questions in SQL. Prints one JSON object.

Usage: clickhouse.py FACTS.ndjson DIRECTORY FROM TO REQUESTS   (FROM and TO in Unix seconds)
"""

import json
import statistics
import sys
import time

from chdb.session import Session

TABLE = """
CREATE TABLE attendance (
  session_id String, session_kind LowCardinality(String), session_started_at DateTime64(3, 'UTC'),
  user_id String, user_kind LowCardinality(String), device LowCardinality(String), media Array(LowCardinality(String)),
  joined_at DateTime64(3, 'UTC'), left_at DateTime64(3, 'UTC'),
  country LowCardinality(String), subdivision LowCardinality(String)
) ENGINE = MergeTree ORDER BY session_started_at
"""

COLUMNS = """session_id String, session_kind String, session_started_at DateTime64(3, 'UTC'), user_id String, user_kind String,
device String, media Array(String), joined_at DateTime64(3, 'UTC'), left_at DateTime64(3, 'UTC'), country String, subdivision String"""

LOAD = """
INSERT INTO attendance
SELECT session_id, session_kind = '' ? 'meeting' : session_kind, session_started_at, user_id, user_kind = '' ? 'member' : user_kind,
       device, empty(media) ? ['audio'] : media, joined_at, left_at, country, subdivision
FROM file('{file}', 'JSONEachRow', $${columns}$$)
"""

MEETING_DAYS = """
SELECT toUnixTimestamp(toStartOfDay(session_started_at, 'Asia/Shanghai')) AS day,
       count() AS meetings, sum(duration) AS duration, sum(participants) AS participants
FROM (
  SELECT session_started_at, uniqExact(user_id) AS participants,
         toUnixTimestamp64Milli(max(left_at)) - toUnixTimestamp64Milli(min(joined_at)) AS duration
  FROM attendance
  WHERE session_kind = 'meeting' AND session_started_at >= toDateTime64({start}, 3, 'UTC') AND session_started_at < toDateTime64({end}, 3, 'UTC')
  GROUP BY session_id, session_started_at
)
GROUP BY day ORDER BY day
"""

TOP_USERS = """
SELECT user_id, uniqExact(session_id, session_started_at) AS meetings,
       sum(toUnixTimestamp64Milli(left_at) - toUnixTimestamp64Milli(joined_at)) AS duration
FROM attendance
WHERE session_kind = 'meeting' AND session_started_at >= toDateTime64({start}, 3, 'UTC') AND session_started_at < toDateTime64({end}, 3, 'UTC')
GROUP BY user_id ORDER BY meetings DESC, duration DESC, user_id LIMIT 100
"""

# Active users: members at a computer, by every week (from Sunday, counted from the one that holds 1970-01-01) or year that a stay overlaps, in a zone
# of so many seconds. A stay of no length counts at its instant.
STAYS = """
SELECT user_id, toUnixTimestamp64Milli(joined_at) + {offset} * 1000 AS first,
       greatest(first, toUnixTimestamp64Milli(left_at) + {offset} * 1000 - 1) AS last
FROM attendance WHERE user_kind = 'member' AND device IN ('desktop', 'web')
"""

PERIODS = {
    "weekly": "intDiv({millis} + 345600000, 604800000)",
    "yearly": "toYear(toDateTime(intDiv({millis}, 1000), 'UTC'))",
}

ACTIVE_USERS = """
SELECT period, uniqExact(user_id) AS users
FROM (SELECT user_id, arrayJoin(range(toUInt32({first}), toUInt32({last}) + 1)) AS period FROM ({stays}))
GROUP BY period ORDER BY period
"""

# By hand, and for this one question: exact sets of users by hour of UTC. Hours serve every zone that is whole hours away.
ROLLUP = """
CREATE TABLE users (user_id String, number UInt32) ENGINE = MergeTree ORDER BY user_id;
INSERT INTO users SELECT user_id, row_number() OVER () FROM (SELECT DISTINCT user_id FROM attendance);
CREATE TABLE computer_members (hour UInt32, users AggregateFunction(groupBitmap, UInt32)) ENGINE = AggregatingMergeTree ORDER BY hour;
INSERT INTO computer_members
SELECT hour, groupBitmapState(number)
FROM (SELECT user_id, arrayJoin(range(toUInt32(intDiv(first, 3600000)), toUInt32(intDiv(last, 3600000)) + 1)) AS hour FROM ({stays})) AS stays
JOIN users USING (user_id) GROUP BY hour;
OPTIMIZE TABLE computer_members FINAL
"""

ROLLED_UP = "SELECT {period} AS period, groupBitmapMerge(users) FROM computer_members GROUP BY period ORDER BY period"

# Users by subdivision of China, over the range as one. The total of an answer, which shares need, is not asked: the easier question.
# Hong Kong, Macau and Taiwan are written as countries.
PROVINCE = "if(country IN ('HK', 'MO', 'TW'), concat('CN-', country), toString(subdivision))"

BY_PROVINCE = f"""
SELECT {PROVINCE} AS province, uniqExact(user_id) FROM attendance
WHERE joined_at < toDateTime64({{end}}, 3, 'UTC') AND joined_at >= toDateTime64({{start}} - 8 * 86400, 3, 'UTC')
  AND (left_at > toDateTime64({{start}}, 3, 'UTC') OR left_at = joined_at AND joined_at >= toDateTime64({{start}}, 3, 'UTC'))
  AND startsWith(province, 'CN-')
GROUP BY province
"""

# By hand, and for this one question: exact sets of users by day of +08:00 and subdivision.
PROVINCE_ROLLUP = f"""
CREATE TABLE province_days (day UInt32, province LowCardinality(String), users AggregateFunction(groupBitmap, UInt32))
ENGINE = AggregatingMergeTree ORDER BY (day, province);
INSERT INTO province_days
SELECT day, province, groupBitmapState(number)
FROM (
  SELECT user_id, {PROVINCE} AS province, toUnixTimestamp64Milli(joined_at) + 28800000 AS first,
         greatest(first, toUnixTimestamp64Milli(left_at) + 28800000 - 1) AS last,
         arrayJoin(range(toUInt32(intDiv(first, 86400000)), toUInt32(intDiv(last, 86400000)) + 1)) AS day
  FROM attendance WHERE startsWith(province, 'CN-')
) AS stays
JOIN users USING (user_id) GROUP BY day, province;
OPTIMIZE TABLE province_days FINAL
"""

PROVINCE_ROLLED_UP = "SELECT province, groupBitmapMerge(users) FROM province_days WHERE day >= {first} AND day < {last} GROUP BY province"


def by_province(session, ask, end, requests):
    """Users by province over 7 days and over a year: medians and answers, from the facts and from the rollup."""
    found = {}
    for statement in PROVINCE_ROLLUP.split(";"):
        session.query(statement)
    for length, days in (("week", 7), ("year", 365)):
        first, last = ((end + 8 * 3600) // 86400 - days, (end + 8 * 3600) // 86400)
        facts = BY_PROVINCE.format(start=end - days * 86400, end=end)
        for name, sql, times in (("", facts, min(requests, 10)), ("_rollup", PROVINCE_ROLLED_UP.format(first=first, last=last), requests)):
            seconds = []
            for _ in range(times):
                began = time.perf_counter()
                found[f"{length}_by_province{name}"] = ask(sql)
                seconds.append(time.perf_counter() - began)
            found[f"{length}_by_province{name}_seconds"] = statistics.median(seconds)
    return found


def active_users(session, ask, requests):
    """Weekly and yearly active users of the whole year: medians and answers, from the facts and from the rollup."""
    found = {}

    def time_of(name, sql, times):
        seconds = []
        for _ in range(times):
            began = time.perf_counter()
            found[name] = ask(sql)
            seconds.append(time.perf_counter() - began)
        found[f"{name}_seconds"] = statistics.median(seconds)

    for period, of in PERIODS.items():
        for zone, offset in (("ahead", 8 * 3600), ("new", 5 * 3600 + 45 * 60)):
            sql = ACTIVE_USERS.format(first=of.format(millis="first"), last=of.format(millis="last"), stays=STAYS.format(offset=offset))
            # Reading all facts takes long enough to be measured by a few.
            time_of(f"{period}_{zone}", sql, min(requests, 10))
    for statement in ROLLUP.format(stays=STAYS.format(offset=0)).split(";"):
        session.query(statement)
    for period, of in PERIODS.items():
        time_of(f"{period}_rollup", ROLLED_UP.format(period=of.format(millis="((toInt64(hour) + 8) * 3600000)")), requests)
    return found


def peak_bytes():
    """The most memory this process has held, in bytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def main():
    file, directory, start, end, requests = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    session = Session(directory)
    ask = lambda sql: json.loads(str(session.query(sql, "JSONCompact")) or '{"data":[]}')["data"]
    for setting in ("max_threads = 2", "max_insert_threads = 2", "date_time_input_format = 'best_effort'"):
        session.query(f"SET {setting}")
    session.query("CREATE DATABASE bench")
    session.query("USE bench")
    session.query(TABLE)
    began = time.perf_counter()
    session.query(LOAD.format(file=file, columns=COLUMNS))
    load = time.perf_counter() - began
    load_peak = peak_bytes()
    # One part, as after a quiet while: the best case for size and for questions. Not timed.
    session.query("OPTIMIZE TABLE attendance FINAL")
    number = lambda sql: int(ask(sql)[0][0])
    found = {
        "facts": number("SELECT count() FROM attendance"),
        "load_seconds": load,
        "load_peak_bytes": load_peak,
        "bytes": number("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'attendance'"),
    }
    for name, sql in (("meeting_days", MEETING_DAYS), ("top_users", TOP_USERS)):
        seconds, rows = [], []
        for request in range(requests):
            began = time.perf_counter()
            rows = ask(sql.format(start=start + request, end=end))
            seconds.append(time.perf_counter() - began)
            if request == 0:
                found[f"{name}_first"] = rows
        found[f"{name}_seconds"] = statistics.median(seconds)
        found[f"{name}_last"] = rows
    found |= active_users(session, ask, requests)
    found |= by_province(session, ask, end, requests)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
