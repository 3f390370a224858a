#!/usr/bin/env python3
"""Checks a running rollcall as pyodata reads Office 365's reporting web service: pip install pyodata==1.12.1 requests==2.34.2

Environment (demo.env has it): BASE_URL, RWS_USER, RWS_PASSWORD; INGEST_KEY, to hold the rows against the native report.
Prints a line for each check, and exits with 1 if any failed. Needs members at computers within the last weeks, as the demo has.
"""

import datetime
import os
import sys
import traceback
import urllib.parse

import pyodata
import requests
from pyodata.exceptions import HttpError

BASE_URL = os.environ["BASE_URL"].rstrip("/")
SERVICE = BASE_URL + "/ecp/reportingwebservice/reporting.svc"
USER = os.environ["RWS_USER"]
PASSWORD = os.environ["RWS_PASSWORD"]
INGEST_KEY = os.environ.get("INGEST_KEY")
os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost,::1")

PERIODS = ["Daily", "Weekly", "Monthly", "Yearly"]
PROPERTIES = ["Date", "ActiveUsers", "ID", "TenantGuid", "TenantName"]
TYPE = "TenantReporting.CsActiveUserReport"
DAY = datetime.timedelta(days=1)

CHECKS = []


def check(promise):
    def add(run):
        CHECKS.append((promise, run))
        return run

    return add


def session(zone=None, user=USER, password=PASSWORD):
    made = requests.Session()
    made.auth = (user, password)
    if zone is not None:
        made.headers["X-timezone"] = zone
    return made


def connect(zone=None, **account):
    return pyodata.Client(SERVICE, session(zone, **account))


def rows_of(period="Daily", zone=None):
    return getattr(connect(zone).entity_sets, f"CsActiveUser{period}").get_entities()


def everything(period="Daily", zone=None, change=lambda request: request):
    """All rows, page by page as the server cuts them, and how many pages they were."""
    client = connect(zone)
    ask = lambda: getattr(client.entity_sets, f"CsActiveUser{period}").get_entities()
    page = change(ask()).execute()
    rows, pages = list(page), 1
    while page.next_url:
        page = ask().next_url(page.next_url).execute()
        rows, pages = rows + list(page), pages + 1
    return rows, pages


def plain(rows):
    return [(row.Date, row.ActiveUsers) for row in rows]


def literal(date):
    return f"datetime'{date:%Y-%m-%dT%H:%M:%S}'"


def refused(ask, status, text):
    try:
        answer = ask()
    except HttpError as error:
        answer = error.response
    assert hasattr(answer, "status_code"), f"answered {answer!r}"
    assert answer.status_code == status, f"{answer.status_code}: {answer.content!r}"
    found = answer.json()["error"]
    assert found == {"code": "", "message": {"lang": "en-US", "value": text}}, found


def get(path, zone=None, **headers):
    return session(zone).get(f"{SERVICE}{path}", headers={"Accept": "application/json", **headers})


@check("$metadata has the four sets, one type, its key and its properties")
def _():
    schema = connect().schema
    assert [entity_set.name for entity_set in schema.entity_sets] == [f"CsActiveUser{period}" for period in PERIODS]
    entity_type = schema.entity_type("CsActiveUserReport", namespace="TenantReporting")
    assert sorted(proprty.name for proprty in entity_type.proprties()) == sorted(PROPERTIES)
    assert [proprty.name for proprty in entity_type.key_proprties] == ["Date"]
    assert [entity_type.proprty(name).typ.name for name in PROPERTIES] == ["Edm.DateTime", "Edm.Int64", "Edm.Int64", "Edm.Guid", "Edm.String"]


@check("the service document names the same sets")
def _():
    assert get("").json() == {"d": {"EntitySets": [f"CsActiveUser{period}" for period in PERIODS]}}


@check("each set has rows, ascending by a date that is the midnight after its period")
def _():
    for period in PERIODS:
        rows, _ = everything(period)
        dates = [row.Date for row in rows]
        assert rows and dates == sorted(set(dates)), period
        assert all(row.ActiveUsers > 0 and row.TenantName and row.TenantGuid for row in rows), period
        assert all(date.hour == date.minute == 0 for date in dates), period
        ordinals = [row.ID for row in rows]
        assert ordinals == sorted(set(ordinals)), period
        if period == "Weekly":
            assert all(date.weekday() == 6 for date in dates), "a week that does not end on Sunday's midnight"
        if period == "Monthly":
            assert all(date.day == 1 for date in dates)
        if period == "Yearly":
            assert all((date.month, date.day) == (1, 1) for date in dates)


@check("the day that runs has no row; the week, month and year that run have")
def _():
    midnight = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    last = {period: everything(period)[0][-1].Date for period in PERIODS}
    assert last["Daily"] <= midnight + DAY, last  # a midnight may pass meanwhile
    assert all(last[period] > midnight for period in PERIODS[1:]), last


@check("a filter as text, by dates, counts and functions")
def _():
    rows, _ = everything()
    first, last = rows[-20].Date, rows[-5].Date
    asked = rows_of().filter(f"Date ge {literal(first)} and Date le {literal(last)}").execute()
    assert plain(asked) == plain(rows[-20:-4])
    bound = sorted(row.ActiveUsers for row in rows)[len(rows) // 2]
    for text in (f"ActiveUsers gt {bound}", f"ActiveUsersCount gt {bound}L", f"ActiveUsers sub {bound} gt 0", f"not (ActiveUsers le {bound})"):
        asked, _ = everything(change=lambda request: request.filter(text))
        assert plain(asked) == [row for row in plain(rows) if row[1] > bound], text
    asked, _ = everything(change=lambda request: request.filter("month(Date) eq 3 or day(Date) eq 1"))
    assert plain(asked) == [row for row in plain(rows) if row[0].month == 3 or row[0].day == 1]


@check("filters as pyodata builds them")
def _():
    rows, _ = everything()
    request = rows_of()
    asked = request.filter((request.Date > rows[-4].Date)).execute()
    assert plain(asked) == plain(rows[-3:])
    asked = rows_of().filter(Date__gt=rows[-4].Date, TenantName=rows[0].TenantName).execute()
    assert plain(asked) == plain(rows[-3:])
    assert plain(rows_of().filter(Date__in=[rows[-1].Date, rows[-3].Date]).execute()) == plain([rows[-3], rows[-1]])


@check("order_by, by more than one expression and by a computed one")
def _():
    rows = plain(everything("Weekly")[0])
    by = lambda text: plain(everything("Weekly", change=lambda request: request.order_by(text))[0])
    assert by("Date desc") == rows[::-1]
    assert by("ActiveUsers desc,Date desc") == sorted(rows, key=lambda row: (row[1], row[0]), reverse=True)
    assert by("ActiveUsers") == sorted(rows, key=lambda row: (row[1], row[0]))
    assert by("ActiveUsers mod 7 desc, Date") == sorted(rows, key=lambda row: (-(row[1] % 7), row[0]))


@check("select, and ActiveUsersCount, which is answered as ActiveUsers")
def _():
    # An entity of pyodata has every property, those that were not selected without a value: so the body is looked at.
    for text, names in (("Date,ActiveUsers", {"Date", "ActiveUsers"}), ("ActiveUsersCount", {"ActiveUsers"}), ("*", set(PROPERTIES))):
        row = get(f"/CsActiveUserWeekly?$top=1&$select={text}").json()["d"]["results"][0]
        assert set(row) - {"__metadata"} == names, row
        assert isinstance(row["ActiveUsers"], str), "an Int64 is no string"
    rows = rows_of("Weekly").select("Date,ActiveUsers").execute()
    assert plain(rows) == plain(everything("Weekly")[0][: len(rows)])


@check("top and skip")
def _():
    rows = plain(everything()[0])
    assert plain(rows_of().top(3).execute()) == rows[:3]
    assert plain(rows_of().skip(2).top(3).execute()) == rows[2:5]
    assert plain(rows_of().order_by("Date desc").top(1).execute()) == rows[-1:]
    assert plain(rows_of().top(0).execute()) == plain(rows_of().skip(1_000_000).execute()) == []


@check("$count, and the count beside the rows, which knows nothing of top and skip")
def _():
    rows = everything()[0]
    assert rows_of().count().execute() == len(rows)
    late = f"Date gt {literal(rows[-6].Date)}"
    assert rows_of().filter(late).count().execute() == 5
    page = rows_of().filter(late).skip(1).top(2).count(inline=True).execute()
    assert (page.total_count, len(page)) == (5, 2)
    # $top is not more than the page has, so there is nothing that could follow.
    assert page.next_url is None


@check("pages, however they are cut, are the whole")
def _():
    rows, pages = everything()
    size = len(rows_of().execute())
    assert pages == -(-len(rows) // size), f"{pages} pages of {size} for {len(rows)} rows"
    # Pages of our own, by the same token that the server's next link holds.
    token, found = None, []
    while True:
        request = rows_of().top(50)
        if token is not None:
            request.custom("$skiptoken", token)
        page = request.execute()
        found += plain(page)
        if len(page) < 50:
            break
        token = literal(page[-1].Date)
    assert found == plain(rows)
    # One for each expression of the ordering, then the key.
    by = "ActiveUsers desc"
    ordered, _ = everything(change=lambda request: request.order_by(by))
    token = f"{ordered[9].ActiveUsers}L,{literal(ordered[9].Date)}"
    assert plain(rows_of().order_by(by).top(10).custom("$skiptoken", token).execute()) == plain(ordered[10:20])
    if pages > 1:
        link = urllib.parse.unquote(rows_of().custom("$format", "json").order_by(by).execute().next_url)
        assert link.startswith(BASE_URL) and f"$skiptoken={ordered[size - 1].ActiveUsers}L,{literal(ordered[size - 1].Date)}" in link, link


@check("a row by its key, one property, and its bare value")
def _():
    row = everything()[0][-1]
    entity_set = connect().entity_sets.CsActiveUserDaily
    found = entity_set.get_entity(row.Date).execute()
    assert [getattr(found, name) for name in PROPERTIES] == [getattr(row, name) for name in PROPERTIES]
    for name in PROPERTIES:
        assert found.get_proprty(name).execute() == getattr(row, name), name
    value = get(f"/CsActiveUserDaily({literal(row.Date)})/ActiveUsers/$value", Accept="*/*")
    assert (value.status_code, value.text) == (200, str(row.ActiveUsers)) and value.headers["content-type"].startswith("text/plain"), value.text
    refused(lambda: entity_set.get_entity(datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)).execute(), 404, "Resource not found for the segment 'CsActiveUserDaily'.")


@check("X-timezone cuts the periods; names of Windows, of IANA and an offset say the same; a zone that is not known is refused")
def _():
    utc, china = plain(everything()[0]), plain(everything(zone="China Standard Time")[0])
    assert china != utc, "the zone changed nothing"
    assert china == plain(everything(zone="Asia/Shanghai")[0]) == plain(everything(zone="+08:00")[0])
    assert utc == plain(everything(zone="UTC")[0])
    assert plain(everything(zone="+05:45")[0]) == plain(everything(zone="Asia/Kathmandu")[0])
    text = "The time zone 'Middle Earth Standard Time' given in the X-timezone header is not known. Use a Windows time zone id, an IANA name, UTC, or an offset such as +08:00."
    refused(lambda: get("/CsActiveUserDaily", "Middle Earth Standard Time"), 400, text)


@check("a wrong password, another user and no credentials are 401, with the challenge that clients wait for")
def _():
    for asking in (session(password=PASSWORD + "x"), session(user="nobody@demo.example"), requests.Session()):
        # Not of this machine's .netrc either.
        asking.trust_env = False
        for path in ("", "/$metadata", "/CsActiveUserDaily"):
            answer = asking.get(SERVICE + path)
            assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Basic realm="), (path, answer.status_code)
    try:
        connect(password=PASSWORD + "x")
        raise AssertionError("a wrong password was let in")
    except HttpError as error:
        assert error.response.status_code == 401
    assert connect(user=USER.upper()).entity_sets, "names of users have no case"


@check("a set that is not there is 404")
def _():
    refused(lambda: get("/CsActiveUserHourly"), 404, "Resource not found for the segment 'CsActiveUserHourly'.")
    refused(lambda: get("/csactiveuserdaily"), 404, "Resource not found for the segment 'csactiveuserdaily'.")
    assert get("/CsActiveUserDaily").status_code == session().get(SERVICE.upper().replace(BASE_URL.upper(), BASE_URL) + "/CsActiveUserDaily").status_code == 200


@check("a bad filter or ordering is 400, in the documented words")
def _():
    for text, expected in [
        ("Date ge '2013-05-01'", "A binary operator with incompatible types was detected. Found operand types 'Edm.DateTime' and 'Edm.String' for operator kind 'GreaterThanOrEqual'."),
        ("Date xx 5", "Syntax error at position 7 in 'Date xx 5'."),
        ("Foo eq 1", f"Could not find a property named 'Foo' on type '{TYPE}'."),
        ("ActiveUsers", "The $filter expression must evaluate to a single boolean value."),
        ("ActiveUsers lt null", "The operator 'lt' is not supported for the 'null' literal; only equality checks are supported."),
        ("isof('Edm.Int64')", "The function 'isof' is not supported."),
    ]:
        refused(lambda: rows_of().filter(text).execute(), 400, expected)
    refused(lambda: rows_of().order_by("Foo").execute(), 400, f"Could not find a property named 'Foo' on type '{TYPE}'.")


@check("bad options are 400 in the documented words, and a format that there is not is 415")
def _():
    for query, status, expected in [
        ("$top=abc", 400, "Incorrect format for $top argument 'abc'."),
        ("$skip=-1", 400, "Incorrect format for $skip argument '-1'."),
        ("$inlinecount=some", 400, 'Unknown $inlinecount option, only "allpages" and "none" are supported'),
        ("$Filter=ID eq 1", 400, "The query parameter '$Filter' begins with a system-reserved '$' character but is not recognized."),
        ("$top=1&$top=1", 400, "Query parameter '$top' is specified, but it should be specified exactly once."),
        (
            "$select=Date,Foo",
            400,
            f"Type '{TYPE}' does not have a property named 'Foo'; there is no service action named 'Foo' that is bindable to the type '{TYPE}'; "
            "and there is no type with the name 'Foo'.",
        ),
    ]:
        refused(lambda: get(f"/CsActiveUserDaily?{query}"), status, expected)
    assert get("/CsActiveUserDaily?$format=Foo").status_code == 415


@check("Atom without Accept, X-RWS-Version on every answer, and no answer that could be kept")
def _():
    answer = get("/CsActiveUserWeekly?$top=1", Accept="*/*")
    assert answer.headers["content-type"] == "application/atom+xml;type=feed;charset=utf-8", answer.headers
    assert answer.headers["cache-control"] == "no-cache, no-store" and answer.headers["dataserviceversion"] == "2.0;", answer.headers
    for answer in (answer, get("/Nothing"), get("/$metadata")):
        assert answer.headers["x-rws-version"] == "2013-V1" and answer.headers["request-id"], answer.headers


if INGEST_KEY:

    @check("the rows are those of the native report, in every period and in a zone with summer time")
    def _():
        for zone in ("UTC", "America/New_York"):
            for period, by in (("Daily", "day"), ("Weekly", "week"), ("Monthly", "month")):
                # The first may begin and the last end outside of the range.
                rows = everything(period, zone)[0][1:-1]
                # The date of a row is the day after its period, and the last day of a range is in it.
                question = {"from": f"{rows[0].Date - 35 * DAY:%Y-%m-%d}", "to": f"{rows[-1].Date - DAY:%Y-%m-%d}", "zone": zone}
                question |= {"by": by, "user_kind": "member", "device": "computer"}
                native = requests.get(f"{BASE_URL}/v1/reports/active-users", question, headers={"Authorization": f"Bearer {INGEST_KEY}"})
                assert native.status_code == 200, native.text
                counts = [row["users"] for row in native.json()["rows"] if row["users"]][-len(rows) :]
                assert counts == [row.ActiveUsers for row in rows], f"{zone} {period}: {counts}"


def main():
    failed = 0
    for promise, run in CHECKS:
        try:
            run()
            print(f"ok      {promise}")
        except Exception as error:  # a failed check must not hide those after it
            failed += 1
            print(f"FAILED  {promise}: {error!r}")
            traceback.print_exc()
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
