"""The same facts in ClickHouse, in process: load, bytes on disk, and the two questions in SQL. Prints one JSON object.

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
    print(json.dumps(found))


if __name__ == "__main__":
    main()
