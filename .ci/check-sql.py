#!/usr/bin/env python3
"""Holds the native reports of a running rollcall against the SQL beside them, run by DuckDB on exported facts and on the lake:
pip install deltalake==1.6.6 duckdb==2.0.0 requests==2.34.2 tzdata==2026.6

Environment (demo.env has it): BASE_URL, INGEST_KEY, ORG_ID, LAKE, DEMO_LAST_DAY, DEMO_DAYS. Adds some awkward facts of its own, exports everything as
Parquet, waits for it in the lake, and asks deterministic pseudo-random questions, every other one of the lake's tables. The directory is replaced by one with moves for some of them, and then put back. Prints a line for each report,
and exits with 1 if a row differs.
"""

import os
import sys
import traceback

from sql import asked, facts
from sql.assistance import department_days, developer_days
from sql.attendance import active_users, concurrency, department_users, meeting_days, top_users, users_by_means, users_by_place, week_hours
from sql.directory import DEPARTMENTS, directory, moves
from sql.people import people, person, session, sessions, silent

QUESTIONS = int(os.environ.get("QUESTIONS", "40"))
BY_DIRECTORY = [active_users, week_hours, users_by_means, department_users, sessions, people, silent, department_days, developer_days]
ALL = [meeting_days, top_users, users_by_place, concurrency, session, person, *BY_DIRECTORY]


def check(report, times):
    """Asks so many questions, and says whether every row was the same."""
    compared = 0
    try:
        for _ in range(times):
            compared += report()
            asked.DATABASES.reverse()
        assert compared > 0, "no row was compared"
    except Exception:
        traceback.print_exc()
        print(f"FAIL {report.__name__}{' with moves' if directory.is_moved else ''}")
        return False
    print(f"ok   {report.__name__}{' with moves' if directory.is_moved else ''}: {compared} rows of {times} questions", flush=True)
    return True


facts.add_awkward_facts(DEPARTMENTS)
asked.DATABASES.extend(facts.load())
passed = [check(report, QUESTIONS) for report in ALL]
with moves():
    passed += [check(report, QUESTIONS // 2) for report in BY_DIRECTORY]
sys.stdout.flush()
# Threads of the libraries may abort an interpreter that ends in order.
os._exit(0 if all(passed) else 1)
