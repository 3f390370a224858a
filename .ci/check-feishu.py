#!/usr/bin/env python3
"""Checks a running rollcall with Feishu's own Python SDK: pip install lark-oapi==1.7.5

Environment (demo.env has it): BASE_URL, FEISHU_APP_ID, FEISHU_APP_SECRET; SERVER_KEY_FILE, the server's signing key, for the expired token.
Prints a line for each check, and exits with 1 if any failed. Needs meetings within the last week, as the demo has.
"""

import base64
import hashlib
import hmac
import os
import re
import sys
import time
import traceback

import lark_oapi as lark
from lark_oapi.api.auth.v3 import InternalTenantAccessTokenRequest, InternalTenantAccessTokenRequestBody
from lark_oapi.api.vc.v1 import GetDailyReportRequest, GetTopUserReportRequest
from lark_oapi.core.exception import ObtainAccessTokenException
from lark_oapi.core.json import JSON

BASE_URL = os.environ["BASE_URL"].rstrip("/")
APP_ID = os.environ["FEISHU_APP_ID"]
APP_SECRET = os.environ["FEISHU_APP_SECRET"]
KEY_FILE = os.environ.get("SERVER_KEY_FILE")
os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost,::1")

DAY = 86_400
NOW = int(time.time())
WEEK_AGO = NOW - 7 * DAY
LOG_ID = re.compile(r"\d{14}[0-9A-F]{20}")

CHECKS = []


def check(promise):
    def add(run):
        CHECKS.append((promise, run))
        return run

    return add


def client(app_id=APP_ID, secret=APP_SECRET, set_token=False):
    builder = lark.Client.builder().app_id(app_id).app_secret(secret).domain(BASE_URL).enable_set_token(set_token)
    return builder.log_level(lark.LogLevel.CRITICAL).build()


def ask_token(app_id=APP_ID, secret=APP_SECRET):
    body = InternalTenantAccessTokenRequestBody.builder().app_id(app_id).app_secret(secret).build()
    request = InternalTenantAccessTokenRequest.builder().request_body(body).build()
    response = client().auth.v3.tenant_access_token.internal(request)
    return response, JSON.unmarshal(response.raw.content.decode(), dict)


def daily(start=WEEK_AGO, end=NOW, token=None, **more):
    builder = GetDailyReportRequest.builder()
    for name, value in {"start_time": start, "end_time": end, **more}.items():
        if value is not None:
            getattr(builder, name)(value)
    return send("get_daily", builder.build(), token)


def top(start=WEEK_AGO, end=NOW, token=None, **more):
    builder = GetTopUserReportRequest.builder()
    for name, value in {"start_time": start, "end_time": end, "order_by": 1, **more}.items():
        if value is not None:
            getattr(builder, name)(value)
    return send("get_top_user", builder.build(), token)


def send(method, request, token):
    if token is None:
        return getattr(client().vc.v1.report, method)(request)
    option = lark.RequestOption.builder().tenant_access_token(token).build()
    return getattr(client(set_token=True).vc.v1.report, method)(request, option)


def answered(response):
    assert response.success(), f"code {response.code}: {response.msg}"
    assert LOG_ID.fullmatch(response.get_log_id() or ""), f"log id {response.get_log_id()!r}"
    return response.data


def refused(response, status, code, fields=None):
    assert (response.raw.status_code, response.code) == (status, code), f"{response.raw.status_code} {response.code}: {response.msg}"
    assert LOG_ID.fullmatch(response.get_log_id() or ""), f"log id {response.get_log_id()!r}"
    # The SDK leaves `error` of a typed response as the dictionary it came as.
    assert response.error["log_id"] == response.get_log_id(), "the body names another log id than the header"
    if fields is not None:
        named = [violation["field"] for violation in response.error["field_violations"]]
        assert named == fields, f"field violations {named}"


def signed(token, seconds):
    """The application's token of another time, by the recipe in the documentation of the dialect's token.rs."""
    with open(KEY_FILE, "rb") as file:
        key = file.read(32)  # what follows is its checksum
    raw = base64.urlsafe_b64decode(token.removeprefix("t-") + "=" * (-len(token.removeprefix("t-")) % 4))
    version_and_organization, app_id = raw[:17], raw[21:-32]
    slot = (seconds - 1) // 5400
    head = version_and_organization + slot.to_bytes(4, "big") + app_id
    secret_hash = hashlib.sha256(APP_SECRET.encode()).digest()
    mac = hmac.new(key, b"rollcall feishu tenant token" + secret_hash + head, hashlib.sha256).digest()
    return "t-" + base64.urlsafe_b64encode(head + mac).decode().rstrip("=")


@check("a token is had through the SDK's own call, lives 30 minutes to 2 hours, and is the same when asked again")
def _():
    response, body = ask_token()
    again = ask_token()[1]
    assert response.success() and LOG_ID.fullmatch(response.get_log_id() or ""), f"{response.raw.content!r}"
    assert body["tenant_access_token"].startswith("t-") and 1800 <= body["expire"] <= 7200, body["expire"]
    # A new one is right only where the second call fell into the next slot.
    assert again["tenant_access_token"] == body["tenant_access_token"] or body["expire"] <= 1801


@check("a wrong secret is 200 with 10014 and no token")
def _():
    response, body = ask_token(secret=APP_SECRET + "x")
    assert (response.raw.status_code, body["code"]) == (200, 10014), body
    assert "tenant_access_token" not in body and "expire" not in body and response.get_log_id(), body


@check("an unknown application is 10014 in the SDK's token manager, a malformed one 10003")
def _():
    for app_id, code in [("cli_nobody", 10014), ("no id", 10003)]:
        request = GetDailyReportRequest.builder().start_time(WEEK_AGO).end_time(NOW).build()
        try:
            client(app_id=app_id).vc.v1.report.get_daily(request)
            raise AssertionError(f"{app_id} was let in")
        except ObtainAccessTokenException as error:
            assert error.code == code, f"{app_id}: {error.code}"


@check("get_daily answers rows of days, and totals that are their sums")
def _():
    report = answered(daily()).meeting_report
    rows = report.daily_report
    assert len(rows) in (8, 9), f"{len(rows)} rows"
    dates = [int(row.date) for row in rows]
    assert dates == sorted(set(dates)) and dates[0] <= WEEK_AGO and dates[-1] <= NOW, dates
    for total, field in [
        (report.total_meeting_count, "meeting_count"),
        (report.total_meeting_duration, "meeting_duration"),
        (report.total_participant_count, "participant_count"),
    ]:
        assert isinstance(total, str), f"{total!r} is no string"
        assert int(total) == sum(int(getattr(row, field)) for row in rows), field
    assert int(report.total_meeting_count) > 0, "no meetings within the last week"
    assert int(report.total_participant_count) >= int(report.total_meeting_count)


@check("adjoining ranges of get_daily add up")
def _():
    middle = WEEK_AGO + 3 * DAY + 12_345
    whole, first, second = (int(answered(daily(*r)).meeting_report.total_meeting_count) for r in [(WEEK_AGO, NOW), (WEEK_AGO, middle), (middle, NOW)])
    assert whole == first + second, f"{whole} is not {first} + {second}"


@check("days to come have no rows")
def _():
    rows = answered(daily(end=NOW + 3650 * DAY)).meeting_report.daily_report
    assert int(rows[-1].date) <= NOW, rows[-1].date
    assert answered(daily(NOW + 2 * DAY, NOW + 3 * DAY)).meeting_report.daily_report == []


@check("get_top_user answers users in descending order, by meetings and by duration, ten where no limit is given")
def _():
    for order_by in (1, 2):
        users = answered(top(order_by=order_by, limit=100)).top_user_report
        measures = [(int(user.meeting_count), int(user.meeting_duration)) for user in users]
        first = [measure[order_by - 1] for measure in measures]
        assert users and first == sorted(first, reverse=True), first
        assert all(isinstance(user.meeting_count, str) and user.id and user.name and user.user_type in (1, 2, 5, 6) for user in users)
        assert len({user.id for user in users}) == len(users)
        few = answered(top(order_by=order_by, limit=3)).top_user_report
        assert [user.id for user in few] == [user.id for user in users[:3]]
        assert len(answered(top(order_by=order_by)).top_user_report) == min(10, len(users))


@check("get_top_user takes open_id and union_id")
def _():
    for id_type in ("open_id", "union_id"):
        assert answered(top(user_id_type=id_type)).top_user_report, id_type


@check("bad parameters are 121003 and named, each of them")
def _():
    for response, fields in [
        (daily(NOW, NOW), ["end_time"]),
        (daily(NOW, WEEK_AGO), ["end_time"]),
        (daily(None, NOW), ["start_time"]),
        (daily(None, None), ["start_time", "end_time"]),
        (daily("yesterday", "1e9"), ["start_time", "end_time"]),
        (daily(-NOW, NOW), ["start_time"]),
        (daily(unit=4), ["unit"]),
        (top(order_by=None), ["order_by"]),
        (top(order_by=3), ["order_by"]),
        (top(limit=0), ["limit"]),
        (top(limit=101), ["limit"]),
        (top(user_id_type="email"), ["user_id_type"]),
        (top(None, None, limit=-1, order_by=0, unit=9), ["start_time", "end_time", "limit", "order_by", "unit"]),
    ]:
        refused(response, 400, 121003, fields)


@check("a range older than the last 90 days is 121003")
def _():
    refused(daily(NOW - 91 * DAY, NOW - 90 * DAY), 400, 121003, ["start_time"])
    refused(top(NOW - 91 * DAY, NOW), 400, 121003, ["start_time"])
    answered(daily(NOW - 90 * DAY + 60, NOW))


@check("a forged token is 99991663, before parameters are looked at")
def _():
    token = ask_token()[1]["tenant_access_token"]
    for forged in ["t-caecc734c2e3328a62489fe0648c4b98779515d3", token[:-2] + ("AA" if token[-2:] != "AA" else "BA"), token + "A"]:
        refused(daily("yesterday", token=forged), 400, 99991663)
        refused(top(token=forged), 400, 99991663)
    refused(daily(token="eyJhbGciOiJFUzI1NiJ9.e30.c2ln"), 400, 99991668)
    refused(daily(token="nonsense"), 400, 99991671)


if KEY_FILE:

    @check("an expired token is 99991663, the same recipe at the present time is let in")
    def _():
        token = ask_token()[1]["tenant_access_token"]
        answered(daily(token=signed(token, int(time.time()))))
        # The slot before the last ended at least 60 minutes ago.
        refused(daily(token=signed(token, int(time.time()) - 2 * 5400)), 400, 99991663)


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
