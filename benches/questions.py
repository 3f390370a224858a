"""What people ask of attendances, natively: by department, who they are, which sessions, how many at once, beside ClickHouse on the same facts."""

import csv
import dataclasses
import datetime
import json
import statistics
import sys

import asked
import attendance
import table
from asked import Asker
from server import Server
from work import DAY, WORK, others, run, say

# Answers as they were rendered are not given again: what is measured is the answer.
CONFIG = asked.CONFIG.replace("[storage]", "[limits]\nanswer_bytes = 0\n\n[storage]")
YEAR, QUARTER, MONTH, WEEKS = 365, 90, 31, 28
# Asked so often of ClickHouse.
FEW = 3


@dataclasses.dataclass
class Question:
    """One question: its name in ClickHouse's SQL, and how it is asked."""

    name: str
    what: str
    report: str
    parameters: dict
    read: object
    days: int
    first: float = None
    again: float = None
    # What ClickHouse is told besides the range.
    told: dict = dataclasses.field(default_factory=dict)


def questions(directory):
    """Every question but those that follow from an answer."""
    members = [user["id"] for user in directory["users"] if user["kind"] == "member"]
    user, department = members[len(members) // 2], next(d["id"] for d in directory["departments"] if d.get("parent_id"))
    number = len(directory["departments"])
    return [
        Question("departments", f"{number} departments of a year", "department-users", {}, read_departments, YEAR, again=0.05),
        Question("concurrency", "stays and sessions at once, a year by day", "concurrency", {"by": "day"}, read_concurrency, YEAR, first=1.0, again=0.01),
        Question("people", "people of 31 days, by time, a page of 100", "people", {"of": "active-users", "by": "whole", "order": "time"}, read_people,
                 MONTH, again=0.02, told={"offset": 0}),
        Question("sessions", "sessions of 31 days, a page of 100", "sessions", {}, read_sessions, MONTH, first=0.3, again=0.3),
        Question("sessions_of_user", "sessions of a user, 31 days", "sessions", {"user": user}, read_sessions, MONTH, first=0.3, again=0.3,
                 told={"user": user}),
        Question("sessions_of_department", "sessions of a department, 31 days, a page of 100", "sessions", {"department": department}, read_sessions, MONTH,
                 first=0.3, again=0.3, told={"department": department}),
        Question("week_hours", "hours of the week, 28 days", "active-users", {"by": "week-hour"}, read_week_hours, WEEKS),
        Question("media", "by medium, 90 days", "active-users", {"by": "medium"}, lambda body: [[row["users"] for row in rows(body)]], QUARTER),
        Question("meeting_months", "meetings and their people by month, a year", "meeting-days", {"by": "month"}, read_months, YEAR),
        Question("silent", "silent members, 7 days, a page of 100", "silent", {}, lambda body: [[row["id"]] for row in rows(body)], 7),
        Question("person", "one person, a year", "person", {"user": user}, lambda body: [[row["sessions"], row["time_ms"]] for row in rows(body)], YEAR,
                 told={"user": user}),
    ]


# Answers, each as ClickHouse's rows are written


def rows(body):
    return json.loads(body)["rows"]


def read_departments(body):
    return sorted([row["department"], row["users"]] for row in rows(body) if row["department"] and row["users"])


def read_concurrency(body):
    number = lambda row: (datetime.date.fromisoformat(row["date"]) - datetime.date(1970, 1, 1)).days
    return [[number(row), row["stays"] or 0, row["sessions"] or 0] for row in rows(body)]


def read_people(body):
    return [[row["id"], row["sessions"], row["time_ms"]] for row in rows(body)]


def read_sessions(body):
    return [[millis(row["started_at"]), row["session_id"], row["users"], row["stays"], row["time_ms"]] for row in rows(body)]


def read_session(body):
    return [[row["user"], millis(row["joined_at"]), millis(row["left_at"])] for row in rows(body)]


def read_week_hours(body):
    days = ["", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    return [[days.index(row["weekday"]), row["hour"], row["users"]] for row in rows(body) if row["users"]]


def read_months(body):
    return [[row["date"], row["meetings"], row["people"]] for row in rows(body) if row["meetings"]]


def millis(text):
    return (datetime.datetime.fromisoformat(text) - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(milliseconds=1)


class Asking:
    """The questions put to one server, what its answers took, and what ClickHouse is asked."""

    def __init__(self, server, facts, requests):
        self.asker, self.facts, self.requests = Asker(server), facts, requests
        self.found, self.answers, self.theirs = {}, {}, {}

    def spans(self, days):
        """Ranges of so many days, each a day before the other."""
        return [(self.facts.end - (days + back) * DAY, self.facts.end - back * DAY) for back in range(max(self.requests, FEW))]

    def ask(self, question):
        """The first time, the same again, and others each time; a range that is the first of its kind is the newest."""
        spans = self.spans(question.days)
        asked_of = lambda span: self.asker.native(question.report, **{"from": span[0] * 1000, "to": span[1] * 1000}, **question.parameters)
        first, body, _ = self.asker.call(asked_of(spans[0]))
        again, _ = self.asker.median([asked_of(spans[0])] * self.requests, lambda body: None)
        others_, answers = self.asker.median([asked_of(span) for span in spans[1:]], question.read)
        self.found[question.name] = first, again, others_
        self.answers[question.name] = [question.read(body), *answers[: FEW - 1]]
        self.theirs[question.name] = [{"start": start, "end": end, "days": question.days, **question.told} for start, end in spans[:FEW]]
        return json.loads(body)

    def page(self, question, page):
        """The page after one, and what it takes; another each time."""
        begin, end = self.spans(question.days)[0]
        seconds = []
        for number in range(1, min(self.requests, 20)):
            if not page.get("next"):
                break
            request = self.asker.native(question.report, **{"from": begin * 1000, "to": end * 1000}, **question.parameters, cursor=page["next"])
            took, body, _ = self.asker.call(request)
            seconds.append(took)
            page = json.loads(body)
            if number == 1:
                self.answers["people"].append(question.read(body))
                self.theirs["people"].append({"start": begin, "end": end, "offset": 100})
        return statistics.median(seconds) if seconds else None

    def session(self, page):
        """Each stay in the session of a page that had the most users."""
        row = max(page["rows"], key=lambda row: row["users"])
        request = self.asker.native("session", session_id=row["session_id"], started_at=millis(row["started_at"]))
        first, body, _ = self.asker.call(request)
        again, _ = self.asker.median([request] * self.requests, lambda body: None)
        self.found["session"], self.answers["session"] = (first, again, None), [read_session(body)]
        self.theirs["session"] = [{"session": row["session_id"], "started": millis(row["started_at"])}]


def made(program, facts):
    """The directory of the users of the facts, with what ClickHouse reads of it: who is below which department, and who is a member."""
    file = WORK / f"directory-{facts.users}.json"
    run(program, "demo", "--facts", 0, "--assistance", 0, "--users", facts.users, "--write-directory", file)
    directory = json.loads(file.read_text(encoding="utf-8"))
    parents = {department["id"]: department.get("parent_id") for department in directory["departments"]}
    above, members = WORK / "above.csv", WORK / "members.csv"
    with open(above, "w", newline="", encoding="utf-8") as out:
        for user in directory["users"]:
            for department in user.get("departments", []):
                while department:
                    csv.writer(out).writerow([user["id"], department])
                    department = parents[department]
    with open(members, "w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([user["id"]] for user in directory["users"] if user["kind"] == "member")
    return file.read_bytes(), directory, above, members


def measure(facts, program, requests):
    """Adds the rows of these questions to the table."""
    document, directory, above, members = made(program, facts)
    in_lines = facts.count <= attendance.LARGEST_NDJSON
    files = facts.ndjson() if in_lines else facts.parquet()
    server, asks = Server(program, CONFIG, asked.hidden()), questions(directory)
    try:
        server.start()
        Asker(server).put_directory(document)
        say("rollcall: loading")
        (server.load if in_lines else server.load_parquet)(files, facts.count)
        server.operate("flush")
        server.wait_until_quiet(at_least=75)
        say("rollcall: asking")
        asking = Asking(server, facts, requests)
        for question in asks:
            question.told["members"] = str(members)
            page = asking.ask(question)
            if question.name == "people":
                next_page = asking.page(question, page)
            if question.name == "sessions":
                asking.session(page)
        memory, peak = server.memory(), server.peak()
    finally:
        server.end()
    say("ClickHouse: loading and asking")
    said, form = (files, "JSONEachRow") if in_lines else (f"{files[0].parent}/*.parquet", "Parquet")
    told = {"count": facts.count, "files": str(said), "format": form, "above": str(above), "questions": asking.theirs}
    (WORK / "questions.json").write_text(json.dumps(told))
    theirs = json.loads(others("clickhouse_questions.py", WORK / "questions.json"))
    check(asking.answers, theirs)
    table.heading(f"questions to {facts.count:,} attendances of {facts.users:,} users over {facts.days:,} days, natively, against facts")
    for question in [*asks, Question("session", "each stay in one session, a page of 100", "session", {}, read_session, 0)]:
        first, again, others_ = asking.found[question.name]
        other = theirs[f"{question.name}_seconds"]
        table.add(f"{question.what}, first", first, table.millis, other, target=question.first)
        table.add(f"{question.what}, again", again, table.millis, other, target=question.again)
        if others_:
            table.add(f"{question.what}, other days each time", others_, table.millis, other)
        if question.name == "people" and next_page:
            table.add("people of 31 days, the next page each time", next_page, table.millis, other, target=0.02)
    table.add("memory after these questions", memory, table.mib)
    table.add("peak memory of these questions", peak, table.mib)


def check(ours, theirs):
    """Ends the benchmark if one number of the answers differs."""
    # ClickHouse writes large numbers as text.
    plain = lambda answer: [[str(value) for value in row] for row in answer]
    for name, answers in ours.items():
        for mine, other in zip(map(plain, answers), map(plain, theirs[name]), strict=True):
            if mine != other:
                at = next((number for number, (a, b) in enumerate(zip(mine, other)) if a != b), min(len(mine), len(other)))
                sys.exit(f"{name} differ: {len(mine)} and {len(other)} rows; at {at}: {mine[at:at + 1]} {other[at:at + 1]}")
