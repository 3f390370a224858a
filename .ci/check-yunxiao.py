#!/usr/bin/env python3
"""Checks a running rollcall as scripts for Yunxiao's Lingma reports ask it: pip install requests==2.34.2

There is no official SDK for these reports. Environment (demo.env has it): BASE_URL, ORG_ID, YUNXIAO_TOKEN, DEPARTMENT_ID (a root);
MCP_SERVER, the folder of npm's alibabacloud-devops-mcp-server 0.3.64, to let Yunxiao's own server for assistants ask whose the token is.
Prints a line for each check, and exits with 1 if any failed. Needs assistance facts within the last 28 days, as the demo has.
"""

import datetime
import json
import os
import subprocess
import sys
import traceback

import requests

BASE_URL = os.environ["BASE_URL"].rstrip("/")
ORG_ID = os.environ["ORG_ID"]
TOKEN = os.environ["YUNXIAO_TOKEN"]
DEPARTMENT_ID = os.environ["DEPARTMENT_ID"]
MCP_SERVER = os.environ.get("MCP_SERVER")
os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost,::1")

CHINA = datetime.timezone(datetime.timedelta(hours=8))
# The day that runs may get more facts while this asks.
LAST = datetime.datetime.now(CHINA).date() - datetime.timedelta(days=1)
FIRST = LAST - datetime.timedelta(days=27)
RANGE = {"startTime": f"{FIRST:%Y-%m-%d}", "endTime": f"{LAST:%Y-%m-%d}"}
TOTALS = ["totalChatTurns", "totalChatTurnsAccepted", "totalCountAcceptedCompletion", "totalCountSuggestedCompletion", "totalLinesAccepted", "totalLinesChanged"]

CHECKS = []


def check(promise):
    def add(run):
        CHECKS.append((promise, run))
        return run

    return add


def get(path, token=TOKEN, **query):
    headers = {"Content-Type": "application/json"} | ({"x-yunxiao-token": token} if token is not None else {})
    return requests.get(f"{BASE_URL}/oapi/v1{path}", params=query, headers=headers, timeout=60)


def report(name, **query):
    return get(f"/lingma/organizations/{ORG_ID}/{name}", **query)


def pages(name, length, **query):
    """All rows, as a script reads them: page by page, until there is no next one."""
    rows, page = [], "1"
    while page:
        answer = report(name, page=page, perPage=length, **query)
        answer.raise_for_status()
        assert answer.headers["x-page"] == page and answer.headers["x-per-page"] == str(length)
        assert len(answer.json()) <= length
        rows += answer.json()
        page = answer.headers["x-next-page"]
    assert int(answer.headers["x-total"]) == len(rows)
    assert int(answer.headers["x-total-pages"]) == -(-len(rows) // length)
    return rows


def days():
    return [FIRST + datetime.timedelta(days=number) for number in range((LAST - FIRST).days + 1)]


def midnight(day):
    return int(datetime.datetime(day.year, day.month, day.day, tzinfo=CHINA).timestamp() * 1000)


def refused(answer, status, code):
    body = answer.json()
    assert (answer.status_code, body["errorCode"]) == (status, code), answer.text
    assert body["errorMessage"] and body["requestId"] == answer.headers["x-request-id"], answer.text


@check("a department has a row for each day, with every documented key, and somebody was active")
def _():
    rows = report("departmentUsage", departmentId=DEPARTMENT_ID, page=1, perPage=100, **RANGE).json()
    assert [row["date"] for row in rows] == [midnight(day) for day in days()]
    assert all(row["departmentId"] == DEPARTMENT_ID for row in rows)
    assert sum(row["activeDeveloper"] for row in rows) > 0, "nobody was active"
    kinds = {
        "chatting": {"activeDeveloper", "chatTurns", "chatTurnsAccepted", "chatType", "ide"},
        "coding": {"activeDeveloper", "language", "linesAccepted", "linesChanged"},
        "completion": {"activeDeveloper", "countAccepted", "countSuggested", "ide", "language", "linesAccepted", "linesChanged"},
    }
    for row in rows:
        assert set(row) == {"activeDeveloper", "activeDeveloperChat", "activeDeveloperCompletion", "breakdown", "date", "departmentId", *TOTALS}
        assert set(row["breakdown"]) == set(kinds)
        for kind, keys in kinds.items():
            assert all(set(part) == keys for part in row["breakdown"][kind]), kind
        chat, completion = row["activeDeveloperChat"], row["activeDeveloperCompletion"]
        assert max(chat, completion) <= row["activeDeveloper"] <= chat + completion
        for kind, key, total in [
            ("chatting", "chatTurns", "totalChatTurns"),
            ("chatting", "chatTurnsAccepted", "totalChatTurnsAccepted"),
            ("completion", "countSuggested", "totalCountSuggestedCompletion"),
            ("completion", "countAccepted", "totalCountAcceptedCompletion"),
            ("coding", "linesAccepted", "totalLinesAccepted"),
            ("coding", "linesChanged", "totalLinesChanged"),
        ]:
            assert sum(part[key] for part in row["breakdown"][kind]) == row[total], (kind, key)


@check("pages of any length join to the whole")
def _():
    for name in ("departmentUsage", "developerUsage"):
        for query in ({"departmentId": DEPARTMENT_ID}, {}):
            of_week = RANGE | {"startTime": f"{LAST - datetime.timedelta(days=2):%Y-%m-%d}"} | query
            whole = pages(name, 100, **of_week)
            assert whole and whole == pages(name, 17 if len(whole) < 1000 else 93, **of_week), name
            keys = [(row["date"], row.get("departmentId") or row["userId"]) for row in whole]
            assert keys == sorted(set(keys)), name
            beyond = report(name, page=len(whole) + 1, perPage=100, **of_week)
            assert beyond.json() == [] and beyond.headers["x-total"] == str(len(whole)) and beyond.headers["x-next-page"] == ""


@check("without a department, every department of the organization has its row, each covering those below it")
def _():
    departments = get(f"/platform/organizations/{ORG_ID}/departments").json()
    parents = {department["id"]: department.get("parentId") for department in departments}
    day = {"startTime": RANGE["endTime"], "endTime": RANGE["endTime"]}
    rows = {row["departmentId"]: row for row in pages("departmentUsage", 100, **day)}
    assert set(parents) <= set(rows)
    for department, parent in parents.items():
        if parent is not None:
            assert all(rows[department][key] <= rows[parent][key] for key in ["activeDeveloper", *TOTALS]), department
            below = get(f"/platform/organizations/{ORG_ID}/departments", parentId=parent).json()
            assert department in [one["id"] for one in below]
    assert rows[DEPARTMENT_ID] == report("departmentUsage", departmentId=DEPARTMENT_ID, **day).json()[0]


@check("a department is the sum of its developers, each counted once")
def _():
    days_of = {"startTime": f"{LAST - datetime.timedelta(days=4):%Y-%m-%d}", "endTime": RANGE["endTime"], "departmentId": DEPARTMENT_ID}
    developers = pages("developerUsage", 100, **days_of)
    for row in report("departmentUsage", **days_of).json():
        own = [developer for developer in developers if developer["date"] == row["date"]]
        for total in TOTALS:
            assert sum(developer[total] for developer in own) == row[total], total
        for count, status in [("activeDeveloper", "statusActive"), ("activeDeveloperChat", "statusActiveChat"), ("activeDeveloperCompletion", "statusActiveCompletion")]:
            assert sum(developer[status] for developer in own) == row[count], count
        assert all((developer["statusActiveLastedTime"] >= row["date"]) == developer["statusActive"] for developer in own)
    active = next(developer for developer in developers if developer["statusActive"])
    one = report("developerUsage", userId=active["userId"], **days_of).json()
    assert active in one and {developer["userId"] for developer in one} == {active["userId"]}


@check("times are cut to their days, as they are written")
def _():
    times = {"startTime": f"{FIRST:%Y-%m-%d}T00:00:00+08:00", "endTime": f"{LAST:%Y-%m-%d}T23:59:59+08:00"}
    assert report("departmentUsage", departmentId=DEPARTMENT_ID, **times).json() == report("departmentUsage", departmentId=DEPARTMENT_ID, **RANGE).json()


@check("days to come have no rows")
def _():
    answer = report("departmentUsage", startTime="2100-01-01", endTime="2100-12-31")
    names = ["x-page", "x-per-page", "x-total", "x-total-pages", "x-prev-page", "x-next-page"]
    assert answer.json() == [] and [answer.headers[name] for name in names] == ["1", "100", "0", "0", "", ""], answer.headers


@check("what is wrong is refused with the documented status and code")
def _():
    path = f"/lingma/organizations/{ORG_ID}/departmentUsage"
    refused(get(path, token=None), 401, "Unauthorized")
    refused(get(path, token=TOKEN + "x"), 401, "InvalidTokenError")
    refused(get("/lingma/organizations/67d8e0b9120358055abf0000/departmentUsage", **RANGE), 403, "Forbidden.InvalidUser.UserNotInCurrentOrganization")
    for query in ({}, RANGE | {"startTime": "2025-02-30"}, RANGE | {"endTime": "2000-01-01"}, RANGE | {"perPage": 101}, RANGE | {"page": 0}):
        refused(get(path, **query), 400, "BadRequest")
    refused(get(path, departmentId="no-such-department", **RANGE), 404, "NotFound")
    refused(get("/lingma/nothing"), 404, "NotFound")


@check("the token says whose it is")
def _():
    user = get("/platform/user").json()
    organizations = get("/platform/organizations").json()
    assert user["lastOrganization"] == organizations[0]["id"] == ORG_ID and user["id"] and user["name"] and len(organizations) == 1


if MCP_SERVER:

    def ask_mcp(*calls):
        """Starts Yunxiao's server for assistants, which speaks a line of JSON a message, and calls its tools."""
        environment = os.environ | {"YUNXIAO_API_BASE_URL": BASE_URL + "/", "YUNXIAO_ACCESS_TOKEN": TOKEN, "YUNXIAO_EDITION": "central"}
        hello = {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "check", "version": "1"}}
        messages = [{"id": 0, "method": "initialize", "params": hello}, {"method": "notifications/initialized"}]
        messages += [{"id": number, "method": "tools/call", "params": {"name": name, "arguments": given}} for number, (name, given) in enumerate(calls, 1)]
        server = subprocess.Popen(["node", f"{MCP_SERVER}/dist/index.js"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            for message in messages:
                server.stdin.write(json.dumps({"jsonrpc": "2.0"} | message) + "\n")
                server.stdin.flush()
            answers = {}
            while len(answers) <= len(calls):
                line = server.stdout.readline()
                assert line, "the server ended"
                if line.startswith("{") and "id" in (message := json.loads(line)):
                    answers[message["id"]] = message
            return [json.loads(answers[number]["result"]["content"][0]["text"]) for number in range(1, len(calls) + 1)]
        finally:
            server.kill()
            server.wait()

    @check("Yunxiao's own server for assistants finds the organization and its departments")
    def _():
        departments = lambda **query: ("list_organization_departments", {"organizationId": ORG_ID} | query)
        current, organizations, every, below = ask_mcp(
            ("get_current_organization_info", {}), ("get_user_organizations", {}), departments(), departments(parentId=DEPARTMENT_ID)
        )
        assert current["lastOrganization"] == organizations[0]["id"] == ORG_ID, (current, organizations)
        assert DEPARTMENT_ID in [department["id"] for department in every]
        assert below and all(department["parentId"] == DEPARTMENT_ID for department in below), below


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
