#!/usr/bin/env python3
"""Attacks a running rollcall of yours, and prints what everybody else saw meanwhile. Python alone; nothing to install.

    set -a; . demo.env; set +a           # or BASE_URL alone: then only what a stranger can do is tried
    .ci/attack.py                        # every attack; --only WORD for some of them, --list for their names
    OTHER_INGEST_KEY=… .ci/attack.py     # watches as a second organization too: an attack with a credential is one organization's

Each attack goes on for --seconds (3) on --connections (200) connections. Meanwhile bystanders ask /livez, a report, a sign-in and an ingest, each one after
the other, and time each answer. An attack fails if the server answered it as it should not, if a bystander was refused, or if one waited longer than
--patience seconds (5). What an organization does to itself is told, and is no failure. The exit code is 1 if an attack failed.

It sends facts (of the session `attack`) only where the answer should be a refusal or, for bystanders, a duplicate; and it leaves the directory as it was.
Credentials come from the environment, as demo.env has them: INGEST_KEY, FEISHU_APP_ID, RWS_USER and RWS_PASSWORD.
"""

import argparse
import base64
import collections
import gzip
import http.client
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

URL = urllib.parse.urlsplit(os.environ.get("BASE_URL", ""))
KEY = os.environ.get("INGEST_KEY")
OTHER_KEY = os.environ.get("OTHER_INGEST_KEY")
RWS = os.environ.get("RWS_USER"), os.environ.get("RWS_PASSWORD")
SERVICE = "/ecp/reportingwebservice/reporting.svc"
TLS = ssl.create_default_context()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3, help="how long an attack goes on")
    parser.add_argument("--connections", type=int, default=200, help="how many connections it uses")
    parser.add_argument("--patience", type=float, default=5, help="how many seconds a bystander may wait for an answer")
    parser.add_argument("--only", action="append", default=[], metavar="WORD", help="attacks with this word in their name")
    parser.add_argument("--list", action="store_true", help="print the attacks, and try none")
    return parser.parse_args()


# --- How requests are sent --------------------------------------------------------------------------------------------------


def connect(timeout=30):
    port = URL.port or (443 if URL.scheme == "https" else 80)
    plain = socket.create_connection((URL.hostname, port), timeout=timeout)
    return TLS.wrap_socket(plain, server_hostname=URL.hostname) if URL.scheme == "https" else plain


def head(method, path, headers, length=None):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {URL.netloc}", *(f"{name}: {value}" for name, value in headers.items())]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answer(stream):
    """The status and the body of what comes back; 0 if the connection ends without an answer."""
    try:
        response = http.client.HTTPResponse(stream)
        response.begin()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""


def ask(method, path, headers=None, body=None, timeout=30):
    headers = {"Connection": "close"} | (headers or {})
    try:
        with connect(timeout) as stream:
            try:
                stream.sendall(head(method, path, headers, None if body is None else len(body)) + (body or b""))
            except OSError:
                pass  # refused before all was sent: the answer is there to be read
            return answer(stream)
    except OSError:
        return 0, b""


def bearer(key=None):
    return {"Authorization": f"Bearer {key or KEY}"}


def basic(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def ingest(lines, key=None):
    body = "\n".join(json.dumps(line) for line in lines).encode()
    return ask("POST", "/v1/attendance", bearer(key) | {"Content-Type": "application/x-ndjson"}, body)


def fact(**changed):
    began = "2026-03-02T01:00:00Z"
    return {"session_id": "attack", "session_started_at": began, "user_id": "bystander", "joined_at": began, "left_at": began} | changed


# --- Who else is there ------------------------------------------------------------------------------------------------------


class Bystanders:
    """Ask one thing after the other until told to stop, and time the answers. `own` are those of the organization that attacks."""

    def __init__(self, needs):
        self.going = True
        self.own = {"sign-in"} if needs and OTHER_KEY else {"sign-in", "report", "ingest"} if needs else set()
        self.slowest = collections.defaultdict(float)
        self.refused = collections.Counter()
        self.count = 0
        kinds = {"/livez": lambda: ask("GET", "/livez")}
        watcher = OTHER_KEY or KEY
        if watcher:
            by_key = bearer(watcher)
            kinds["report"] = lambda: ask("GET", "/v1/reports/active-users?from=2026-03&by=day", by_key)
            kinds["ingest"] = lambda: ingest([fact()], watcher)
        if all(RWS):
            kinds["sign-in"] = lambda: ask("GET", f"{SERVICE}/CsActiveUserDaily?$top=1", basic(*RWS))
        self.threads = [threading.Thread(target=self.watch, args=kind, daemon=True) for kind in kinds.items()]

    def watch(self, name, act):
        while self.going:
            begun = time.monotonic()
            status, _ = act()
            self.slowest[name] = max(self.slowest[name], time.monotonic() - begun)
            self.count += 1
            if status != 200:
                self.refused[name, status or "no answer"] += 1
            time.sleep(0.02)

    def problems(self, patience):
        """What happened to others that should not."""
        for (name, status), count in self.refused.items():
            yield name, f"{name} was answered {status} {count} times"
        for name, slowest in self.slowest.items():
            if slowest > patience:
                yield name, f"{name} waited more than {patience:g} s"

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.going = False
        for thread in self.threads:
            thread.join()


# --- The attacks ------------------------------------------------------------------------------------------------------------

ATTACKS = []


def attack(name, needs=()):
    """Adds an attack: it returns how often it was answered with which status, and which of these are right."""

    def add(run):
        ATTACKS.append((name, needs, run))
        return run

    return add


def many(options, act):
    """The statuses of an act that is repeated on all connections until the time is over."""
    found, end = collections.Counter(), time.monotonic() + options.seconds

    def repeat(number):
        turn = 0
        while time.monotonic() < end:
            found[act(number, turn)] += 1
            turn += 1

    threads = [threading.Thread(target=repeat, args=(number,), daemon=True) for number in range(options.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def held(options, begin):
    """Connections on which something was begun and not finished, held until the time is over."""
    streams, found = [], collections.Counter()
    for number in range(options.connections):
        try:
            stream = connect()
            streams.append(stream)
            stream.sendall(begin(number))
            found["begun"] += 1
        except OSError:
            found[0] += 1
    time.sleep(options.seconds)
    for stream in streams:
        # Reset rather than closed: a client that is gone at once.
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()
    return found


@attack("an Accept of 2,000 ranges")
def _(options):
    accept = ",".join(f"application/x{number};q=0.{number % 10}" for number in range(2000))
    return many(options, lambda *_: ask("GET", f"{SERVICE}/CsActiveUserDaily", {"Accept": accept})[0]), {401, 404, 406, 503}


@attack("a head of 200 KB")
def _(options):
    return many(options, lambda *_: ask("GET", "/livez", {"X-Long": "x" * 200_000})[0]), {431, 0}


@attack("a path of 60 KB")
def _(options):
    return many(options, lambda *_: ask("GET", "/" + "x" * 60_000)[0]), {404, 414, 431}


@attack("wrong passwords of accounts that exist and that do not")
def _(options):
    names = [RWS[0] or "admin@example.com", "nobody@example.com"]
    guess = lambda number, turn: ask("GET", f"{SERVICE}/CsActiveUserDaily", basic(names[turn % 2], f"guess {number} {turn}"))[0]
    return many(options, guess), {401, 404, 429, 503}


@attack("guesses at the secret of a Feishu application")
def _(options):
    app = os.environ.get("FEISHU_APP_ID", "cli_0000000000000000")

    def guess(number, turn):
        body = json.dumps({"app_id": app, "app_secret": f"guess {number} {turn}"}).encode()
        return ask("POST", "/open-apis/auth/v3/tenant_access_token/internal", {"Content-Type": "application/json"}, body)[0]

    return many(options, guess), {200, 400, 404, 429}


@attack("guesses at ingest keys and tokens")
def _(options):
    def guess(number, turn):
        if turn % 2:
            return ask("GET", "/oapi/v1/platform/user", {"x-yunxiao-token": f"pt-{number}-{turn}"})[0]
        return ask("GET", "/v1/directory", bearer(f"guess-{number}-{turn}"))[0]

    return many(options, guess), {401, 404, 429, 503}


@attack("heads cut in half")
def _(options):
    return held(options, lambda _: b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Begun: "), {"begun", 0}


@attack("connections that say nothing")
def _(options):
    return held(options, lambda _: b""), {"begun", 0}


@attack("requests whose answers nobody reads")
def _(options):
    return held(options, lambda _: head("GET", "/version", {}) * 500), {"begun", 0}


@attack("clients that close their half after the request are answered")
def _(options):
    def half(*_):
        try:
            with connect() as stream:
                if URL.scheme == "https":
                    return 200  # TLS has no half-closed connections to speak of
                stream.sendall(head("GET", "/version", {"Connection": "close"}))
                stream.shutdown(socket.SHUT_WR)
                return answer(stream)[0]
        except OSError:
            return 0

    return many(options, half), {200}


@attack("nested replace() in $orderby", needs=RWS)
def _(options):
    nested = "TenantName"
    for letter in "abcdefghijklmnopqrstuvwxyz" * 3:
        nested = f"replace({nested},'{letter}','{letter * 2}')"
    path = f"{SERVICE}/CsActiveUserDaily?$orderby=" + urllib.parse.quote(nested)
    return many(options, lambda *_: ask("GET", path, basic(*RWS))[0]), {200, 400, 429, 503, 0}


@attack("gzip bodies that never end", needs=[KEY])
def _(options):
    headers = bearer() | {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    begun = head("POST", "/v1/attendance", headers, 60 << 20) + gzip.compress(json.dumps(fact()).encode())[:20]
    return held(options, lambda _: begun), {"begun", 0}


@attack("bodies of blank lines", needs=[KEY])
def _(options):
    body = gzip.compress(b"\n" * (60 << 20))
    headers = bearer() | {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    return many(options, lambda *_: ask("POST", "/v1/attendance", headers, body, timeout=60)[0]), {400, 413, 503, 0}


@attack("exports that nobody reads", needs=[KEY])
def _(options):
    return held(options, lambda _: head("GET", "/v1/attendance?format=ndjson", bearer())), {"begun", 0}


@attack("reports whose clients are gone", needs=[KEY])
def _(options):
    def abandon(number, turn):
        first = 1 + (number * 31 + turn) % 28
        path = f"/v1/reports/active-users?from=2025-{1 + turn % 12:02}-{first:02}T00:00:{turn % 60:02}Z&to=2026-11-01&by=whole"
        try:
            with connect() as stream:
                stream.sendall(head("GET", path, bearer()))
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return "gone"
        except OSError:
            return 0

    return many(options, abandon), {"gone", 0}


@attack("83,000 facts on 83,000 days", needs=[KEY])
def _(options):
    day = lambda number: time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(86_400 * (800 + number)))
    lines = [fact(session_id=f"attack {number}", session_started_at=day(number), joined_at=day(number), left_at=day(number)) for number in range(83_000)]
    return collections.Counter([ingest(lines)[0]]), {400, 413}


@attack("600,000 stays of seven days", needs=[KEY])
def _(options):
    lines = "\n".join(json.dumps(fact(user_id=f"u{number}", left_at="2026-03-09T01:00:00Z")) for number in range(600_000))
    body = gzip.compress(lines.encode())
    headers = bearer() | {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    return collections.Counter([ask("POST", "/v1/attendance", headers, body, timeout=120)[0]]), {400, 413}


@attack("facts of the year 2066", needs=[KEY])
def _(options):
    late = "2066-03-02T01:00:00Z"
    return collections.Counter([ingest([fact(session_started_at=late, joined_at=late, left_at=late)])[0]]), {400}


@attack("an empty directory", needs=[KEY])
def _(options):
    before = ask("GET", "/v1/directory", bearer())
    csv, found = bearer() | {"Content-Type": "text/csv"}, collections.Counter()
    for body in (b"", b"id,name\n"):
        found[ask("PUT", "/v1/directory/users", csv, body)[0]] += 1
    found[ask("PUT", "/v1/directory", bearer() | {"Content-Type": "application/json"}, b"{}")[0]] += 1
    if before != ask("GET", "/v1/directory", bearer()):
        found["the directory is another"] += 1
    return found, {400, 409}


# --- What happened ----------------------------------------------------------------------------------------------------------


def main():
    options = arguments()
    chosen = [one for one in ATTACKS if all(word in one[0] for word in options.only)]
    if options.list:
        print("\n".join(name for name, *_ in chosen))
        return 0
    if not URL.hostname:
        sys.exit("BASE_URL is not set: the server to attack, such as http://127.0.0.1:7070")
    if watcher := OTHER_KEY or KEY:
        # Bystanders send this fact again and again; from now on it is a duplicate.
        ingest([fact()], watcher)
    if all(RWS):
        # A first sign-in may have to wait behind strangers; one that is remembered may not.
        ask("GET", f"{SERVICE}/", basic(*RWS))
    failed = 0
    for name, needs, run in chosen:
        if not all(needs):
            print(f"skipped {name}: the environment has no credential for it")
            continue
        with Bystanders(needs) as bystanders:
            found, expected = run(options)
        problems = [f"the attack was answered {status} {count} times" for status, count in found.items() if status not in expected]
        happened = list(bystanders.problems(options.patience))
        problems += [what for name, what in happened if name not in bystanders.own]
        if ask("GET", "/livez")[0] != 200:
            problems.append("the server does not answer any more")
        saw = ", ".join(f"{kind} at most {slowest * 1000:.0f} ms" for kind, slowest in bystanders.slowest.items())
        print(f"{'FAILED ' if problems else 'ok     '} {name}: {dict(found)}; {bystanders.count} answers to others, {saw}")
        for what in [*problems, *(f"(its own) {what}" for name, what in happened if name in bystanders.own)]:
            print(f"        {what}")
        failed += bool(problems)
    print(f"{failed} failed")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
