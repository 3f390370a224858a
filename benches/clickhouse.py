"""The same attendances in ClickHouse, in process: load, bytes on disk, and the questions in SQL. Prints one JSON object.

Usage: clickhouse.py DIRECTORY QUESTIONS.json   (what the second holds: see `attendance.py`)

The table is as somebody would make it who knows ClickHouse well: dictionaries where values repeat, differences where they ascend, zstd, sorted by
what is asked for. Beside the facts stand rollups, each made by hand for one question and one zone.
"""

import json
import resource
import statistics
import sys
import time

from chdb.session import Session

DAY = 86_400
# Asked so often where all facts are read, which takes long enough to be measured by a few.
FEW = 3

TABLE = """
CREATE TABLE attendance (
  session_id String CODEC(ZSTD(1)),
  session_kind LowCardinality(String) CODEC(ZSTD(1)),
  session_started_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  user_id LowCardinality(String) CODEC(ZSTD(1)),
  user_kind LowCardinality(String) CODEC(ZSTD(1)),
  device LowCardinality(String) CODEC(ZSTD(1)),
  media Array(LowCardinality(String)) CODEC(ZSTD(1)),
  joined_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  left_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  country LowCardinality(String) CODEC(ZSTD(1)),
  subdivision LowCardinality(String) CODEC(ZSTD(1))
) ENGINE = MergeTree ORDER BY (session_started_at, session_id)
"""

COLUMNS = """session_id String, session_kind String, session_started_at DateTime64(3, 'UTC'), user_id String, user_kind String,
device String, media Array(String), joined_at DateTime64(3, 'UTC'), left_at DateTime64(3, 'UTC'), country String, subdivision String"""

LOAD = """
INSERT INTO attendance
SELECT session_id, session_kind = '' ? 'meeting' : session_kind, session_started_at, user_id, user_kind = '' ? 'member' : user_kind,
       device, empty(media) ? ['audio'] : media, joined_at, left_at, country, subdivision
FROM file('{files}', '{format}', $${columns}$$)
"""

MEETINGS = "session_kind = 'meeting' AND session_started_at >= toDateTime64({start}, 3, 'UTC') AND session_started_at < toDateTime64({end}, 3, 'UTC')"
LENGTH = "toUnixTimestamp64Milli(left_at) - toUnixTimestamp64Milli(joined_at)"

MEETING_DAYS = f"""
SELECT toUnixTimestamp(toStartOfDay(session_started_at, 'Asia/Shanghai')) AS day,
       count() AS meetings, sum(duration) AS duration, sum(participants) AS participants
FROM (
  SELECT session_started_at, uniqExact(user_id) AS participants,
         toUnixTimestamp64Milli(max(left_at)) - toUnixTimestamp64Milli(min(joined_at)) AS duration
  FROM attendance WHERE {MEETINGS} GROUP BY session_id, session_started_at
)
GROUP BY day ORDER BY day
"""

TOP_USERS = f"""
SELECT user_id, uniqExact(session_id, session_started_at) AS meetings, sum({LENGTH}) AS duration
FROM attendance WHERE {MEETINGS} GROUP BY user_id ORDER BY meetings DESC, duration DESC, user_id LIMIT 100
"""

# Days of +08:00; a meeting lies in one, so what its days and users have adds up.
MEETING_ROLLUP = f"""
CREATE TABLE meeting_days (day UInt32, meetings UInt64, duration Int64, participants UInt64) ENGINE = MergeTree ORDER BY day;
INSERT INTO meeting_days {MEETING_DAYS};
OPTIMIZE TABLE meeting_days FINAL;
CREATE TABLE user_days (day UInt32, user_id LowCardinality(String), meetings UInt32, duration Int64) ENGINE = MergeTree ORDER BY day;
INSERT INTO user_days
SELECT toUnixTimestamp(toStartOfDay(session_started_at, 'Asia/Shanghai')) AS day, user_id, uniqExact(session_id, session_started_at), sum({LENGTH})
FROM attendance WHERE {MEETINGS} GROUP BY day, user_id;
OPTIMIZE TABLE user_days FINAL
"""

MEETING_DAYS_ROLLED_UP = "SELECT day, meetings, duration, participants FROM meeting_days WHERE day >= {start} AND day < {end} ORDER BY day"
TOP_USERS_ROLLED_UP = """
SELECT user_id, sum(meetings) AS all_meetings, sum(duration) AS all_duration FROM user_days WHERE day >= {start} AND day < {end}
GROUP BY user_id ORDER BY all_meetings DESC, all_duration DESC, user_id LIMIT 100
"""

# Active users: members at a computer, by every day, week (from Sunday, counted from the one that holds 1970-01-01) or year that a stay overlaps, in a
# zone of so many seconds. A stay of no length counts at its instant.
STAYS = """
SELECT user_id, toUnixTimestamp64Milli(joined_at) + {offset} * 1000 AS first,
       greatest(first, toUnixTimestamp64Milli(left_at) + {offset} * 1000 - 1) AS last
FROM attendance WHERE user_kind = 'member' AND device IN ('desktop', 'web')
"""

PERIODS = {
    "daily": "intDiv({millis}, 86400000)",
    "weekly": "intDiv({millis} + 345600000, 604800000)",
    "yearly": "toYear(toDateTime(intDiv({millis}, 1000), 'UTC'))",
}

ACTIVE_USERS = """
SELECT period, uniqExact(user_id) AS users
FROM (SELECT user_id, arrayJoin(range(toUInt32({first}), toUInt32({last}) + 1)) AS period FROM ({stays}))
GROUP BY period ORDER BY period
"""

# Exact sets of users by hour of UTC. Hours serve every zone that is whole hours away.
ACTIVE_ROLLUP = f"""
CREATE TABLE users (user_id String, number UInt32) ENGINE = MergeTree ORDER BY user_id;
INSERT INTO users SELECT user_id, row_number() OVER () FROM (SELECT DISTINCT user_id FROM attendance);
CREATE TABLE computer_members (hour UInt32, users AggregateFunction(groupBitmap, UInt32)) ENGINE = AggregatingMergeTree ORDER BY hour;
INSERT INTO computer_members
SELECT hour, groupBitmapState(number)
FROM (SELECT user_id, arrayJoin(range(toUInt32(intDiv(first, 3600000)), toUInt32(intDiv(last, 3600000)) + 1)) AS hour FROM ({STAYS.format(offset=0)})) AS stays
JOIN users USING (user_id) GROUP BY hour;
OPTIMIZE TABLE computer_members FINAL
"""

ACTIVE_ROLLED_UP = "SELECT {period} AS period, groupBitmapMerge(users) FROM computer_members GROUP BY period ORDER BY period"
AHEAD_OF_HOUR = "((toInt64(hour) + 8) * 3600000)"

# Users by subdivision of China, over the range as one. The total of an answer, which shares need, is not asked: the easier question.
# Hong Kong, Macau and Taiwan are written as countries.
PROVINCE = "if(country IN ('HK', 'MO', 'TW'), concat('CN-', country), toString(subdivision))"

BY_PROVINCE = f"""
SELECT {PROVINCE} AS province, uniqExact(user_id) FROM attendance
WHERE session_started_at < toDateTime64({{end}} + 86400, 3, 'UTC') AND session_started_at >= toDateTime64({{start}} - 16 * 86400, 3, 'UTC')
  AND joined_at < toDateTime64({{end}}, 3, 'UTC') AND joined_at >= toDateTime64({{start}} - 8 * 86400, 3, 'UTC')
  AND (left_at > toDateTime64({{start}}, 3, 'UTC') OR left_at = joined_at AND joined_at >= toDateTime64({{start}}, 3, 'UTC'))
  AND startsWith(province, 'CN-')
GROUP BY province
"""

# Exact sets of users by day of +08:00 and subdivision.
PROVINCE_ROLLUP = f"""
CREATE TABLE province_days (day UInt32, province LowCardinality(String), users AggregateFunction(groupBitmap, UInt32))
ENGINE = AggregatingMergeTree ORDER BY (day, province);
INSERT INTO province_days
SELECT day, province, groupBitmapState(number)
FROM (
  SELECT user_id, {PROVINCE} AS province, toUnixTimestamp64Milli(joined_at) + 28800000 AS first,
         greatest(first, toUnixTimestamp64Milli(left_at) + 28800000 - 1) AS last,
         arrayJoin(range(toUInt32(intDiv(first, 86400000)), toUInt32(intDiv(last, 86400000)) + 1)) AS day
  FROM attendance WHERE session_started_at >= toDateTime64({{start}}, 3, 'UTC') AND startsWith(province, 'CN-')
) AS stays
JOIN users USING (user_id) GROUP BY day, province;
OPTIMIZE TABLE province_days FINAL
"""

PROVINCE_ROLLED_UP = "SELECT province, groupBitmapMerge(users) FROM province_days WHERE day >= {first} AND day < {last} GROUP BY province"


def peak():
    """The most memory this process has held, in bytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class ClickHouse:
    """An open session, and how long its answers took."""

    def __init__(self, directory):
        self.session, self.found = Session(directory), {}
        for statement in ("SET max_threads = 2", "SET max_insert_threads = 2", "SET date_time_input_format = 'best_effort'", "CREATE DATABASE bench", "USE bench"):
            self.session.query(statement)

    def ask(self, sql):
        return json.loads(str(self.session.query(sql, "JSONCompact")) or '{"data":[]}')["data"]

    def number(self, sql):
        return int(self.ask(sql)[0][0])

    def do(self, statements):
        for statement in statements.split(";"):
            self.session.query(statement)

    def load(self, table, count, statement):
        """Loads, then merges all to one part, as after a quiet while: the best case for size and for questions. That is not timed."""
        began, used = time.perf_counter(), cpu()
        self.session.query(statement)
        self.found |= {"load_seconds": time.perf_counter() - began, "load_cpu": cpu() - used, "load_peak": peak()}
        self.session.query(f"OPTIMIZE TABLE {table} FINAL")
        if self.number(f"SELECT count() FROM {table}") != count:
            sys.exit(f"ClickHouse has another number of facts than {count}")
        self.found["bytes"] = self.bytes(table)
        # What any query costs, however little it asks.
        self.time("floor", ["SELECT 1"] * 50)

    def bytes(self, table):
        return self.number(f"SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = '{table}'")

    def time(self, name, queries):
        """The median of the seconds that some queries took, and their answers."""
        seconds, answers = [], []
        for sql in queries:
            began = time.perf_counter()
            answers.append(self.ask(sql))
            seconds.append(time.perf_counter() - began)
        self.found[f"{name}_seconds"], self.found[name] = statistics.median(seconds), answers


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        asked = json.load(file)
    house = ClickHouse(sys.argv[1])
    house.session.query(TABLE)
    house.load("attendance", asked["count"], LOAD.format(files=asked["files"], format=asked["format"], columns=COLUMNS))
    end = asked["end"]
    # Rollups reach as far back as they are asked for; those of active users over all.
    house.do(MEETING_ROLLUP.format(start=min(start for start, _ in asked["quarters"]), end=end))
    house.do(ACTIVE_ROLLUP)
    house.do(PROVINCE_ROLLUP.format(start=end - 400 * DAY))
    for name, facts, rollup in (("meeting_days", MEETING_DAYS, MEETING_DAYS_ROLLED_UP), ("top_users", TOP_USERS, TOP_USERS_ROLLED_UP)):
        for asking, sql, ranges in (("", facts, asked["quarters"][:10]), ("_rollup", rollup, asked["quarters"]), ("_ragged", facts, asked["ragged"][:10])):
            house.time(name + asking, [sql.format(start=begin, end=until) for begin, until in ranges])
    for period, of in PERIODS.items():
        for zone, offset in asked["zones"].items():
            sql = ACTIVE_USERS.format(first=of.format(millis="first"), last=of.format(millis="last"), stays=STAYS.format(offset=offset))
            house.time(f"{period}_{zone}", [sql] * FEW)
        house.time(f"{period}_rollup", [ACTIVE_ROLLED_UP.format(period=of.format(millis=AHEAD_OF_HOUR))] * 20)
    for name, ranges in asked["places"].items():
        house.time(name, [BY_PROVINCE.format(start=begin, end=until) for begin, until in ranges["ragged"][:10]])
        days = [((begin + 28_800) // DAY, (until + 28_800) // DAY) for begin, until in ranges["days"]]
        house.time(f"{name}_rollup", [PROVINCE_ROLLED_UP.format(first=first, last=last) for first, last in days])
    house.found["rollup_bytes"] = sum(house.bytes(table) for table in ("meeting_days", "user_days", "users", "computer_members", "province_days"))
    print(json.dumps(house.found))


if __name__ == "__main__":
    main()
