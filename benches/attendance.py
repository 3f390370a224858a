"""Attendances: loaded, stored, stopped, started, and every question about them, beside ClickHouse on the same facts."""

import datetime
import json
import shutil
import signal
import sys

import asked
import table
from asked import Asker
from server import Server
from work import DAY, WORK, others, say

# Days that a question covers: questions about meetings, and where nothing else is said.
QUARTER = 90
# For the OData reports: hours of a zone that nothing was asked in before its first request, and of the organization's own.
ZONES = {"ahead": 8 * 3600, "new": 5 * 3600 + 45 * 60}
OFFSETS = {"ahead": "+08:00", "new": "+05:45"}
OFFICE = {"daily": "CsActiveUserDaily", "weekly": "CsActiveUserWeekly", "yearly": "CsActiveUserYearly"}
# For Volcengine's report: the days of each length of range.
PLACES = {"week_by_province": 7, "year_by_province": 365}
LARGEST_NDJSON = 20_000_000


def questions(facts, requests):
    """The ranges that both are asked about, in seconds. No range is asked twice."""
    end = facts.end
    back = lambda days, number: (end - (days + number) * DAY, end - number * DAY)
    later = lambda days, number: (end - days * DAY + 1 + number, end)
    return {
        "count": facts.count,
        "end": end,
        "zones": ZONES,
        "quarters": [back(QUARTER, number) for number in range(requests)],
        # From any second, as a range that ends now has it: nothing is kept of what lies between.
        "ragged": [later(QUARTER, number) for number in range(requests)],
        "places": {
            name: {"days": [back(days, number) for number in range(min(requests, 30))], "ragged": [later(days, number) for number in range(requests)]}
            for name, days in PLACES.items()
        },
    }


class Measured:
    """A load, and what was asked after it."""

    def __init__(self, facts, program, requests):
        self.facts, self.requests = facts, requests
        self.ask = questions(facts, requests)
        self.server = Server(program, asked.CONFIG, asked.hidden())
        self.in_lines = facts.count <= LARGEST_NDJSON
        self.files = facts.ndjson() if self.in_lines else facts.parquet()
        self.found = {}

    def load(self):
        server, found = self.server, self.found
        server.start()
        say("rollcall: loading")
        loading = server.load if self.in_lines else server.load_parquet
        found["load"], found["load_cpu"], found["client_cpu"] = loading(self.files, self.facts.count)
        found["load_peak"] = server.peak()
        found["sigterm"] = server.stop(signal.SIGTERM)
        say(f"rollcall: loaded in {found['load']:.1f} s, ended in {found['sigterm']:.1f} s")

    def ask_at_once(self):
        """The first questions, on a copy that had no quiet moment after its load."""
        quiet, server = self.server.data, self.server
        server.data.rename(kept := server.work / "data-kept")
        shutil.copytree(kept, quiet)
        server.start()
        asker = Asker(server)
        asker.call(asker.office("$metadata"))
        self.found["at_once"] = asker.call(asker.office(OFFICE["weekly"]))[0]
        server.stop(signal.SIGKILL)
        shutil.rmtree(quiet)
        kept.rename(quiet)

    def rest(self):
        """Everything that is done when nothing comes in: the lake complete, what was trimmed gone, cells made."""
        server, found = self.server, self.found
        found["restart"] = server.start()
        server.stop(signal.SIGKILL)
        found["restart_killed"] = server.start()
        say("rollcall: at rest")
        server.operate("flush")
        # What is trimmed may lie on the disk for a minute.
        found["quiet"] = server.wait_until_quiet(at_least=75)
        found["quiet_cpu"] = server.cpu()
        found["stored"] = server.stored()

    def ask_all(self):
        """Every question, and the answers."""
        say("rollcall: asking")
        server, found, ask, requests = self.server, self.found, self.ask, self.requests
        asker = Asker(server)
        # The password is hashed now, and not again.
        asker.call(asker.office("$metadata"))

        def first_and_again(name, requests, read):
            """The first, on cells as they were made in quiet; the median of others; and every answer."""
            found[f"{name}_first"] = asker.call(requests[0])[0]
            found[f"{name}_seconds"], found[name] = asker.median(requests, read)

        for period in ("weekly", "yearly", "daily"):
            for zone in ZONES:
                first_and_again(f"{period}_{zone}", [asker.office(OFFICE[period], OFFSETS[zone])] * requests, asked.read_office)
        days = {"from": self.date(self.facts.begin()), "to": self.date(self.facts.end - DAY), "user_kind": "member", "device": "desktop,web"}
        first_and_again("all_days", [asker.native("active-users", by="day", **days)] * requests, asked.read_native)
        for name, ranges in ask["places"].items():
            for how, spans in ranges.items():
                first_and_again(f"{name}_{how}", [asker.by_province(*span) for span in spans], asked.read_by_province)
        for name, request, read in (
            ("meeting_days", asker.meeting_days, asked.read_meeting_days),
            ("top_users", asker.top_users, asked.read_top_users),
        ):
            for how, spans in (("", ask["quarters"]), ("_ragged", ask["ragged"])):
                first_and_again(f"{name}{how}", [request(*span) for span in spans], read)
        found["memory"], found["peak"] = server.memory(), server.peak()

    def date(self, second):
        return datetime.datetime.fromtimestamp(second, asked.AHEAD).date()


def check(ours, theirs, facts):
    """Ends the benchmark if one number of the answers differs."""

    def same(name, mine, other):
        if mine == other:
            return
        if isinstance(mine, dict):
            mine, other = ({key: value for key, value in some.items() if rest.get(key) != value} for some, rest in ((mine, other), (other, mine)))
        sys.exit(f"{name} differ: {str(mine)[:1000]} {str(other)[:1000]}")

    for how, other in (("", ""), ("_ragged", "_ragged"), ("", "_rollup")):
        for mine, rows in zip(ours[f"meeting_days{how}"], theirs[f"meeting_days{other}"]):
            same("meeting_days", mine, {int(day): [int(meetings), int(millis) // 1000, int(users)] for day, meetings, millis, users in rows})
        for mine, rows in zip(ours[f"top_users{how}"], theirs[f"top_users{other}"]):
            same("top_users", mine, [(user, int(meetings), int(millis) // 60_000) for user, meetings, millis in rows])
    for name in PLACES:
        for how, other in (("_ragged", ""), ("_days", "_rollup")):
            for mine, rows in zip(ours[f"{name}{how}"], theirs[f"{name}{other}"]):
                same(name, mine, sorted(int(users) for _, users in rows))
    epoch = datetime.datetime(1970, 1, 1)

    def span(period, number):
        """The local times between which a period lies."""
        if period == "yearly":
            return datetime.datetime(number, 1, 1), datetime.datetime(number + 1, 1, 1)
        if period == "weekly":
            return epoch + datetime.timedelta(number * 7 - 4), epoch + datetime.timedelta(number * 7 + 3)
        return epoch + datetime.timedelta(number), epoch + datetime.timedelta(number + 1)

    for period in OFFICE:
        for mine, other, zone in ((f"{period}_ahead", f"{period}_ahead", "ahead"), (f"{period}_new", f"{period}_new", "new"), (f"{period}_ahead", f"{period}_rollup", "ahead")):
            now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) + datetime.timedelta(seconds=ZONES[zone])
            spans = [(span(period, int(number)), int(users)) for number, users in theirs[other][0]]
            # A row of a day is there once the day is over, of a week or a year once it has begun.
            expected = {ends.isoformat(): users for (begins, ends), users in spans if (ends if period == "daily" else begins) <= now}
            same(other, ours[mine][0], expected)
    begins, ends = (datetime.datetime.fromtimestamp(at, asked.AHEAD).date() for at in (facts.begin(), facts.end))
    days = {span("daily", int(number))[0].date(): int(users) for number, users in theirs["daily_rollup"][0]}
    expected = {day.isoformat(): users for day, users in days.items() if begins <= day < ends}
    same("all_days", {day: users for day, users in ours["all_days"][0].items() if users}, expected)


def measure(facts, program, requests):
    """Adds the rows of these facts to the table."""
    measured = Measured(facts, program, requests)
    try:
        measured.load()
        measured.ask_at_once()
        measured.rest()
        measured.ask_all()
    finally:
        measured.server.end()
    say("ClickHouse: loading and asking")
    files, form = (measured.files, "JSONEachRow") if measured.in_lines else (f"{measured.files[0].parent}/*.parquet", "Parquet")
    (WORK / "questions.json").write_text(json.dumps(measured.ask | {"files": str(files), "format": form}))
    theirs = json.loads(others("clickhouse.py", WORK / "questions.json"))
    check(measured.found, theirs, facts)
    show(measured, theirs)


def show(measured, theirs):
    ours, facts = measured.found, measured.facts
    count, years = facts.count, max(1, round(facts.days / 365))
    large = years > 1
    length = f"{years} years" if large else "a year"
    table.heading(f"{count:,} attendances of {facts.users:,} users over {facts.days:,} days, in the order of their times, as {'NDJSON' if measured.in_lines else 'Parquet'}")
    table.add("load, facts a second", count / ours["load"], table.rate, count / theirs["load_seconds"], more_is_better=True, ratio_target=1.0)
    table.add("processors' time a fact, server", ours["load_cpu"] / count, table.micros, theirs["load_cpu"] / count, target=1.5e-6)
    table.add("the same, client (`rollcall import`)" if measured.in_lines else "the same, client", ours["client_cpu"] / count, table.micros)
    table.add("peak memory of the load", ours["load_peak"], table.mib, theirs["load_peak"], target=2**30)
    table.add("SIGTERM to exit after the load", ours["sigterm"], table.millis, target=2)
    table.add("ready after SIGTERM", ours["restart"], table.millis)
    table.add("ready after SIGKILL", ours["restart_killed"], table.millis)
    stored = ours["stored"]
    table.add("stored at rest, a fact", stored["all"] / count, table.each, theirs["bytes"] / count, target=34)
    table.add("— of it the lake, with files that vacuum keeps", stored["lake"] / count, table.each, target=17)
    table.add("— of it the ledger: ids, cells and names", stored["ledger"] / count, table.each, target=17)
    table.add("busy after a start, with a flush, until", ours["quiet"], table.millis, note=f"{ours['quiet_cpu']:.1f} s of processors")
    table.add("what any question costs at least", theirs["floor_seconds"], table.millis, theirs["floor_seconds"], note="`SELECT 1`; ours below are over HTTP")
    first = 0.5 if large else 0.05
    table.add("first weekly question, at once after load and start", ours["at_once"], table.millis, theirs["weekly_ahead_seconds"])
    for period in ("weekly", "daily", "yearly"):
        what = f"{period} active users of {length}"
        table.add(f"{what}, +08:00, first, after a quiet while", ours[f"{period}_ahead_first"], table.millis, theirs[f"{period}_ahead_seconds"], target=first)
        table.add(f"{what}, +08:00, again, against a rollup", ours[f"{period}_ahead_seconds"], table.millis, theirs[f"{period}_rollup_seconds"])
        table.add(f"{what}, +05:45, first, against facts", ours[f"{period}_new_first"], table.millis, theirs[f"{period}_new_seconds"])
    table.add(f"active daily, {length}, native, first", ours["all_days_first"], table.millis, theirs["daily_rollup_seconds"], note="against a rollup")
    table.add(f"active daily, {length}, native, again", ours["all_days_seconds"], table.millis, theirs["daily_rollup_seconds"], target=0.04, note="against a rollup")
    for name, days in PLACES.items():
        what = f"by province, {'7 days' if days == 7 else 'a year'}"
        table.add(f"{what}, first", ours[f"{name}_days_first"], table.millis, theirs[f"{name}_rollup_seconds"], target=first, note="against a rollup")
        table.add(f"{what}, other days each time", ours[f"{name}_days_seconds"], table.millis, theirs[f"{name}_rollup_seconds"], note="against a rollup")
        table.add(f"{what}, from any second", ours[f"{name}_ragged_seconds"], table.millis, theirs[f"{name}_seconds"], target=0.003, note="against facts")
    table.add("top users, 90 days, first", ours["top_users_first"], table.millis, theirs["top_users_seconds"], target=0.05, note="against facts")
    table.add("top users, 90 other days each time", ours["top_users_seconds"], table.millis, theirs["top_users_rollup_seconds"], target=0.003, note="against a rollup")
    table.add("top users, 90 days from any second", ours["top_users_ragged_seconds"], table.millis, theirs["top_users_ragged_seconds"], note="against facts")
    table.add("meeting days, 90 other days each time", ours["meeting_days_seconds"], table.millis, theirs["meeting_days_rollup_seconds"], note="against a rollup")
    table.add("the same, against facts", ours["meeting_days_seconds"], table.millis, theirs["meeting_days_seconds"])
    table.add("meeting days, 90 days from any second", ours["meeting_days_ragged_seconds"], table.millis, theirs["meeting_days_ragged_seconds"], note="against facts")
    table.add("memory after these questions", ours["memory"], table.mib, target=1.2 * 2**30)
    table.add("peak memory of these questions", ours["peak"], table.mib)


def backfill(facts, program):
    """Adds the rows of the same facts in random order, beside those of the order of their times."""
    found = {}
    for order, files in (("ordered", facts.parquet()), ("random", facts.shuffled())):
        server = Server(program, asked.CONFIG, asked.hidden())
        try:
            server.start()
            say(f"rollcall: loading {facts.count:,} facts, {order}")
            seconds, used, _ = server.load_parquet(files, facts.count)
            peak = server.peak()
            server.operate("flush")
            quiet = server.wait_until_quiet(at_least=75)
            asker = Asker(server)
            ranges = questions(facts, 20)["places"]["week_by_province"]["ragged"]
            ragged, answers = asker.median([asker.by_province(*span) for span in ranges], asked.read_by_province)
            found[order] = (seconds, used, peak, server.stored()["all"], ragged, answers, quiet, server.cpu())
        finally:
            server.end()
    ordered, random = found["ordered"], found["random"]
    if ordered[5] != random[5]:
        sys.exit("the order of facts changes an answer")
    count = facts.count
    table.heading(f"{count:,} attendances over {facts.days:,} days in random order, as Parquet")
    table.add("load in order, facts a second", count / ordered[0], table.rate, more_is_better=True)
    table.add("load in random order, facts a second", count / random[0], table.rate, more_is_better=True)
    table.add("random to ordered, seconds of the load", random[0] / ordered[0], table.times, target=1.5)
    table.add("random to ordered, processors' time until quiet", random[7] / ordered[7], table.times)
    table.add("processors' time a fact, server, in order", ordered[1] / count, table.micros)
    table.add("processors' time a fact, server, in random order", random[1] / count, table.micros)
    table.add("peak memory in order", ordered[2], table.mib, target=2**30)
    table.add("peak memory in random order", random[2], table.mib, target=2**30)
    table.add("stored at rest, a fact, in order", ordered[3] / count, table.each)
    table.add("stored at rest, a fact, in random order", random[3] / count, table.each, target=1.1 * ordered[3] / count)
    table.add("by province, 7 days from any second, after random order", random[4], table.millis, target=0.003)
