"""Assistances: department usage over Yunxiao's API, beside ClickHouse on the same facts."""

import csv
import datetime
import json
import statistics
import sys

import asked
import table
from asked import Asker
from server import Server
from work import DAY, WORK, others, run, say

USERS, DAYS = 20_000, 366
TOTALS = ["activeDeveloper", "activeDeveloperChat", "activeDeveloperCompletion", "totalChatTurns", "totalChatTurnsAccepted",
          "totalCountSuggestedCompletion", "totalCountAcceptedCompletion", "totalLinesAccepted", "totalLinesChanged"]
BREAKDOWNS = {
    "chatting": ["chatType", "ide", "activeDeveloper", "chatTurns", "chatTurnsAccepted"],
    "coding": ["language", "activeDeveloper", "linesAccepted", "linesChanged"],
    "completion": ["language", "ide", "activeDeveloper", "countSuggested", "countAccepted", "linesAccepted", "linesChanged"],
}
SPANS = {"root_quarter": 90, "root_year": 365, "one_day": 1}


class Assistances:
    """So many assistances of developers over a year, with the directory that knows their departments."""

    def __init__(self, program, count, users=USERS):
        today = datetime.datetime.now(asked.AHEAD).replace(hour=0, minute=0, second=0, microsecond=0)
        # The day that is over last: today would be live on one side only.
        self.count, self.end = count, int(today.timestamp())
        name = f"assistance-{count}-{users}-{today:%Y%m%d}"
        self.file, directory = (WORK / f"{name}{suffix}" for suffix in (".ndjson", ".directory.json"))
        if not self.file.exists():
            say(f"making {count:,} assistance facts")
            part = self.file.with_suffix(".part")
            run(program, "demo", "--facts", 0, "--assistance", count, "--users", users, "--days", DAYS, "--write-directory", directory, "--write-assistance", part)
            part.rename(self.file)
        self.document = directory.read_bytes()
        self.departments = json.loads(self.document)["departments"]
        self.root = next(department["id"] for department in self.departments if not department.get("parent_id"))

    def above(self):
        """Each department with itself and every department above it."""
        parents = {department["id"]: department.get("parent_id") for department in self.departments}
        for department in parents:
            at = department
            while at:
                yield department, at
                at = parents[at]

    def days(self, days, before=0):
        """The first and the last of so many days of +08:00."""
        return [datetime.datetime.fromtimestamp(self.end - back * DAY, asked.AHEAD).date() for back in (days + before, 1 + before)]


def pages(asker, first, last, department):
    """Every page of a question: the seconds they take together, and the rows."""
    rows, page, seconds = [], 1, 0
    while page:
        took, body, answer = asker.call(asker.departments(first, last, department, page))
        seconds += took
        rows += json.loads(body)
        page = answer.getheader("x-next-page")
    return seconds, rows


def check(ours, theirs):
    """Whether both gave the same numbers in every row. Rows of zeros are ours alone."""
    plain = lambda values: [value if isinstance(value, str) and not value.isdigit() else int(value) for value in values]
    for name in SPANS:
        key = (lambda row: row["departmentId"]) if name == "one_day" else (lambda row: row["date"] // 1000)
        rows = {"totals": [[key(row), *(row[field] for field in TOTALS)] for row in ours[name] if row["activeDeveloper"] or row["totalLinesChanged"]]}
        for part, fields in BREAKDOWNS.items():
            rows[part] = [[key(row), *(entry[field] for field in fields)] for row in ours[name] for entry in row["breakdown"][part]]
        for other in (name, f"{name}_rollup"):
            for part, expected in theirs[other].items():
                expected = sorted(map(plain, expected), key=str)
                if sorted(rows[part], key=str) != expected:
                    sys.exit(f"{other} {part} differ: {sorted(rows[part], key=str)[:3]} {expected[:3]}")


def measure(program, count, requests):
    """Adds the rows of assistances to the table."""
    facts, found = Assistances(program, count), {}
    ancestors = WORK / "ancestors.csv"
    with open(ancestors, "w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows(facts.above())
    server = Server(program, asked.CONFIG, asked.hidden())
    try:
        server.start()
        asker = Asker(server)
        asker.put_directory(facts.document)
        say("rollcall: loading assistances")
        found["load"], found["load_cpu"], _ = server.load(facts.file, count, "--fact", "assistance")
        found["load_peak"] = server.peak()
        server.operate("flush")
        server.wait_until_quiet()
        found["stored"] = server.stored()
        for name, days in SPANS.items():
            department = None if name == "one_day" else facts.root
            found[f"{name}_first"], found[name] = pages(asker, *facts.days(days), department)
            # Other days each time.
            again = [pages(asker, *facts.days(days, before), department)[0] for before in range(min(requests, 366 - days) or 1)]
            found[f"{name}_seconds"] = statistics.median(again)
    finally:
        server.end()
    say("ClickHouse: loading and asking")
    theirs = json.loads(others("clickhouse_assistance.py", facts.file, count, ancestors, facts.root, facts.end))
    check(found, theirs)
    table.heading(f"{count:,} assistances of {USERS:,} developers in {len(facts.departments):,} departments over a year, as NDJSON")
    table.add("load, facts a second", count / found["load"], table.rate, count / theirs["load_seconds"], more_is_better=True, ratio_target=1.0)
    table.add("processors' time a fact, server", found["load_cpu"] / count, table.micros, theirs["load_cpu"] / count, target=1.5e-6)
    table.add("peak memory of the load", found["load_peak"], table.mib, theirs["load_peak"], target=2**30)
    table.add("stored at rest, a fact", found["stored"]["all"] / count, table.each, theirs["bytes"] / count)
    whats = {"root_quarter": "the root department, 90 days", "root_year": "the root department, a year, in 4 pages", "one_day": "all departments, one day, in pages of 100"}
    for name, what in whats.items():
        table.add(f"{what}, first", found[f"{name}_first"], table.millis, theirs[f"{name}_seconds"], note="against facts")
        table.add(f"{what}, other days each time", found[f"{name}_seconds"], table.millis, theirs[f"{name}_rollup_seconds"], note="against finished rows")
