"""The same assistance facts in ClickHouse, in process: load, bytes on disk, and the questions in SQL. Prints one JSON object.

Usage: clickhouse_assistance.py FACTS.ndjson ANCESTORS.csv DIRECTORY END REQUESTS

ANCESTORS has a line for each department and each department at or above it; END is in Unix seconds, a midnight of +08:00.
"""

import json
import statistics
import sys
import time

from chdb.session import Session

TABLE = """
CREATE TABLE assistance (
  user_id String, department_id LowCardinality(String), at DateTime64(3, 'UTC'), kind LowCardinality(String),
  chat_type LowCardinality(String), ide LowCardinality(String), language LowCardinality(String),
  turns UInt32, suggested UInt32, accepted UInt32, lines_accepted UInt32, lines_changed UInt32
) ENGINE = MergeTree ORDER BY at
"""

LOAD = """
INSERT INTO assistance SELECT * FROM file('{file}', 'JSONEachRow', $$user_id String, department_id String, at DateTime64(3, 'UTC'), kind String,
chat_type String, ide String, language String, turns UInt32, suggested UInt32, accepted UInt32, lines_accepted UInt32, lines_changed UInt32$$)
"""

DAY = "toUnixTimestamp(toStartOfDay(at, 'Asia/Shanghai'))"
WHEN = "at >= toDateTime64({start}, 3, 'UTC') AND at < toDateTime64({end}, 3, 'UTC')"
CHAT = "kind = 'chat' AND (turns > 0 OR accepted > 0)"
COMPLETION = "kind = 'completion' AND (suggested > 0 OR accepted > 0)"

# What a row of department usage holds: its totals, and its three breakdowns. `by` is what a row is, beside the day.
PARTS = {
    "totals": f"""uniqExactIf(user_id, {CHAT} OR {COMPLETION}), uniqExactIf(user_id, {CHAT}), uniqExactIf(user_id, {COMPLETION}),
        sumIf(turns, kind = 'chat'), sumIf(accepted, kind = 'chat'), sumIf(suggested, kind = 'completion'), sumIf(accepted, kind = 'completion'),
        sumIf(lines_accepted, kind != 'edit'), sum(lines_changed)""",
    "chatting": f"chat_type, ide, uniqExactIf(user_id, {CHAT}), sum(turns), sum(accepted)",
    "coding": "language, uniqExact(user_id), sumIf(lines_accepted, kind != 'edit'), sum(lines_changed)",
    "completion": f"language, ide, uniqExactIf(user_id, {COMPLETION}), sum(suggested), sum(accepted), sum(lines_accepted), sum(lines_changed)",
}
KEYS = {"totals": "", "chatting": ", chat_type, ide", "coding": ", language", "completion": ", language, ide"}
FILTERS = {"totals": "1", "chatting": "kind = 'chat'", "coding": "lines_accepted + lines_changed > 0", "completion": "kind = 'completion'"}


def main():
    file, ancestors, directory, end, requests = *sys.argv[1:4], *map(int, sys.argv[4:6])
    session = Session(directory)
    ask = lambda sql: json.loads(str(session.query(sql, "JSONCompact")) or '{"data":[]}')["data"]
    for setting in ("max_threads = 2", "max_insert_threads = 2", "date_time_input_format = 'best_effort'"):
        session.query(f"SET {setting}")
    session.query("CREATE DATABASE bench")
    session.query("USE bench")
    session.query(TABLE)
    began = time.perf_counter()
    session.query(LOAD.format(file=file))
    load = time.perf_counter() - began
    session.query("OPTIMIZE TABLE assistance FINAL")
    session.query("CREATE TABLE above (department_id LowCardinality(String), ancestor LowCardinality(String)) ENGINE = MergeTree ORDER BY department_id")
    session.query(f"INSERT INTO above SELECT * FROM file('{ancestors}', 'CSV', $$department_id String, ancestor String$$)")
    number = lambda sql: int(ask(sql)[0][0])
    found = {
        "facts": number("SELECT count() FROM assistance"),
        "load_seconds": load,
        "bytes": number("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'assistance'"),
    }

    def question(name, by, source, start, times):
        """All parts of all rows, and the median time they take together."""
        seconds = []
        for _ in range(times):
            began = time.perf_counter()
            found[name] = {
                part: ask(f"""SELECT {by}, {what} FROM {source} WHERE {WHEN.format(start=start, end=end)} AND {FILTERS[part]}
                              GROUP BY {by}{KEYS[part]} ORDER BY {by}{KEYS[part]}""")
                for part, what in PARTS.items()
            }
            seconds.append(time.perf_counter() - began)
        found[f"{name}_seconds"] = statistics.median(seconds)

    # The root covers every department: nothing to join, nothing to filter.
    question("root_quarter", DAY, "assistance", end - 90 * 86400, min(requests, 5))
    question("root_year", DAY, "assistance", end - 365 * 86400, min(requests, 5))
    question("one_day", "ancestor", "assistance JOIN above USING (department_id)", end - 86400, min(requests, 5))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
