#!/usr/bin/env python3
"""Checks the native API of a running rollcall against the OpenAPI document that it gives: pip install schemathesis==4.32.5 openapi-spec-validator==0.9.0 requests==2.34.2

With a key of each scope, and with none, schemathesis asks every route what the document allows and what it forbids: nothing may be answered with a 5xx, a status,
content type or shape that is not in the document, and nothing that it forbids may be accepted. Then a key that only counts reads everything that it can, and no
user of the directory may be in it. Environment (demo.env has the first three): BASE_URL, ORG_ID, INGEST_KEY; ROLLCALL, the executable; DATA, the data directory, to
make keys. SECONDS, for schemathesis altogether (100). Prints a line for each check, and exits with 1 if any failed. Changes the directory and adds facts: run it last.
"""

import datetime
import json
import os
import subprocess
import sys
import tempfile

import requests
from openapi_spec_validator import OpenAPIV31SpecValidator

BASE_URL = os.environ["BASE_URL"].rstrip("/")
ORG_ID = os.environ["ORG_ID"]
INGEST_KEY = os.environ["INGEST_KEY"]
ROLLCALL = os.environ["ROLLCALL"]
DATA = os.environ["DATA"]
SECONDS = int(os.environ.get("SECONDS", "100"))
os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost,::1")

CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance", "negative_data_rejection", "unsupported_method"]
SCOPES = ["ingest", "read", "read:people", "admin"]


def make_key(*flags):
    command = [ROLLCALL, "key", "create", "--data", DATA, "--organization", ORG_ID, "--name", "check-native", *flags]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def ask(path, key, **parameters):
    return requests.get(BASE_URL + path, params=parameters, headers={"Authorization": f"Bearer {key}"}, timeout=60)


def schemathesis(name, key, seconds):
    """Whether schemathesis has nothing to object to."""
    command = ["st", "run", f"{BASE_URL}/v1/openapi.json", "--url", BASE_URL, "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"]
    command += ["--max-examples", "20", "--max-time", str(seconds), "--workers", "2", "--seed", "1", "--request-timeout", "60", "--continue-on-failure", "--no-color"]
    if key:
        command += ["-H", f"Authorization: Bearer {key}"]
    command[0] = os.path.join(os.path.dirname(sys.executable), "st")
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(command, capture_output=True, text=True, cwd=place)
    if done.returncode != 0:
        print(done.stdout[-8000:], done.stderr[-2000:])
    return done.returncode == 0


def nobody_is_found(key):
    """Whether a key that only counts is told of nobody, by any report in any format."""
    people = ask("/v1/directory", INGEST_KEY).json()["users"]
    names = {text for user in people for text in (user["id"], user["name"]) if len(text) > 3}
    today = datetime.date.today()
    range_ = {"from": today - datetime.timedelta(days=28), "to": today}
    document = requests.get(f"{BASE_URL}/v1/openapi.json", timeout=60).json()
    good = True
    for path, operations in document["paths"].items():
        if "get" not in operations or not operations["get"]["security"]:
            continue
        parameters = range_ if path.startswith("/v1/reports/") else {}
        for extra in ({}, {"format": "csv"}, {"by": "whole"}, {"breakdown": "coding"}):
            answer = ask(path, key, **parameters, **extra)
            found = [name for name in names if name in answer.text]
            if found:
                print(f"{path} {extra}: {answer.status_code} names {found[:3]}")
                good = False
    return good and len(names) > 10


def main():
    results = []

    def check(promise, good):
        results.append(good)
        print(("ok    " if good else "FAILED"), promise, flush=True)

    document = requests.get(f"{BASE_URL}/v1/openapi.json", timeout=60).json()
    problems = [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]
    check(f"the document is OpenAPI 3.1 {problems[:3] or ''}", not problems)
    keys = {scope: make_key("--scope", scope) for scope in SCOPES}
    check("a key that only counts finds nobody", nobody_is_found(keys["read"]))
    for name, key in [("no key", None), *keys.items()]:
        check(f"what the document says, with {name}", schemathesis(name, key, SECONDS // (len(SCOPES) + 1)))
    # A key with which anything was tried may have revoked itself.
    audit = ask("/v1/audit", make_key("--scope", "admin")).json()["events"]
    check("the audit log has the keys", any(event["action"] == "key-made" for event in audit))
    print(json.dumps({"passed": sum(results), "of": len(results)}))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
