#!/usr/bin/env python3
"""Reads the lake of a running rollcall with DuckDB, Polars and delta-rs, while facts are ingested and after:
pip install deltalake==1.6.6 duckdb==2.0.0 polars==2.1.0 pyarrow==26.0.1 requests==2.34.2

Environment (demo.env has it): BASE_URL, INGEST_KEY, ORG_ID, LAKE; and ROLLCALL, the executable. Whatever version a reader meets, it must hold whole requests only, each fact once, and
nothing that was not sent; in the end, everything that was acknowledged. Then the snippets of docs/lake.md are run as they are printed, and what it
warns of is shown. Prints a line for each check, and exits with 1 if one fails.
"""

import datetime
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import traceback

import duckdb
import polars
import requests
from deltalake import DeltaTable

BASE_URL = os.environ["BASE_URL"].rstrip("/")
KEY = {"Authorization": f"Bearer {os.environ['INGEST_KEY']}", "Content-Type": "application/x-ndjson"}
ORGANIZATION = os.environ["ORG_ID"]
LAKE = os.environ["LAKE"]
os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost,::1")
ROOT = pathlib.Path(__file__).parent.parent
# Facts of a request: whole requests are there or not.
REQUEST = 37
SESSION = f"lake-{int(time.time() * 1000)}"
BEGAN = datetime.datetime(2025, 3, 1, 9, tzinfo=datetime.timezone.utc)
acknowledged = 0
stop = threading.Event()


def ingest():
    """Requests of facts with the numbers 0, 1, 2 … as users, in two months, until told to stop."""
    global acknowledged
    session = requests.Session()
    while not stop.is_set():
        first = acknowledged
        facts = []
        for number in range(first, first + REQUEST):
            began = BEGAN + datetime.timedelta(days=number % 60)
            facts.append({"session_id": SESSION, "session_started_at": began.isoformat(), "user_id": f"{SESSION}-{number}", "joined_at": began.isoformat(),
                          "left_at": (began + datetime.timedelta(minutes=30)).isoformat()})
        answer = session.post(f"{BASE_URL}/v1/attendance", data="\n".join(map(json.dumps, facts)), headers=KEY, timeout=60)
        assert answer.status_code == 200 and answer.json()["accepted"] == REQUEST, answer.text
        acknowledged = first + REQUEST


def by_duckdb(table):
    files = table.file_uris(file_pruning_predicate=[("organization", "=", ORGANIZATION)])
    return duckdb.execute("SELECT count(*), count(DISTINCT user_id) FROM read_parquet(?) WHERE session_id = ?", [files, SESSION]).fetchone()


def by_polars(table):
    mine = polars.scan_delta(f"{LAKE}/attendance", version=table.version()).filter((polars.col("organization") == ORGANIZATION) & (polars.col("session_id") == SESSION))
    return mine.select(polars.len(), polars.col("user_id").n_unique()).collect().row(0)


def by_delta_rs(table):
    rows = table.to_pyarrow_dataset().to_table(columns=["user_id", "session_id", "organization"]).to_pydict()
    mine = [user for user, session, org in zip(rows["user_id"], rows["session_id"], rows["organization"]) if session == SESSION and org == ORGANIZATION]
    return len(mine), len(set(mine))


READERS = {"DuckDB": by_duckdb, "Polars": by_polars, "delta-rs": by_delta_rs}


def during_ingest():
    """Several versions, each read by everyone, while more are made."""
    versions, last = set(), 0
    deadline = time.time() + 120
    while len(versions) < 4:
        assert time.time() < deadline, f"the lake had only the versions {versions} in two minutes"
        table = DeltaTable(f"{LAKE}/attendance")
        if table.version() in versions:
            time.sleep(0.2)
            continue
        versions.add(table.version())
        counts = {name: read(table) for name, read in READERS.items()}
        known = acknowledged + REQUEST
        facts, users = counts["DuckDB"]
        assert set(counts.values()) == {(facts, users)}, counts
        assert facts == users, f"{facts} facts of {users} users: a fact is there twice"
        assert facts % REQUEST == 0, f"{facts} facts: a request is there in part"
        assert last <= facts <= known, f"{facts} facts after {last}, of {known} sent"
        last = facts
    return f"{len(versions)} versions, the last with {last} facts of {acknowledged} acknowledged"


def at_rest():
    """Everything acknowledged is in the lake soon, and the reports say the same."""
    deadline = time.time() + 120
    while (counts := {name: read(DeltaTable(f"{LAKE}/attendance")) for name, read in READERS.items()}) != dict.fromkeys(READERS, (acknowledged, acknowledged)):
        assert time.time() < deadline, f"{counts} of {acknowledged} acknowledged"
        time.sleep(0.5)
    begin, end = BEGAN - datetime.timedelta(days=1), BEGAN + datetime.timedelta(days=90)
    files = DeltaTable(f"{LAKE}/attendance").file_uris(file_pruning_predicate=[("organization", "=", ORGANIZATION)])
    question = {"from": begin.isoformat(), "to": end.isoformat(), "by": "whole"}
    answer = requests.get(f"{BASE_URL}/v1/reports/active-users", params=question, headers=KEY, timeout=60)
    reported = answer.json()["rows"][0]["users"]
    found = duckdb.execute("SELECT count(DISTINCT user_id) FROM read_parquet(?) WHERE joined_at < ? AND left_at > ?", [files, end, begin]).fetchone()[0]
    assert reported == found, f"{reported} users by the report, {found} in the lake"
    return f"{acknowledged} facts, {reported} active users by both"


def documentation():
    """Every Python snippet of docs/lake.md runs as it is printed, and the Chinese page has the same."""
    snippets, chinese = (re.findall(r"```python\n(.*?)```", (ROOT / "docs" / name).read_text(), re.S) for name in ["lake.md", "lake.zh-CN.md"])
    assert len(snippets) >= 6, "the snippets are gone"
    assert snippets == chinese, "the pages differ"
    os.chdir(ROOT)
    os.environ["ORGANIZATION"] = ORGANIZATION
    run = []
    for snippet in snippets:
        name = snippet.splitlines()[0].removeprefix("# ")
        if name == "spark" and importlib.util.find_spec("pyspark") is None:
            continue
        try:
            exec(compile(snippet, f"docs/lake.md: {name}", "exec"), {})
        except (duckdb.IOException, duckdb.HTTPException) as error:
            # The extension comes from DuckDB's own server.
            if name != "duckdb-delta" or "extension" not in str(error):
                raise
            continue
        run.append(name)
    return f"{', '.join(run)} of {len(snippets)} snippets"


def a_glob_counts_twice():
    """What docs/lake.md warns of is so: after compaction there are more rows in the directory than in the table."""
    if "ROLLCALL" not in os.environ:
        return "not tried: ROLLCALL does not name the executable"
    subprocess.run([os.environ["ROLLCALL"], "compact", "--data", pathlib.Path(LAKE).parent], check=True, stdout=subprocess.DEVNULL)
    table = DeltaTable(f"{LAKE}/attendance")
    [(counted,)] = duckdb.execute("SELECT count(*) FROM read_parquet(?)", [table.file_uris()]).fetchall()
    [(globbed,)] = duckdb.execute("SELECT count(*) FROM read_parquet(?)", [f"{LAKE}/attendance/organization=*/*/*.parquet"]).fetchall()
    assert globbed > counted, (globbed, counted)
    return f"{globbed} rows in the directory, {counted} facts in the table"


def check(what):
    try:
        print(f"ok   {what.__name__}: {what()}", flush=True)
        return True
    except Exception:
        traceback.print_exc()
        print(f"FAIL {what.__name__}")
        return False


writer = threading.Thread(target=ingest)
writer.start()
try:
    passed = [check(during_ingest)]
finally:
    stop.set()
    writer.join()
passed += [check(at_rest), check(documentation), check(a_glob_counts_twice)]
sys.stdout.flush()
# Threads of the libraries may abort an interpreter that ends in order.
os._exit(0 if all(passed) else 1)
