#!/usr/bin/env python3
"""Holds the native reports of a running rollcall against the SQL beside them, run by DuckDB on exported facts and on the lake:
pip install deltalake==1.6.6 duckdb==2.0.0 requests==2.34.2 tzdata==2026.6

Environment (demo.env has it): BASE_URL, INGEST_KEY, ORG_ID, LAKE, DEMO_LAST_DAY, DEMO_DAYS. Adds some awkward facts of its own, exports everything as
Parquet, waits for it in the lake, and asks deterministic pseudo-random questions, every other one of the lake's tables. The directory is replaced by one with moves for some of them, and then put back. Prints a line for each report,
and exits with 1 if a row differs.
"""

import contextlib
import datetime
import json
import os
import pathlib
import random
import re
import sys
import tempfile
import time
import traceback
import zoneinfo

import duckdb
import requests
from deltalake import DeltaTable

BASE_URL = os.environ["BASE_URL"].rstrip("/")
KEY = {"Authorization": f"Bearer {os.environ['INGEST_KEY']}"}
os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost,::1")
SQL = pathlib.Path(__file__).parent.parent / "crates/rollcall-engine/src/reports"
QUESTIONS = int(os.environ.get("QUESTIONS", "40"))

UTC = datetime.timezone.utc
DAY = datetime.timedelta(days=1)
DAY_MS = 86_400_000
LAST = datetime.date.fromisoformat(os.environ["DEMO_LAST_DAY"])
FIRST = LAST - (int(os.environ["DEMO_DAYS"]) - 1) * DAY
# Whole, half and quarter hours; clocks that change at night, at midnight, and by half an hour.
ZONES = ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham", "Australia/Lord_Howe",
         "America/Havana", "Africa/Cairo", "Pacific/Kiritimati"]
# The days of the awkward facts: few, so that questions meet them.
AWKWARD = [FIRST + ((LAST - FIRST).days // 2 + day) * DAY for day in range(8)]
KINDS = ["member", "guest", "room", "phone"]
DEVICES = ["desktop", "web", "mobile", "tablet", "room", "phone", "unknown"]
SESSION_KINDS = ["meeting", "call", "room"]

# Instants at which awkward facts begin or end.
TIMES = []
chance = random.Random(20260302)


def millis(instant):
    return (instant - datetime.datetime(1970, 1, 1, tzinfo=UTC)) // datetime.timedelta(milliseconds=1)


def instant(at):
    return datetime.datetime(1970, 1, 1, tzinfo=UTC) + datetime.timedelta(milliseconds=at)


def read_instant(text):
    return text and millis(datetime.datetime.fromisoformat(text))


def start_of(day, zone):
    """The first instant of a day; where midnight is skipped, the one at which the clocks jump."""
    return millis(datetime.datetime(day.year, day.month, day.day, tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(UTC))


def date_of(at, zone):
    return instant(at).astimezone(zoneinfo.ZoneInfo(zone)).date()


def periods(begin, end, zone, first_of=lambda day: day, next_of=lambda day: day + DAY):
    """Every period that a range touches: its first day, and its instants, whole."""
    day = first_of(date_of(begin, zone))
    found = []
    while (begins := start_of(day, zone)) < end:
        found.append((day, begins, start_of(next_of(day), zone)))
        day = next_of(day)
    return found


# Facts and questions

def get(path, **query):
    answer = requests.get(f"{BASE_URL}/v1/{path}", params={name: value for name, value in query.items() if value is not None}, headers=KEY, timeout=300)
    assert answer.status_code == 200, f"{path} {query}: {answer.status_code} {answer.text[:500]}"
    return answer


def rows(report, **query):
    return get(f"reports/{report}", **query).json()["rows"]


def add_awkward_facts():
    """Stays of no length and over midnights of several zones, meetings that begin twice, places written in two ways, kinds that change at one instant."""
    fill = random.Random(7)
    attendances, assistances = [], []
    for number in range(600):
        started = start_of(fill.choice(AWKWARD), fill.choice(ZONES)) + fill.choice([0, -1, 1, fill.randrange(DAY_MS)])
        joined = started + fill.choice([0, 1, -1, fill.randrange(DAY_MS)])
        fact = {"session_id": f"awkward-{fill.randrange(40)}", "session_started_at": started // 900_000 * 900_000 if number % 2 else started,
                "session_kind": fill.choice(SESSION_KINDS), "user_id": f"awkward-{fill.randrange(25)}", "user_kind": fill.choice(KINDS),
                "device": fill.choice(DEVICES), "joined_at": joined, "left_at": joined + fill.choice([0, 0, 1, fill.randrange(7 * DAY_MS)])}
        place = fill.choice(["CN-HK", "HK", "CN-TW", "TW-TPE", "TW", "CN", "CN-SH", "US-CA", "US", None])
        if place:
            fact["subdivision" if "-" in place else "country"] = place
        attendances.append(fact)
        if number % 3 == 0:
            attendances.append(fact | {"session_id": f"{fact['session_id']}-too", "user_kind": fill.choice(KINDS)})
        kind = fill.choice(["chat", "completion", "edit"])
        used = {"user_id": f"awkward-{fill.randrange(25)}", "at": joined, "kind": kind, "lines_accepted": fill.randrange(2) * 3, "lines_changed": fill.randrange(2) * 5}
        if kind == "chat":
            used |= {"chat_type": "我的命令", "turns": fill.randrange(3), "accepted": fill.randrange(2)}
        if kind == "completion":
            used |= {"suggested": fill.randrange(3), "accepted": fill.randrange(2), "ide": fill.choice(["VSCode", "vim"]), "language": fill.choice(["Go", "c#"])}
        if number % 2:
            used["department_id"] = fill.choice([*DEPARTMENTS, "nowhere"])
        assistances.append(used)
        TIMES.extend([started, joined, fact["left_at"], joined])
    for path, facts in [("attendance", attendances), ("assistance", assistances)]:
        body = "\n".join(map(json.dumps, facts)).encode()
        answer = requests.post(f"{BASE_URL}/v1/{path}", data=body, headers=KEY | {"Content-Type": "application/x-ndjson"}, timeout=60)
        assert answer.status_code == 200, answer.text


def load():
    """The facts as anybody would read them: exported, and in the lake, which has them a little later."""
    exported, lake = duckdb.connect(), duckdb.connect()
    with tempfile.TemporaryDirectory() as folder:
        for table in ("attendance", "assistance"):
            file = pathlib.Path(folder, f"{table}.parquet")
            file.write_bytes(get(table, format="parquet").content)
            count = exported.execute(f"CREATE TABLE {table} AS SELECT * FROM read_parquet('{file}')").fetchone()[0]
            deadline = time.time() + 120
            while True:
                files = DeltaTable(f"{os.environ['LAKE']}/{table}").file_uris(file_pruning_predicate=[("organization", "=", os.environ["ORG_ID"])])
                in_lake = lake.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM read_parquet(?)", [files]).fetchone()[0]
                if in_lake == count:
                    break
                assert time.time() < deadline, f"{in_lake} of {count} facts are in the lake"
                time.sleep(0.5)
            size = sum(pathlib.Path(name).stat().st_size for name in files)
            print(f"     {table}: {count} facts, {file.stat().st_size} bytes as an export, {size} in the lake", flush=True)
    return [exported, lake]


def statements(report):
    text = re.sub(r"--.*", "", (SQL / f"{report}.sql").read_text())
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def run(statement, **parameters):
    named = set(re.findall(r"\$(\w+)", statement))
    if "AS last_use" in statement:
        statement = f"SELECT * REPLACE (epoch_ms(last_use) AS last_use) FROM ({statement})"
    parameters = {name.rstrip("_"): value for name, value in parameters.items()}
    values = {name: instant(parameters[name]) if name in ("from", "to") else parameters[name] for name in named}
    return DATABASES[0].execute(statement, values).fetchall()


def some_range(longest):
    """Ragged to the millisecond, on quarter hours, on days of a zone, or from and to where some fact begins or ends."""
    zone = chance.choice(ZONES)
    days = chance.randrange(longest) + 1
    first = FIRST + chance.randrange((LAST - FIRST).days - days) * DAY
    if chance.random() < 0.5:
        first = chance.choice(AWKWARD)
        if days < 10 and chance.random() < 0.5:
            begin = chance.choice(TIMES)
            later = [at for at in TIMES if begin < at < begin + days * DAY_MS]
            return begin, chance.choice(later or [begin + 1])
    begin, end = start_of(first, zone), start_of(first + days * DAY, zone)
    ragged = chance.choice([1, 1, 900_000, None])
    if ragged:
        begin, end = begin + chance.randrange(DAY_MS) // ragged * ragged, end + chance.randrange(DAY_MS) // ragged * ragged
        if chance.random() < 0.2:
            end = begin + chance.randrange(1, 10 * 3_600_000)
    return begin, end


def subset(words):
    return chance.sample(words, chance.randrange(1, len(words))) if chance.random() < 0.6 else None


def same(found, expected, question):
    if found == expected:
        return len(found)
    at = next((n for n, (a, b) in enumerate(zip(found, expected)) if a != b), min(len(found), len(expected)))
    raise AssertionError(f"{question}: {len(found)} rows by the report, {len(expected)} by the SQL; row {at}: {found[at:at + 1]} is not {expected[at:at + 1]}")


# The reports

def meeting_days():
    (statement,) = statements("meeting_days")
    begin, end = some_range(chance.choice([3, 40, 200]))
    zone, app, unit = chance.choice(ZONES), chance.choice([None, "default"]), chance.choice([None, None, 0])
    by_day = {row[0]: row[1:] for row in run(statement, from_=begin, to=end, zone=zone, app=app, unit=unit)}
    expected = [(day.isoformat(), *span, *by_day.pop(day, (0, 0, 0))) for day, *span in periods(begin, end, zone)]
    assert not by_day, by_day
    question = dict(zone=zone, app=app, unit=unit) | {"from": begin, "to": end}
    found = [(row["date"], read_instant(row["from"]), read_instant(row["to"]), row["meetings"], row["duration_ms"], row["participants"])
             for row in rows("meeting-days", **question)]
    return same(found, expected, question)


def top_users():
    (statement,) = statements("top_users")
    begin, end = some_range(chance.choice([3, 40, 200]))
    order, limit = chance.choice(["meetings", "duration"]), chance.choice([1, 10, 100, 5000])
    app, unit = chance.choice([None, "default"]), chance.choice([None, None, 0])
    kind = {user["id"]: user["kind"] for user in DIRECTORY["users"]}
    expected = [(user, kind.get(user, latest), *measures)
                for user, latest, *measures in run(statement, from_=begin, to=end, order=order, limit=limit, app=app, unit=unit)]
    question = dict(order=order, limit=limit, app=app, unit=unit, zone=chance.choice(ZONES)) | {"from": begin, "to": end}
    found = [(row["id"], row["kind"], row["meetings"], row["duration_ms"]) for row in rows("top-users", **question)]
    return same(found, expected, question)


def first_of(by, week_start):
    return {"day": lambda day: day, "week": lambda day: day - ((day.weekday() - week_start) % 7) * DAY,
            "month": lambda day: day.replace(day=1), "year": lambda day: day.replace(month=1, day=1)}[by]


def next_of(by):
    return {"day": lambda day: day + DAY, "week": lambda day: day + 7 * DAY,
            "month": lambda day: (day.replace(day=1) + 31 * DAY).replace(day=1), "year": lambda day: day.replace(year=day.year + 1)}[by]


def active_users():
    (statement,) = statements("active_users")
    by = chance.choice(["day", "week", "month", "year", "whole", "rolling-3", "rolling-30"])
    begin, end = some_range({"day": 20, "rolling-3": 20, "rolling-30": 20}.get(by, 300))
    zone, week_start = chance.choice(ZONES), chance.randrange(7)
    filters = dict(user_kinds=subset(KINDS), devices=subset(DEVICES), session_kinds=subset(SESSION_KINDS), app=chance.choice([None, "default"]))
    if by == "whole":
        asked = [(date_of(begin, zone), begin, end, begin)]
    elif by.startswith("rolling-"):
        days = periods(begin, end, zone)
        asked = [(day, start := start_of(day - (int(by[8:]) - 1) * DAY, zone), last, start) for day, _, last in days]
    else:
        asked = [(day, first, last, max(first, begin)) for day, first, last in periods(begin, end, zone, first_of(by, week_start), next_of(by))]
    expected = [(day.isoformat(), first, last, *run(statement, from_=since, to=min(last, end), **filters)[0]) for day, first, last, since in asked]
    joined = {name[:-1]: filters[name] and ",".join(filters[name]) for name in ("user_kinds", "devices", "session_kinds")}
    weekday = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"][week_start]
    question = dict(by=by, zone=zone, week_start=weekday, app=filters["app"], **joined) | {"from": begin, "to": end}
    found = [(row["date"], read_instant(row["from"]), read_instant(row["to"]), row["users"]) for row in rows("active-users", **question)]
    return same(found, expected, question)


def users_by_place():
    (statement,) = statements("users_by_place")
    begin, end = some_range(chance.choice([3, 40, 200]))
    level, country = chance.choice(["country", "subdivision"]), chance.choice([None, None, "CN", "HK", "TW", "US"])
    app = chance.choice([None, "default"])
    expected = run(statement, from_=begin, to=end, level=level, country=country, app=app)
    question = dict(by=level, country=country, app=app, zone=chance.choice(ZONES)) | {"from": begin, "to": end}
    found = [(row["place"], row["users"]) for row in rows("users-by-place", **question)]
    return same(found, expected, question)


# The directory, day by day

def entries_on(entries, day):
    """The entry of each id that holds on a day."""
    found = {}
    for entry in sorted(entries, key=lambda entry: entry.get("from") or ""):
        if not entry.get("from") or entry["from"] <= day.isoformat():
            found[entry["id"]] = entry
    return found


def covered(department, with_subtree, day):
    tree = entries_on(DIRECTORY["departments"], day)
    found = {department}
    while with_subtree and (below := {id for id, entry in tree.items() if entry.get("parent_id") in found} - found):
        found |= below
    return sorted(found)


NUMBERS = ["turns", "turns_accepted", "suggested", "accepted", "lines_accepted", "lines_changed"]
BREAKDOWNS = {"chatting": ["chat_type", "ide", "developers", "turns", "accepted"], "coding": ["language", "developers", "lines_accepted", "lines_changed"],
              "completion": ["language", "ide", "developers", "suggested", "accepted", "lines_accepted", "lines_changed"]}


def spans(begin, end, zone, by):
    """The rows' days: date, instants shown, instants that count."""
    if by == "whole":
        return [(date_of(begin, zone), begin, end, begin, end)]
    return [(day, first, last, max(first, begin), min(last, end)) for day, first, last in periods(begin, end, zone)]


def shown(row, *columns):
    return (row["date"], read_instant(row["from"]), read_instant(row["to"]), *(row[column] for column in columns))


def usage_question(longest):
    # By one statement a range as one is what it is only while no department or user moves.
    by = "day" if MOVED else chance.choice(["day", "whole"])
    begin, end = some_range(60 if by == "whole" else longest)
    return begin, end, chance.choice(ZONES), by, chance.choice([True, True, False]), chance.choice([None, *BREAKDOWNS])


def department_days():
    totals, *parts = statements("department_days")
    department = chance.choice([None, *DEPARTMENTS, *DEPARTMENTS, "nowhere"])
    begin, end, zone, by, with_subtree, breakdown = usage_question(20 if department else 2)
    expected = []
    for day, first, last, since, until in spans(begin, end, zone, by):
        booked = {id for (id,) in run('SELECT DISTINCT unnest(department_ids) FROM assistance WHERE "at" >= $from AND "at" < $to', from_=since, to=until)}
        held = set(entries_on(DIRECTORY["departments"], day))
        for id in sorted(held | booked, key=str.encode) if department is None else [department]:
            departments = covered(id, with_subtree, day)
            if id not in held and not booked & set(departments):
                continue
            before = (day.isoformat(), first, last, id)
            if breakdown:
                found = run(parts[list(BREAKDOWNS).index(breakdown)], from_=since, to=until, departments=departments)
                expected += [before + row for row in found]
            else:
                developers, chat, completion, last_use, *numbers = run(totals, from_=since, to=until, departments=departments)[0]
                expected.append((*before, developers, chat, completion, *numbers, last_use))
    question = dict(department=department, zone=zone, by=by, subtree=str(with_subtree).lower(), breakdown=breakdown) | {"from": begin, "to": end}
    if breakdown:
        found = [shown(row, "department", *BREAKDOWNS[breakdown]) for row in rows("department-days", **question)]
    else:
        found = [(*shown(row, "department", "developers", "chat_developers", "completion_developers", *NUMBERS), read_instant(row["last_use"]))
                 for row in rows("department-days", **question)]
    return same(found, expected, question)


def developer_days():
    (statement,) = statements("developer_days")
    _, *parts = statements("department_days")
    user = chance.choice([None, None, None, *[user["id"] for user in chance.sample(DIRECTORY["users"], 2)], "awkward-7"])
    department = None if user else chance.choice([None, *DEPARTMENTS, *DEPARTMENTS, "nowhere"])
    begin, end, zone, by, with_subtree, breakdown = usage_question(2 if user is None and department is None else 20)
    if breakdown and not user:
        breakdown = None if department is None else breakdown
    expected = []
    for day, first, last, since, until in spans(begin, end, zone, by):
        departments = None if department is None else covered(department, with_subtree, day)
        people = {id: entry for id, entry in entries_on(DIRECTORY["users"], day).items() if entry["kind"] in ("member", "guest")}
        held = [id for id, entry in people.items() if departments is None or set(departments) & set(entry["departments"])]
        for id, chat, completion, last_use, *numbers in run(statement, from_=since, to=until, held=held, departments=departments):
            # Of a user whom neither the directory holds nor any fact names there is no row.
            if user not in (None, id):
                continue
            before = (day.isoformat(), first, last, id)
            if breakdown:
                part = parts[list(BREAKDOWNS).index(breakdown)].replace("list_has_any(department_ids, $departments)", "user_id = $user")
                at = BREAKDOWNS[breakdown].index("developers")
                expected += [before + row[:at] + row[at + 1:] for row in run(part, from_=since, to=until, user=id)]
            else:
                expected.append((*before, int(chat or completion), int(chat), int(completion), *numbers, last_use))
    question = dict(user=user, department=department, zone=zone, by=by, subtree=str(with_subtree).lower(), breakdown=breakdown) | {"from": begin, "to": end}
    if breakdown:
        columns = [column for column in BREAKDOWNS[breakdown] if column != "developers"]
        found = [shown(row, "user", *columns) for row in rows("developer-days", **question)]
    else:
        found = [(*shown(row, "user", "active", "active_chat", "active_completion", *NUMBERS), read_instant(row["last_use"]))
                 for row in rows("developer-days", **question)]
    return same(found, expected, question)


@contextlib.contextmanager
def moves():
    """A directory in which departments and users begin and move in the middle of the demo."""
    global DIRECTORY, MOVED
    before, someday = DIRECTORY, lambda: (FIRST + chance.randrange(5, (LAST - FIRST).days - 5) * DAY).isoformat()
    top = [department["id"] for department in before["departments"] if not department.get("parent_id")]
    leaves = [d for d in before["departments"] if d["id"] not in {other.get("parent_id") for other in before["departments"]} and d.get("parent_id")]
    moved = [leaf | {"parent_id": chance.choice(top), "from": someday()} for leaf in chance.sample(leaves, min(8, len(leaves)))]
    users = [user | {"departments": [chance.choice(DEPARTMENTS)], "from": someday()} for user in chance.sample(before["users"], 200)]
    late = [{"id": "awkward-7", "name": "Late", "kind": "member", "departments": DEPARTMENTS[:2], "from": someday()}]
    nowhere = [{"id": "nowhere", "name": "Somewhere", "parent_id": top[0], "from": someday()}]
    DIRECTORY, MOVED = {"departments": before["departments"] + moved + nowhere, "users": before["users"] + users + late}, True
    try:
        put(DIRECTORY)
        yield
    finally:
        DIRECTORY, MOVED = before, False
        put(before)


def put(directory):
    answer = requests.put(f"{BASE_URL}/v1/directory", json=directory, headers=KEY, timeout=60)
    assert answer.status_code == 200, answer.text


def check(report, times):
    """Asks so many questions, and says whether every row was the same."""
    compared = 0
    try:
        for _ in range(times):
            compared += report()
            DATABASES.reverse()
        assert compared > 0, "no row was compared"
    except Exception:
        traceback.print_exc()
        print(f"FAIL {report.__name__}{' with moves' if MOVED else ''}")
        return False
    print(f"ok   {report.__name__}{' with moves' if MOVED else ''}: {compared} rows of {times} questions", flush=True)
    return True


DIRECTORY, MOVED = get("directory").json(), False
DEPARTMENTS = sorted(department["id"] for department in DIRECTORY["departments"])
add_awkward_facts()
DATABASES = load()
passed = [check(report, QUESTIONS) for report in (meeting_days, top_users, active_users, users_by_place, department_days, developer_days)]
with moves():
    passed += [check(report, QUESTIONS // 2) for report in (department_days, developer_days)]
sys.stdout.flush()
# Threads of the libraries may abort an interpreter that ends in order.
os._exit(0 if all(passed) else 1)
