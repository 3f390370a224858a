"""The same assistance facts in ClickHouse, in process: load, bytes on disk, and the questions in SQL. Prints one JSON object.

Usage: clickhouse_assistance.py DIRECTORY FACTS.ndjson COUNT ANCESTORS.csv ROOT END

ANCESTORS has a line for each department and each department at or above it; END is in Unix seconds, a midnight of +08:00. Beside the facts stands a
rollup made by hand: the finished rows of each department and day.
"""

import json
import sys

from clickhouse import ClickHouse

FEW = 3
TABLE = """
CREATE TABLE assistance (
  user_id LowCardinality(String) CODEC(ZSTD(1)), department_id LowCardinality(String) CODEC(ZSTD(1)),
  at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)), kind LowCardinality(String) CODEC(ZSTD(1)),
  chat_type LowCardinality(String) CODEC(ZSTD(1)), ide LowCardinality(String) CODEC(ZSTD(1)), language LowCardinality(String) CODEC(ZSTD(1)),
  turns UInt32 CODEC(T64, ZSTD(1)), suggested UInt32 CODEC(T64, ZSTD(1)), accepted UInt32 CODEC(T64, ZSTD(1)),
  lines_accepted UInt32 CODEC(T64, ZSTD(1)), lines_changed UInt32 CODEC(T64, ZSTD(1))
) ENGINE = MergeTree ORDER BY at
"""

LOAD = """
INSERT INTO assistance SELECT * FROM file('{file}', 'JSONEachRow', $$user_id String, department_id String, at DateTime64(3, 'UTC'), kind String,
chat_type String, ide String, language String, turns UInt32, suggested UInt32, accepted UInt32, lines_accepted UInt32, lines_changed UInt32$$)
"""

ABOVE = """
CREATE TABLE above (department_id LowCardinality(String), ancestor LowCardinality(String)) ENGINE = MergeTree ORDER BY department_id;
INSERT INTO above SELECT * FROM file('{ancestors}', 'CSV', $$department_id String, ancestor String$$)
"""

DAY = "toUnixTimestamp(toStartOfDay(at, 'Asia/Shanghai'))"
WHEN = "at >= toDateTime64({start}, 3, 'UTC') AND at < toDateTime64({end}, 3, 'UTC')"
CHAT = "kind = 'chat' AND (turns > 0 OR accepted > 0)"
COMPLETION = "kind = 'completion' AND (suggested > 0 OR accepted > 0)"

# What a row of department usage holds: its totals, and its three breakdowns.
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
    directory, file, count, ancestors, root = sys.argv[1:6]
    end = int(sys.argv[6])
    house = ClickHouse(directory)
    house.session.query(TABLE)
    house.load("assistance", int(count), LOAD.format(file=file))
    house.do(ABOVE.format(ancestors=ancestors))
    spans = {"root_quarter": (end - 90 * 86400, FEW), "root_year": (end - 365 * 86400, FEW), "one_day": (end - 86400, FEW)}

    def question(name, times, ask):
        """The time that all parts of all rows take together, and their rows."""
        total = 0
        for part in PARTS:
            house.time(f"{name}_{part}", [ask(part)] * times)
            total += house.found.pop(f"{name}_{part}_seconds")
            house.found.setdefault(name, {})[part] = house.found.pop(f"{name}_{part}")[0]
        house.found[f"{name}_seconds"] = total

    for name, (start, times) in spans.items():
        # The root covers every department: nothing to join, nothing to filter.
        by, source = ("ancestor", "assistance JOIN above USING (department_id)") if name == "one_day" else (DAY, "assistance")
        question(name, times, lambda part: f"""SELECT {by}, {PARTS[part]} FROM {source} WHERE {WHEN.format(start=start, end=end)} AND {FILTERS[part]}
                                              GROUP BY {by}{KEYS[part]} ORDER BY {by}{KEYS[part]}""")
    for part, what in PARTS.items():
        # A month at a time, so that a year's sets need not be in memory together.
        house.session.query(f"""CREATE TABLE {part} ENGINE = MergeTree ORDER BY (ancestor, day) AS
            SELECT {DAY} AS day, ancestor, {what} FROM assistance JOIN above USING (department_id) WHERE 0 GROUP BY day, ancestor{KEYS[part]}""")
        for month in range(13):
            start, until = end - 365 * 86400 + month * 30 * 86400, min(end, end - 365 * 86400 + (month + 1) * 30 * 86400)
            house.session.query(f"""INSERT INTO {part} SELECT {DAY} AS day, ancestor, {what} FROM assistance JOIN above USING (department_id)
                WHERE {WHEN.format(start=start, end=until)} AND {FILTERS[part]} GROUP BY day, ancestor{KEYS[part]}""")
        house.session.query(f"OPTIMIZE TABLE {part} FINAL")
    for name, (start, _) in spans.items():
        key, where = ("ancestor", "day = {}") if name == "one_day" else ("day", f"ancestor = '{root}' AND day >= {{}}")
        question(f"{name}_rollup", 20, lambda part: f"SELECT {key}, * EXCEPT (day, ancestor) FROM {part} WHERE {where.format(start)} ORDER BY {key}{KEYS[part]}")
    print(json.dumps(house.found))


if __name__ == "__main__":
    main()
