"""Instants, days, and the periods of a zone, as the reports define them. Instants are Unix milliseconds."""

import datetime
import itertools
import zoneinfo

UTC = datetime.timezone.utc
DAY = datetime.timedelta(days=1)
DAY_MS, QUARTER_MS = 86_400_000, 900_000
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def millis(instant):
    return (instant - datetime.datetime(1970, 1, 1, tzinfo=UTC)) // datetime.timedelta(milliseconds=1)


def instant(at):
    return datetime.datetime(1970, 1, 1, tzinfo=UTC) + datetime.timedelta(milliseconds=at)


def read_instant(text):
    return text and millis(datetime.datetime.fromisoformat(text))


def start_of(day, zone):
    """The first instant of a day; where midnight is skipped, the one at which the clocks jump."""
    return millis(datetime.datetime(day.year, day.month, day.day, tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(UTC))


def date_of(at, zone):
    return instant(at).astimezone(zoneinfo.ZoneInfo(zone)).date()


def periods(begin, end, zone, first_of=lambda day: day, next_of=lambda day: day + DAY):
    """Every period that a range touches: its first day, and its instants, whole."""
    day = first_of(date_of(begin, zone))
    found = []
    while (begins := start_of(day, zone)) < end:
        found.append((day, begins, start_of(next_of(day), zone)))
        day = next_of(day)
    return found


def hours(begin, end, zone):
    """Every hour that a range touches, whole, with its date and what the clocks call it: an hour and an offset. It is made of quarter hours."""
    zone, near = zoneinfo.ZoneInfo(zone), 4 * QUARTER_MS
    quarters = range(begin // QUARTER_MS * QUARTER_MS - near, end + near, QUARTER_MS)
    clock = lambda at: instant(at).astimezone(zone)
    found = []
    for _, same_hour in itertools.groupby(quarters, key=lambda at: (clock(at).date(), clock(at).hour, clock(at).utcoffset())):
        first, *_, last = [*same_hour] * 2
        if first < end and last + QUARTER_MS > begin:
            found.append((clock(first).date(), first, last + QUARTER_MS, clock(first).hour, clock(first).isoformat()[-6:]))
    return found


def first_of(by, week_start):
    return {"day": lambda day: day, "week": lambda day: day - ((day.weekday() - week_start) % 7) * DAY, "month": lambda day: day.replace(day=1),
            "quarter": lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1), "year": lambda day: day.replace(month=1, day=1)}[by]


def next_of(by):
    later = lambda days: lambda day: (day + days * DAY).replace(day=1)
    return {"day": lambda day: day + DAY, "week": lambda day: day + 7 * DAY, "month": later(31), "quarter": later(93),
            "year": lambda day: day.replace(year=day.year + 1)}[by]


def rows_asked(by, begin, end, zone, week_start):
    """Of each row the date, the instants shown, and the first of those that count; of an hour also what the clocks call it."""
    if by == "whole":
        return [(date_of(begin, zone), begin, end, begin)]
    if by == "hour":
        return [(day, first, last, max(first, begin), hour, offset) for day, first, last, hour, offset in hours(begin, end, zone)]
    if by.startswith("rolling-"):
        return [(day, start := start_of(day - (int(by[8:]) - 1) * DAY, zone), last, start) for day, _, last in periods(begin, end, zone)]
    return [(day, first, last, max(first, begin)) for day, first, last in periods(begin, end, zone, first_of(by, week_start), next_of(by))]
