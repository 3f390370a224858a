#!/usr/bin/env python3
"""Checks a running rollcall with Volcengine's own two Python SDKs: pip install volcengine==1.0.229 volcengine-python-sdk==5.0.54

Environment (demo.env has it): BASE_URL, VOLC_AK, VOLC_SK, VOLC_APP_ID; INGEST_KEY, to hold the rows against the native report.
Prints a line for each check, and exits with 1 if any failed. Needs stays with places within the last week, as the demo has, and the limits that
are usual: two requests a second, 7 days, 30 days.
"""

import concurrent.futures
import datetime
import json
import os
import sys
import time
import traceback
import urllib.parse

import requests
import volcenginesdkcore
from volcengine.ApiInfo import ApiInfo
from volcengine.Credentials import Credentials
from volcengine.ServiceInfo import ServiceInfo
from volcengine.base.Service import Service
from volcenginesdkcore.rest import ApiException
from volcenginesdkcore.signv4 import SignerV4

BASE_URL = os.environ["BASE_URL"].rstrip("/")
AK = os.environ["VOLC_AK"]
SK = os.environ["VOLC_SK"]
APP_ID = os.environ["VOLC_APP_ID"]
INGEST_KEY = os.environ.get("INGEST_KEY")
# One of the SDKs looks at no list of hosts that are asked without a proxy.
for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
    os.environ.pop(name, None)
    os.environ.pop(name.lower(), None)

ACTION = "ListOperationDistribution"
VERSIONS = ("2020-12-01", "2023-11-01")
CHINA = datetime.timezone(datetime.timedelta(hours=8))
TODAY = datetime.datetime.now(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
DAY = datetime.timedelta(days=1)
WEEK = (TODAY - 6 * DAY, TODAY + DAY)

CHECKS = []


def check(promise):
    def add(run):
        CHECKS.append((promise, run))
        return run

    return add


def question(dimension="province", app_id=APP_ID, span=WEEK, **more):
    start, end = (time if isinstance(time, str) else time.isoformat() for time in span)
    fields = {"AppId": app_id, "StartTime": start, "EndTime": end, "Indicator": "user_count", "Dimension": dimension, **more}
    return {name: value for name, value in fields.items() if value is not None}


def paced(ask):
    """Asks until the flow limit, which the checks themselves would run into, lets it through."""
    for _ in range(20):
        status, answer = ask()
        if status != 429:
            break
        time.sleep(0.4)
    return status, answer


def old(body, version=VERSIONS[0], action=ACTION, path="/", ak=AK, sk=SK, region="cn-north-1", service="rtc", token="", method="json"):
    """With the SDK `volcengine`: the status it lets through as a success is 200, anything else it raises as text."""
    url = urllib.parse.urlsplit(BASE_URL)
    credentials = Credentials(ak, sk, service, region, token)
    client = Service(ServiceInfo(url.netloc, {"Accept": "application/json"}, credentials, 10, 10, url.scheme), {})
    client.api_info["ask"] = ApiInfo("GET" if method == "get" else "POST", path, {"Action": action, "Version": version}, {}, {})
    try:
        return 200, json.loads(client.get("ask", {}) if method == "get" else client.json("ask", {}, json.dumps(body)))
    except Exception as error:  # the SDK raises nothing more precise
        if not isinstance(error.args[0], (bytes, str)):
            raise
        answer = json.loads(error.args[0])
        error = answer["ResponseMetadata"]["Error"]
        return {100018: 429}.get(error.get("CodeN"), 400), answer


def new(body, version=VERSIONS[0], action=ACTION, ak=AK, sk=SK, region="cn-north-1", service="rtc", token=None, method="POST"):
    """With the SDK `volcengine-python-sdk`, which returns the result alone."""
    configuration = volcenginesdkcore.Configuration()
    configuration.host, configuration.scheme = BASE_URL, urllib.parse.urlsplit(BASE_URL).scheme
    configuration.ak, configuration.sk, configuration.region = ak, sk, region
    configuration.auto_retry = False
    if token:
        configuration.session_token = token
    api = volcenginesdkcore.UniversalApi(volcenginesdkcore.ApiClient(configuration))
    info = volcenginesdkcore.UniversalInfo(method=method, service=service, version=version, action=action, content_type="application/json")
    try:
        return 200, {"Result": api.do_call(info, body)}
    except ApiException as error:
        return error.status, json.loads(error.body)


def result(answer):
    status, answer = answer
    assert status == 200, answer
    return answer["Result"]


def refused(answer, code, number, message=""):
    _, answer = answer
    metadata = answer["ResponseMetadata"]
    found = (metadata["Error"]["Code"], metadata["Error"].get("CodeN"))
    assert found == (code, number) and message in metadata["Error"]["Message"], metadata
    assert len(metadata["RequestId"]) == 34 and "Result" not in answer, answer


def rows_of(found):
    return [(row["DistributionName"], row["Value"], row["Proportion"]) for row in found["Data"]]


@check("provinces, with each SDK, in both versions and under the prefix: the same rows, in order, shares cut off and of one total")
def _():
    first = result(paced(lambda: old(question())))
    assert (first["Name"], first["Dimension"]) == ("user_num", "province"), first
    rows = rows_of(first)
    assert len(rows) > 5 and any(name == "上海" for name, _, _ in rows), rows
    assert rows == sorted(rows, key=lambda row: (-row[1], row[0])) and len({name for name, _, _ in rows}) == len(rows), rows
    # A total that all shares are of: each is its value's part in it, cut off after two decimals.
    hundredths = [(value, round(share * 100)) for _, value, share in rows]
    least = max(value * 10_000 // (share + 1) + 1 for value, share in hundredths)
    most = min(value * 10_000 // share for value, share in hundredths if share)
    assert max(least, sum(value for value, _ in hundredths)) <= most, hundredths
    for version in VERSIONS:
        assert rows_of(result(paced(lambda: new(question(), version)))) == rows, version
        assert rows_of(result(paced(lambda: old(question("Province", Indicator="user_num"), version, path="/volcengine/")))) == rows, version


@check("countries: the mainland, and Hong Kong by itself")
def _():
    rows = rows_of(result(paced(lambda: new(question("country")))))
    assert rows[0][0] == "中国" and all(value > 0 for _, value, _ in rows), rows
    provinces = dict((name, value) for name, value, _ in rows_of(result(paced(lambda: old(question())))))
    assert dict((name, value) for name, value, _ in rows).get("中国香港") == provinces.get("香港"), rows


if INGEST_KEY:

    @check("the rows are those of the native report, shares too, of whole days and of a range to the second")
    def _():
        now = datetime.datetime.now(CHINA).replace(microsecond=0)
        for span in (WEEK, (now - datetime.timedelta(hours=30, seconds=17), now)):
            for dimension, by in (("province", {"by": "subdivision", "country": "CN"}), ("country", {"by": "country"})):
                asked = {"from": span[0].isoformat(), "to": span[1].isoformat(), "app": APP_ID, **by}
                native = requests.get(f"{BASE_URL}/v1/reports/users-by-place", asked, headers={"Authorization": f"Bearer {INGEST_KEY}"})
                assert native.status_code == 200, native.text
                expected = [(row["name_zh"], row["users"], row["share"]) for row in native.json()["rows"] if row["place"] is not None]
                found = rows_of(result(paced(lambda: new(question(dimension, span=span)))))
                assert found and sorted(found) == sorted(expected), (span, dimension, found, expected)


@check("any region is signed for, and echoed")
def _():
    _, answer = paced(lambda: old(question(), region="ap-singapore-1"))
    metadata = answer["ResponseMetadata"]
    assert (metadata["Region"], metadata["Service"], metadata["Action"], metadata["Version"]) == ("ap-singapore-1", "rtc", ACTION, VERSIONS[0]), metadata


@check("a wrong secret, an unknown key, another service and a session token are told apart")
def _():
    for ask, plain in ((old, ""), (new, None)):
        refused(ask(question(), sk=SK + "x"), "SignatureDoesNotMatch", 100010)
        refused(ask(question(), ak="AKLTnobody"), "InvalidAccessKey", 100009, "[AKLTnobody]")
        refused(ask(question(), service="vod"), "InvalidCredential", 100025)
        refused(ask(question(), token="STS2token"), "InvalidAccessKey", 100009, "issues no session tokens")
        assert result(paced(lambda: ask(question(), token=plain)))
    unsigned = requests.post(f"{BASE_URL}/?Action={ACTION}&Version={VERSIONS[0]}", json=question())
    refused((unsigned.status_code, unsigned.json()), "MissingAuthenticationToken", 100003)
    assert unsigned.status_code == 401 and unsigned.headers["content-type"] == "application/json; charset=utf-8"


@check("an unknown operation or version is 404, another method 405")
def _():
    for action, version in (("ListOperationData", VERSIONS[0]), (ACTION, "2023-07-20")):
        status, answer = new(question(), version, action)
        assert status == 404, answer
        refused((status, answer), "InvalidActionOrVersion", 100008, f"Could not find operation {action} for version {version}.")
        refused(old(question(), version, action), "InvalidActionOrVersion", 100008)
    refused(old({}, method="get"), "MethodNotAllowed", 100020)


@check("an unknown app, a bad range and bad fields are 400 without a number, in words that name them")
def _():
    long_ago = (TODAY - 31 * DAY, TODAY - 30 * DAY)
    for body, code, message in [
        (question(app_id="nobodys"), "InvalidParameter.NotExistAppId", 'AppId "nobodys" does not exist.'),
        (question(app_id="a b"), "InvalidParameter.IllegalAppId", 'AppId "a b" is malformed'),
        (question(span=WEEK[::-1]), "InvalidParameter.StartTimeAfterEndTime", "is not later than StartTime"),
        (question(span=long_ago), "InvalidParameter.OutofTimeRange", "is more than 30 days ago; the earliest accepted now is"),
        (question(span=(WEEK[0], WEEK[1] + datetime.timedelta(seconds=1))), "InvalidParameter.OutofTimeRange", "is longer than 7 days."),
        (question(span=("2021-07-24", WEEK[1])), "InvalidParameter", "is not an RFC 3339 time"),
        (question("city"), "InvalidParameter", 'Dimension "city" is not supported; use province or country.'),
        (question(Indicator="minutes"), "InvalidParameter", 'Indicator "minutes" is not supported'),
        (question(AppId=None), "InvalidParameter", "AppId is missing."),
        (question(AppId=7), "InvalidParameter.Unmarshal", "AppId must be a string."),
    ]:
        for ask in (old, new):
            answer = paced(lambda: ask(body))
            assert answer[0] == 400, answer
            refused(answer, code, None, message)


@check("more than two requests a second are 429, which passes")
def _():
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: new(question()), range(16)))
    limited = [answer for answer in answers if answer[0] == 429]
    assert limited, "sixteen requests at once were all let through"
    for answer in limited:
        refused(answer, "FlowLimitExceeded", 100018)
    assert all(answer[0] in (200, 429) for answer in answers), answers
    assert result(paced(lambda: old(question())))["Data"]


def presigned(sk=SK, method="POST", host=None):
    query = {"Action": ACTION, "Version": VERSIONS[0]}
    return SignerV4.sign_url("/", method, query, AK, sk, "cn-north-1", "rtc", host=host)


@check("a presigned URL of each SDK is taken, with its host signed or not; the body is the caller's")
def _():
    url = urllib.parse.urlsplit(BASE_URL)
    client = Service(ServiceInfo(url.netloc, {}, Credentials(AK, SK, "rtc", "cn-north-1"), 10, 10, url.scheme), {})
    client.api_info["ask"] = ApiInfo("POST", "/", {"Action": ACTION, "Version": VERSIONS[0]}, {}, {})

    def post(query, body=question()):
        answer = requests.post(f"{BASE_URL}/?{query}", json=body)
        return answer.status_code, answer.json()

    for query in (presigned(), presigned(host=url.netloc), client.get_sign_url("ask", {})):
        assert rows_of(result(paced(lambda: post(query)))), query
        assert result(paced(lambda: post(query, question("country"))))["Dimension"] == "country"
        refused(post(query.replace(VERSIONS[0], VERSIONS[1])), "SignatureDoesNotMatch", 100010)
    refused(post(presigned(sk=SK + "x")), "SignatureDoesNotMatch", 100010)
    refused(post(presigned(method="GET")), "SignatureDoesNotMatch", 100010)
    refused(post(presigned(host="elsewhere.example")), "SignatureDoesNotMatch", 100010)


@check("what is not meant for this API is not answered by it")
def _():
    for method in ("GET", "POST"):
        answer = requests.request(method, f"{BASE_URL}/")
        assert answer.status_code == 404 and "ResponseMetadata" not in answer.text, answer.text


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
