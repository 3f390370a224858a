"""Facts that are awkward, and all facts as anybody would read them."""

import json
import os
import pathlib
import random
import tempfile
import time

import duckdb
import requests
from deltalake import DeltaTable

from .asked import AWKWARD, BASE_URL, DEVICES, KEY, KINDS, MEDIA, SESSION_KINDS, TIMES, ZONES, get
from .when import DAY_MS, start_of


def add_awkward_facts(departments):
    """Stays of no length and over midnights of several zones, meetings that begin twice, places written in two ways, kinds that change at one instant,
    every set of media."""
    fill = random.Random(7)
    attendances, assistances = [], []
    for number in range(600):
        started = start_of(fill.choice(AWKWARD), fill.choice(ZONES)) + fill.choice([0, -1, 1, fill.randrange(DAY_MS)])
        joined = started + fill.choice([0, 1, -1, fill.randrange(DAY_MS)])
        fact = {"session_id": f"awkward-{fill.randrange(40)}", "session_started_at": started // 900_000 * 900_000 if number % 2 else started,
                "session_kind": fill.choice(SESSION_KINDS), "user_id": f"awkward-{fill.randrange(25)}", "user_kind": fill.choice(KINDS),
                "device": fill.choice(DEVICES), "joined_at": joined, "left_at": joined + fill.choice([0, 0, 1, fill.randrange(7 * DAY_MS)]),
                "media": fill.sample(MEDIA, fill.randrange(len(MEDIA) + 1))}
        place = fill.choice(["CN-HK", "HK", "CN-TW", "TW-TPE", "TW", "CN", "CN-SH", "US-CA", "US", None])
        if place:
            fact["subdivision" if "-" in place else "country"] = place
        attendances.append(fact)
        if number % 3 == 0:
            attendances.append(fact | {"session_id": f"{fact['session_id']}-too", "user_kind": fill.choice(KINDS)})
        kind = fill.choice(["chat", "completion", "edit"])
        used = {"user_id": f"awkward-{fill.randrange(25)}", "at": joined, "kind": kind, "lines_accepted": fill.randrange(2) * 3, "lines_changed": fill.randrange(2) * 5}
        if kind == "chat":
            used |= {"chat_type": "我的命令", "turns": fill.randrange(3), "accepted": fill.randrange(2)}
        if kind == "completion":
            used |= {"suggested": fill.randrange(3), "accepted": fill.randrange(2), "ide": fill.choice(["VSCode", "vim"]), "language": fill.choice(["Go", "c#"])}
        if number % 2:
            used["department_id"] = fill.choice([*departments, "nowhere"])
        assistances.append(used)
        TIMES.extend([started, joined, fact["left_at"], joined])
    for path, facts in [("attendance", attendances), ("assistance", assistances)]:
        body = "\n".join(map(json.dumps, facts)).encode()
        answer = requests.post(f"{BASE_URL}/v1/{path}", data=body, headers=KEY | {"Content-Type": "application/x-ndjson"}, timeout=60)
        assert answer.status_code == 200, answer.text


def load():
    """The facts as anybody would read them: exported, and in the lake, which has them a little later."""
    exported, lake = duckdb.connect(), duckdb.connect()
    with tempfile.TemporaryDirectory() as folder:
        for table in ("attendance", "assistance"):
            file = pathlib.Path(folder, f"{table}.parquet")
            file.write_bytes(get(table, format="parquet").content)
            count = exported.execute(f"CREATE TABLE {table} AS SELECT * FROM read_parquet('{file}')").fetchone()[0]
            path, files, in_lake, deadline = f"{os.environ['LAKE']}/{table}", [], 0, time.time() + 120
            while in_lake != count:
                assert time.time() < deadline, f"{in_lake} of {count} facts are in the lake"
                if DeltaTable.is_deltatable(path):
                    files = DeltaTable(path).file_uris(file_pruning_predicate=[("organization", "=", os.environ["ORG_ID"])])
                    in_lake = lake.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM read_parquet(?)", [files]).fetchone()[0]
                time.sleep(0.5)
            size = sum(pathlib.Path(name).stat().st_size for name in files)
            print(f"     {table}: {count} facts, {file.stat().st_size} bytes as an export, {size} in the lake", flush=True)
    return [exported, lake]
