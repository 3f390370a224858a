"""Many organizations in one process, each with few facts: start, memory, and what the lake makes of them."""

import datetime
import hashlib
import json
import shutil
import subprocess
import sys
import time
import uuid

import table
from rates import script
from server import Server
from work import WORK, run, say

CONNECTIONS, ROUNDS, SECONDS = 16, 3, 60


def key(number):
    return hashlib.sha256(f"organization {number}".encode()).hexdigest()


def config(count):
    organizations = [
        f"""
[[organizations]]
id = "{uuid.UUID(int=number + 1)}"
name = "Organization {number}"
time_zone = "Asia/Shanghai"

[[organizations.ingest_keys]]
name = "compare"
hash = "sha256:{hashlib.sha256(key(number).encode()).hexdigest()}"
"""
        for number in range(count)
    ]
    return 'listen = "127.0.0.1:0"\ndata = "data"\n\n[storage]\nreserve_bytes = 0\n' + "".join(organizations)


def post(number, turn):
    """A fact of one organization."""
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=10, seconds=turn)
    at = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    fact = {"session_id": f"s{turn}", "session_started_at": at, "user_id": f"u{turn}", "joined_at": at, "left_at": at}
    return "POST", "/v1/attendance", {"Authorization": f"Bearer {key(number)}", "Content-Type": "application/x-ndjson"}, json.dumps(fact)


def measure(program, count):
    """Adds the rows of so many organizations to the table."""
    if not shutil.which("wrk"):
        say("many organizations are not measured: there is no wrk")
        return
    server = Server(program, config(count), {})
    try:
        server.start()
        time.sleep(2)
        empty = server.memory()
        say(f"rollcall: a fact of each of {count:,} organizations, again and again")
        file, requests = WORK / "wrk.lua", [post(number, turn) for turn in range(ROUNDS) for number in range(count)]
        text = script(requests).replace("local asked", "asked").replace("local at", "at")
        file.write_text(f"init = function(args)\n{text}\nend\n")
        before, used = versions(server), server.cpu()
        command = ["wrk", "--threads", 1, "--connections", CONNECTIONS, "--duration", f"{SECONDS}s", "--timeout", "60s", "--script", file, server.address.geturl()]
        said = run(*command, stdout=subprocess.PIPE).stdout.decode()
        if "Non-2xx" in said:
            sys.exit(said)
        sent = int(said.split(" requests in ")[0].split()[-1])
        commits, peak, cpu = versions(server) - before, server.peak(), server.cpu() - used
        ended = server.stop()
        started = server.start()
        quiet = server.wait_until_quiet()
        memory, files = server.memory(), len(list((server.data / "lake").rglob("*.parquet")))
        stored = server.stored()["all"]
    finally:
        server.end()
    table.heading(f"{count:,} organizations, each sends a fact again and again for {SECONDS} s, one in a request; {CONNECTIONS} connections")
    table.add("facts taken in, one in a request, a second", sent / SECONDS, table.rate, more_is_better=True)
    table.add("processors' time a request", cpu / sent, table.micros)
    table.add("commits of each table of the lake meanwhile, a minute", commits * 60 / SECONDS, table.times, target=1)
    table.add("data files of the lake after a start", files, table.rate)
    table.add("peak memory", peak, table.mib, target=2**30)
    table.add("SIGTERM to exit", ended, table.millis, target=2)
    table.add("ready after SIGTERM", started, table.millis, target=3)
    table.add("memory of an idle organization after a start", max(0, memory - empty) / count, table.each, target=200, note=f"beside {table.mib(empty)} of an empty data directory with as many in its configuration")
    table.add("quiet after a start", quiet, table.millis)
    table.add("stored an organization", stored / count, table.each)


def versions(server):
    """How many commits the lake's table of attendances has, without the first, which makes it."""
    return len([file for file in (server.data / "lake" / "attendance").glob("_delta_log/*.json") if int(file.stem) > 0])
