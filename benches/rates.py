"""Requests a second at 1, 16 and 256 connections: wrk goes round many different questions, whose cells are kept."""

import datetime
import json
import re
import shutil
import subprocess
import sys

import asked
import table
from asked import Asker
from assistance import Assistances
from facts import Facts
from server import Server
from work import DAY, WORK, run, say

FACTS, USERS = 1_000_000, 10_000
CONNECTIONS = (1, 16, 256)
# Different questions of a kind.
QUESTIONS = 64
# Ranges that begin at any second: so many that wrk asks hardly any of them twice.
SECONDS = 4_000
# One fact more, so that whatever is kept of an answer no longer holds.
EVERY = 1


def questions(asker, facts, assistances):
    """Kinds of questions by name, each with its requests and what it is to reach at 16 connections."""
    end = facts.end
    date = lambda back: datetime.datetime.fromtimestamp(end - back * DAY, asked.AHEAD).date()
    each = range(QUESTIONS)
    computers = {"user_kind": "member", "device": "desktop,web"}
    return {
        "meeting days, Feishu, 90 days": ([asker.meeting_days(end - (90 + back) * DAY, end - back * DAY) for back in each], 5_000),
        "top users, Feishu, 90 days": ([asker.top_users(end - (90 + back) * DAY, end - back * DAY) for back in each], 5_000),
        "active users by week, native, 180 days": (
            [asker.native("active-users", by="week", **{"from": date(180 + back), "to": date(back + 1)}, **computers) for back in each], 5_000),
        "CsActiveUserWeekly, Office 365": (
            [asker.office(f"CsActiveUserWeekly?$filter=Date%20ge%20datetime%27{date(300 - back)}T00:00:00%27") for back in each], 5_000),
        "departmentUsage, Yunxiao, the root, 30 days": ([asker.departments(*assistances.days(30, back), assistances.root) for back in each], 5_000),
        "users by place, native, 30 days from any second": (
            [asker.native("users-by-place", by="subdivision", **{"from": (end - 30 * DAY + 1 + second) * 1000, "to": end * 1000}) for second in range(SECONDS)], 200),
        "department days, native, all departments, 90 days": (
            [asker.native("department-days", **{"from": date(90 + back), "to": date(back + 1)}) for back in range(4)], 50),
    }


def script(requests):
    """A script that has wrk ask these, one after another."""
    lines = ["local asked = {}"]
    for method, path, headers, body in requests:
        said = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items())
        lines.append(f"asked[#asked + 1] = wrk.format({json.dumps(method)}, {json.dumps(path)}, {{{said}}}, {json.dumps(body) if body else 'nil'})")
    # Paths with host and port would make one request of several; wrk adds the host itself.
    lines += ["local at = 0", "request = function() at = at % #asked + 1; return asked[at] end"]
    return "\n".join(lines)


def rate(server, requests, connections, seconds):
    """Requests a second, and how long the slowest of a hundred took."""
    file = WORK / "wrk.lua"
    # `wrk.format` needs to know the host, which it does once it runs.
    file.write_text("init = function(args)\n" + script(requests).replace("local asked", "asked").replace("local at", "at") + "\nend\n")
    command = ["wrk", "--threads", 1, "--connections", connections, "--duration", f"{seconds}s", "--timeout", "60s", "--latency", "--script", file, server.address.geturl()]
    said = run(*command, stdout=subprocess.PIPE).stdout.decode()
    if (wrong := re.search(r"(Non-2xx.*|Socket errors.*)", said)) is not None:
        sys.exit(f"{wrong[1]}: {said}")
    slowest = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), float(slowest[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1}[slowest[2]]


def measure(program, count, seconds):
    """Adds the rates to the table."""
    if not shutil.which("wrk"):
        say("requests a second are not measured: there is no wrk")
        return
    facts, assistances = Facts(program, count, USERS, 365), Assistances(program, count, USERS)
    server = Server(program, asked.CONFIG, asked.hidden())
    try:
        server.start()
        asker = Asker(server)
        asker.put_directory(assistances.document)
        say("rollcall: loading for rates")
        server.load(facts.ndjson(), count)
        server.load(assistances.file, count, "--fact", "assistance")
        server.operate("flush")
        server.wait_until_quiet()
        table.heading(f"requests a second over {count:,} attendances of {USERS:,} users and {count:,} assistances: 99 of 100 within")
        for what, (requests, target) in questions(asker, facts, assistances).items():
            # All are asked once: their cells are kept.
            for request in requests[:QUESTIONS]:
                asker.call(request)
            before = None
            for connections in CONNECTIONS:
                reached, slowest = rate(server, requests, connections, seconds)
                say(f"{what}: {reached:,.0f}/s at {connections}")
                note = f"{table.millis(slowest)}"
                # More connections never give less: measured rates vary by a tenth.
                wanted = target if connections == 16 else (0.9 * before if connections > 16 else None)
                table.add(f"{what}, {connections} connections", reached, table.rate, more_is_better=True, target=wanted, note=note)
                before = reached
    finally:
        server.end()
