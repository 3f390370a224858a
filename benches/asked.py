"""What is asked over HTTP: each API's requests as (method, path, headers, body), and how its answers are read."""

import base64
import datetime
import hashlib
import hmac
import json
import secrets
import statistics
import sys
import time
import urllib.parse
import xml.etree.ElementTree

AHEAD = datetime.timezone(datetime.timedelta(hours=8))
ORG = "6f6e0a52-7d5b-4bb6-9a55-8f7f8d3b5c11"
OFFICE = "/ecp/reportingwebservice/reporting.svc/"
DATA = "{http://schemas.microsoft.com/ado/2007/08/dataservices}"
PROPERTIES = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}properties"
PAGE = 100
SECRETS = ("COMPARE_KEY", "COMPARE_SECRET", "COMPARE_PASSWORD", "COMPARE_VOLC_SECRET", "COMPARE_TOKEN")

CONFIG = f"""
listen = "127.0.0.1:0"
data = "data"

# The reserve is 64 MiB of room, not of facts.
[storage]
reserve_bytes = 0

[[organizations]]
id = "{ORG}"
name = "Compare"
time_zone = "Asia/Shanghai"

[[organizations.ingest_keys]]
name = "compare"
secret = "env:COMPARE_KEY"

[organizations.feishu]
history_days = 0
requests_per_minute = 0

[[organizations.feishu.apps]]
app_id = "cli_compare000000"
secret = "env:COMPARE_SECRET"

[organizations.office365]
history_months = 0

[[organizations.office365.users]]
name = "compare"
role = "view-only-recipients"
password = "env:COMPARE_PASSWORD"

[organizations.volcengine]
max_age_days = 0
max_span_days = 0
requests_per_second = 0

[[organizations.volcengine.access_keys]]
id = "AKCOMPARE"
secret = "env:COMPARE_VOLC_SECRET"

[organizations.yunxiao]
requests_per_minute = 0

[[organizations.yunxiao.tokens]]
name = "compare"
secret = "env:COMPARE_TOKEN"
scopes = ["department-usage"]
"""


def hidden():
    """A secret for each name."""
    return {name: secrets.token_hex(32) for name in SECRETS}


class Asker:
    """Asks one server, on one kept connection."""

    def __init__(self, server):
        self.server, self.connection, self.token = server, server.connect(), None

    def call(self, request):
        """The seconds until the whole answer was there, its body, and the answer."""
        began = time.perf_counter()
        self.connection.request(*([request[0], request[1], request[3], request[2]]))
        response = self.connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - began
        if response.status != 200:
            sys.exit(f"{request[1]}: {response.status} {body[:500]}")
        return seconds, body, response

    def median(self, requests, read):
        """The median of the seconds of some requests, and what was read from each answer."""
        calls = [self.call(request) for request in requests]
        return statistics.median(seconds for seconds, _, _ in calls), [read(body) for _, body, _ in calls]

    # Requests

    def native(self, report, **parameters):
        path = f"/v1/reports/{report}?{urllib.parse.urlencode(parameters)}"
        return "GET", path, {"Authorization": f"Bearer {self.server.env['COMPARE_KEY']}"}, None

    def put_directory(self, document):
        headers = {"Authorization": f"Bearer {self.server.env['COMPARE_KEY']}", "Content-Type": "application/json"}
        self.call(("PUT", "/v1/directory", headers, document))

    def feishu(self, path, start, end):
        if not self.token:
            app = json.dumps({"app_id": "cli_compare000000", "app_secret": self.server.env["COMPARE_SECRET"]})
            _, body, _ = self.call(("POST", "/open-apis/auth/v3/tenant_access_token/internal", {"Content-Type": "application/json"}, app))
            self.token = json.loads(body)["tenant_access_token"]
        return "GET", f"/open-apis/vc/v1/reports/{path}start_time={start}&end_time={end}", {"Authorization": f"Bearer {self.token}"}, None

    def meeting_days(self, start, end):
        return self.feishu("get_daily?", start, end)

    def top_users(self, start, end):
        return self.feishu("get_top_user?limit=100&order_by=1&", start, end)

    def office(self, path, zone="+08:00"):
        credentials = base64.b64encode(f"compare:{self.server.env['COMPARE_PASSWORD']}".encode()).decode()
        return "GET", OFFICE + path, {"Authorization": f"Basic {credentials}", "X-timezone": zone}, None

    def by_province(self, start, end):
        """Signed by Volcengine's specification, section 2.1, with the fewest headers."""
        at = lambda second: datetime.datetime.fromtimestamp(second, AHEAD).isoformat()
        body = {"AppId": "default", "StartTime": at(start), "EndTime": at(end), "Indicator": "user_num", "Dimension": "province"}
        body, host = json.dumps(body).encode(), self.server.address.netloc
        now, query = datetime.datetime.now(datetime.timezone.utc), "Action=ListOperationDistribution&Version=2020-12-01"
        date, scope = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}/cn-north-1/rtc/request"
        canonical = f"POST\n/\n{query}\nhost:{host}\nx-date:{date}\n\nhost;x-date\n{hashlib.sha256(body).hexdigest()}"
        mac = self.server.env["COMPARE_VOLC_SECRET"].encode()
        for part in (*scope.split("/"), f"HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"):
            mac = hmac.digest(mac, part.encode(), "sha256")
        authorization = f"HMAC-SHA256 Credential=AKCOMPARE/{scope}, SignedHeaders=host;x-date, Signature={mac.hex()}"
        return "POST", f"/?{query}", {"Host": host, "X-Date": date, "Authorization": authorization, "Content-Type": "application/json"}, body

    def departments(self, first, last, department=None, page=1):
        """Of days of +08:00, the last included."""
        query = {"startTime": first, "endTime": last, "perPage": PAGE} | ({"departmentId": department} if department else {})
        path = f"/oapi/v1/lingma/organizations/{ORG}/departmentUsage?{urllib.parse.urlencode(query | {'page': page})}"
        return "GET", path, {"x-yunxiao-token": self.server.env["COMPARE_TOKEN"]}, None


# Answers, each as ClickHouse's rows are written


def read_meeting_days(body):
    """By day: meetings, seconds and participants; days without meetings left out."""
    days = json.loads(body)["data"]["meeting_report"]["daily_report"]
    rows = {int(day["date"]): [int(day[field]) for field in ("meeting_count", "meeting_duration", "participant_count")] for day in days}
    return {day: row for day, row in rows.items() if any(row)}


def read_top_users(body):
    """Users with meetings and minutes, in order."""
    return [(user["id"], int(user["meeting_count"]), int(user["meeting_duration"])) for user in json.loads(body)["data"]["top_user_report"]]


def read_office(body):
    """By the end of the period: active users."""
    rows = xml.etree.ElementTree.fromstring(body).iter(PROPERTIES)
    return {row.findtext(f"{DATA}Date"): int(row.findtext(f"{DATA}ActiveUsers")) for row in rows}


def read_by_province(body):
    """Users of each province, without names: rollcall's are Chinese."""
    return sorted(row["Value"] for row in json.loads(body)["Result"]["Data"])


def read_native(body):
    """By date: the users of a row."""
    return {row["date"]: row["users"] for row in json.loads(body)["rows"]}
