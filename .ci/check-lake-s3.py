#!/usr/bin/env python3
"""Runs rollcall with its lake in an S3-compatible store, over real sockets, through trouble: pip install "moto[server]==5.2.5" deltalake==1.6.6 requests==2.34.2

Environment: ROLLCALL (the executable). Starts the store and, in front of it, a proxy that is away, slow, or loses answers when it is told to. Ingests,
kills, restarts, and reads the tables with delta-rs all along: they, the reports and the receipts must say the same. Then backs up to the store and
restores from there. Prints a line for each step, and exits with 1 at the first that fails.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import requests
from deltalake import DeltaTable, QueryBuilder

ROLLCALL = os.environ["ROLLCALL"]
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
KEY, SECRET = "key-of-the-check-of-lakes", "secret-of-the-store"
ORG = "6f6e0a52-7d5b-4bb6-9a55-8f7f8d3b5c11"
BASE = 1_740_960_000_000  # 2025-03-03
PATIENCE = 60
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ROLLCALL_"))}
ENVIRONMENT |= {"INGEST_KEY": KEY, "STORE_SECRET": SECRET, "NO_PROXY": "127.0.0.1,localhost"}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Proxy:
    """Passes connections on to the store: `mode` is "well", "away" (none is taken), "slow" (answers wait) or "lossy" (commits happen, unanswered)."""

    def __init__(self, store):
        self.store, self.mode, self.lost, self.open = store, "well", 0, set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            if self.mode == "away":
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.store))
            pair = {"client": client, "server": server, "commit": False}
            self.open.add(client)
            for source, sink in [("client", "server"), ("server", "client")]:
                threading.Thread(target=self.pump, args=(pair, source, sink), daemon=True).start()

    def pump(self, pair, source, sink):
        with contextlib.suppress(OSError):
            while piece := pair[source].recv(1 << 16):
                if self.mode == "away":
                    break
                if source == "client" and b" HTTP/1.1\r\n" in piece:
                    pair["commit"] = piece.startswith(b"PUT ") and b"_delta_log" in piece.split(b"\r\n", 1)[0]
                if source == "server":
                    if self.mode == "slow":
                        time.sleep(0.5)
                    if self.mode == "lossy" and pair["commit"]:
                        self.lost += 1
                        break
                pair[sink].sendall(piece)
        for end in (pair["client"], pair["server"]):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.open.discard(pair["client"])

    def set(self, mode):
        self.mode = mode
        if mode == "away":
            for client in list(self.open):
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)


class Server:
    """A rollcall that serves a data directory."""

    def __init__(self, home):
        self.home, self.address = home, home / "address"
        self.address.unlink(missing_ok=True)
        self.log = open(home / "log", "ab")
        self.process = subprocess.Popen(serve(home), env=ENVIRONMENT, stdout=self.log, stderr=self.log)
        until(lambda: self.address.exists() or self.process.poll() is not None, "the server starts")
        assert self.process.poll() is None, self.logged()
        self.url = self.address.read_text().strip()
        until(lambda: self.answers(), "the server answers")

    def answers(self):
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200

    def logged(self):
        return (self.home / "log").read_text()

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(PATIENCE)

    def post(self, path, lines):
        body = "\n".join(map(json.dumps, lines)).encode()
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-ndjson"}
        answer = requests.post(f"{self.url}/v1/{path}", data=body, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def report(self, report, **query):
        query = {"from": "2025"} | query
        answer = requests.get(f"{self.url}/v1/reports/{report}", params=query, headers={"Authorization": f"Bearer {KEY}"}, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]


def serve(home):
    return [ROLLCALL, "serve", "--config", str(home / "rollcall.toml"), "--address-file", str(home / "address")]


def until(so, what):
    begun = time.monotonic()
    while not so():
        assert time.monotonic() - begun < PATIENCE, f"never: {what}"
        time.sleep(0.1)


def configuration(home, lake, port):
    home.mkdir(exist_ok=True)
    (home / "rollcall.toml").write_text(f"""
listen = "127.0.0.1:0"
[lake]
url = "{lake}"
flush_seconds = 1
[lake.options]
aws_endpoint = "http://127.0.0.1:{port}"
aws_region = "us-east-1"
aws_access_key_id = "check"
aws_secret_access_key = "env:STORE_SECRET"
[[organizations]]
id = "{ORG}"
name = "Check"
time_zone = "UTC"
[[organizations.ingest_keys]]
name = "check"
secret = "env:INGEST_KEY"
""")


class Facts:
    """Numbered facts, so that what is there can be counted: each attendance is a meeting of its own."""

    def __init__(self):
        self.count = 0

    def send(self, server, count):
        numbers = range(self.count, self.count + count)
        attendance = [{"session_id": f"m{n}", "session_started_at": BASE + n * 60_000, "user_id": f"u{n % 17}", "joined_at": BASE + n * 60_000,
                       "left_at": BASE + n * 60_000 + 90_000} for n in numbers]
        assistance = [{"user_id": f"u{n % 17}", "at": BASE + n * 60_000, "kind": "completion", "accepted": 1} for n in numbers]
        begun = time.monotonic()
        for path, lines in [("attendance", attendance), ("assistance", assistance)]:
            receipt = server.post(path, lines)
            assert receipt["accepted"] + receipt["duplicate"] == count, receipt
        self.count += count
        return time.monotonic() - begun


def table(url, port):
    options = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "check",
               "AWS_SECRET_ACCESS_KEY": SECRET}
    return DeltaTable(url, storage_options=options)


def counts(lake, port):
    """Of each table: facts, distinct facts, distinct users."""
    found = []
    for name, fact in [("attendance", "session_id"), ("assistance", "at")]:
        query = QueryBuilder().register("facts", table(f"{lake}/{name}", port))
        rows = query.execute(f"SELECT count(*) AS a, count(DISTINCT {fact}) AS b, count(DISTINCT user_id) AS c FROM facts").read_all()
        found.append(tuple(int(rows.column(column)[0].as_py()) for column in range(3)))
    return found


def settled(lake, port, facts, server):
    """Waits until the tables have every fact, once, and the reports say so."""
    expected = [(facts.count, facts.count, 17)] * 2

    def so():
        with contextlib.suppress(Exception):
            found = counts(lake, port)
            assert all(a == b for a, b, _ in found), f"a fact is there twice: {found}"
            return found == expected
    try:
        until(so, f"{facts.count} facts in both tables")
    except AssertionError:
        print(counts(lake, port), server.logged()[-3000:])
        raise
    assert sum(row["meetings"] for row in server.report("meeting-days")) == facts.count
    assert sum(row["suggested"] for row in server.report("developer-days", by="whole")) == facts.count


def command(*words, code=0, **environment):
    done = subprocess.run([ROLLCALL, *map(str, words)], env=ENVIRONMENT | environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, f"{words}: {done.returncode} {done.stdout} {done.stderr}"
    assert SECRET not in done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def step(what):
    print(f"ok   {what}", flush=True)


def check(root, store, proxy):
    home, lake = root / "home", "s3://facts/a/lake"
    requests.put(f"http://127.0.0.1:{store}/facts", timeout=10).raise_for_status()
    configuration(home, lake, proxy.port)
    assert f"lake at {lake}" in command("config", "check", "--config", home / "rollcall.toml")

    server, facts = Server(home), Facts()
    for _ in range(5):
        facts.send(server, 100)
        time.sleep(0.5)
    settled(lake, store, facts, server)
    step(f"{facts.count} facts of both kinds, read by delta-rs at version {table(f'{lake}/attendance', store).version()}")

    for _ in range(4):
        facts.send(server, 50)
        time.sleep(0.7)
        server.end(signal.SIGKILL)
        server = Server(home)
    settled(lake, store, facts, server)
    step("after four kills: every fact, once")

    proxy.set("lossy")
    for _ in range(6):
        facts.send(server, 20)
        time.sleep(0.8)
    proxy.set("well")
    settled(lake, store, facts, server)
    assert proxy.lost >= 3, f"only {proxy.lost} answers were lost"
    assert "another process" not in server.logged()
    step(f"{proxy.lost} commits whose answer was lost: every fact, once")

    proxy.set("away")
    longest = 0
    for _ in range(10):
        longest = max(longest, facts.send(server, 20))
        assert sum(row["meetings"] for row in server.report("meeting-days")) == facts.count
        time.sleep(0.3)
    until(lambda: "could not be flushed into the lake; they stay in the ledger" in server.logged(), "a failed flush is logged")
    assert server.answers()
    proxy.set("well")
    settled(lake, store, facts, server)
    step(f"the store was away: ingest took at most {longest * 1000:.0f} ms, and facts came to the lake later")

    proxy.set("slow")
    longest = 0
    for _ in range(10):
        longest = max(longest, facts.send(server, 20))
        time.sleep(0.3)
    assert longest < 0.5, f"ingest waited for the store: {longest} s"
    proxy.set("well")
    settled(lake, store, facts, server)
    step(f"the store was slow: ingest took at most {longest * 1000:.0f} ms")

    data, config = home / "data", ["--config", home / "rollcall.toml"]
    refused = command("backup", "s3://facts/backup", "--data", data, *config, code=1)
    assert "--key-file" in refused and "--without-signing-key" in refused, refused
    (root / "backup.key").write_text("k" * 40)
    sealed = [*config, "--key-file", root / "backup.key"]
    made = json.loads(command("backup", "s3://facts/backup", "--data", data, *sealed, "--format", "json"))
    facts.send(server, 100)
    settled(lake, store, facts, server)
    again = json.loads(command("backup", "s3://facts/backup", "--data", data, *sealed, "--format", "json"))
    assert again["files_written"] < made["files_written"] and again["lake_facts"] == 2 * facts.count, (made, again)
    assert [found[0] for found in counts("s3://facts/backup", store)] == [facts.count] * 2
    step(f"backup of {made['files']} files while serving; the next wrote {again['files_written']}; its tables are read by delta-rs")

    server.end(signal.SIGTERM)
    environment = {"AWS_ENDPOINT": f"http://127.0.0.1:{proxy.port}", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "check", "AWS_SECRET_ACCESS_KEY": SECRET}
    found = json.loads(command("verify", "--data", data, "--format", "json", **environment))
    assert (found["facts"], found["differences"]) == (2 * facts.count, 0), found
    step("verify finds the lake by itself, and no difference")

    new = root / "new"
    configuration(new, lake, proxy.port)
    refused = command("restore", "s3://facts/backup", "--data", new / "data", "--config", new / "rollcall.toml", code=1)
    assert "one lake has one writer" in refused, refused
    configuration(new, "s3://facts/restored", proxy.port)
    unsealed = ["--config", new / "rollcall.toml", "--key-file", root / "backup.key"]
    found = json.loads(command("restore", "s3://facts/backup", "--data", new / "data", "--verify", "--format", "json", *unsealed))
    assert (new / "data" / "signing.key").read_bytes() == (data / "signing.key").read_bytes()
    assert (found["facts"], found["differences"]) == (2 * facts.count, 0), found
    restored = Server(new)
    facts.send(restored, 10)
    settled("s3://facts/restored", store, facts, restored)
    restored.end(signal.SIGTERM)
    step("restored to another place of the store: it serves the same, and goes on")

    proxy.set("away")
    told = command("serve", *config, code=1)
    assert "does not answer, and only the lake knows which facts it has" in told and "AWS_" in told, told
    step("a start without the store says what is missing")
    for logged in (server.logged(), restored.logged()):
        assert SECRET not in logged and KEY not in logged


def main():
    with tempfile.TemporaryDirectory() as root, contextlib.ExitStack() as ends:
        port = free_port()
        moto = pathlib.Path(sys.executable).parent / "moto_server"
        store = subprocess.Popen([moto, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ends.callback(store.kill)

        def answers():
            with contextlib.suppress(requests.ConnectionError):
                return requests.get(f"http://127.0.0.1:{port}/", timeout=5).ok
        until(answers, "the store answers")
        check(pathlib.Path(root), port, Proxy(port))


if __name__ == "__main__":
    main()
