"""The server and the databases that are asked, and what random questions are made of."""

import datetime
import os
import pathlib
import random
import re

import requests

from .when import DAY, DAY_MS, instant, read_instant, start_of

BASE_URL = os.environ["BASE_URL"].rstrip("/")
KEY = {"Authorization": f"Bearer {os.environ['INGEST_KEY']}"}
os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost,::1")
SQL = pathlib.Path(__file__).parents[2] / "crates/rollcall-engine/src/reports"

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
MEDIA = ["audio", "video", "screen", "message", "file"]

# Instants at which awkward facts begin or end.
TIMES = []
# Connections with the tables of facts; the first is asked.
DATABASES = []
# Statements by those that have instants.
AS_MILLIS = {}
chance = random.Random(20260302)


def get(path, **query):
    answer = requests.get(f"{BASE_URL}/v1/{path}", params={name: value for name, value in query.items() if value is not None}, headers=KEY, timeout=300)
    assert answer.status_code == 200, f"{path} {query}: {answer.status_code} {answer.text[:500]}"
    return answer


def rows(report, **query):
    return get(f"reports/{report}", **query).json()["rows"]


def pages(report, limit, **query):
    """The rows of every page."""
    found, cursor = [], None
    while True:
        page = get(f"reports/{report}", limit=limit, cursor=cursor, **query).json()
        found += page["rows"]
        if not (cursor := page.get("next")):
            return found
        assert page["rows"], f"{report} {query}: an empty page has a next one"


def statements(report):
    text = re.sub(r"--.*", "", (SQL / f"{report}.sql").read_text())
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def run(statement, **parameters):
    """The rows of a statement, instants in them as milliseconds."""
    parameters = {name.rstrip("_"): value for name, value in parameters.items()}
    named = {name: parameters[name] for name in set(re.findall(r"\$(\w+)", statement))}
    instants = {name: instant(value) for name, value in named.items() if name in ("from", "to", "at", "started_at") and value is not None}
    if statement not in AS_MILLIS:
        answer = DATABASES[0].sql(statement, params=named | instants)
        columns = [f'epoch_ms("{name}")' if "TIME ZONE" in str(of) else f'"{name}"' for name, of in zip(answer.columns, answer.types)]
        AS_MILLIS[statement] = f"SELECT {', '.join(columns)} FROM ({statement})"
    return DATABASES[0].execute(AS_MILLIS[statement], named | instants).fetchall()


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


def which_stays():
    """Which stays count: the parameters of the SQL, and those of the report."""
    lists = dict(user_kinds=KINDS, devices=DEVICES, session_kinds=SESSION_KINDS, media=MEDIA)
    filters = {name: subset(words) if chance.random() < 0.4 else None for name, words in lists.items()}
    names = dict(user_kind="user_kinds", device="devices", session_kind="session_kinds", medium="media")
    question = {name: filters[of] and ",".join(filters[of]) for name, of in names.items()}
    app = chance.choice([None, "default"])
    return filters | {"app": app}, question | {"app": app}


def shown(row, *columns):
    return (row["date"], read_instant(row["from"]), read_instant(row["to"]), *(row[column] for column in columns))


def same(found, expected, question):
    if found == expected:
        return len(found)
    at = next((n for n, (a, b) in enumerate(zip(found, expected)) if a != b), min(len(found), len(expected)))
    raise AssertionError(f"{question}: {len(found)} rows by the report, {len(expected)} by the SQL; row {at}: {found[at:at + 1]} is not {expected[at:at + 1]}")
