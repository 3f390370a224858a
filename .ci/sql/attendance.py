"""The reports on attendance: a random question to each, by the report and by its SQL."""

from .asked import KINDS, ZONES, chance, rows, run, same, shown, some_range, statements, subset, which_stays
from .directory import below, departments_now, directory, intervals, pieces, some_department
from .when import WEEKDAYS, instant, read_instant, rows_asked


def meeting_days():
    (statement,) = statements("meeting_days")
    by = chance.choice(["day", "day", "week", "month", "quarter", "year", "whole"])
    begin, end = some_range(chance.choice([3, 40, 200]))
    zone, week_start, app, unit = chance.choice(ZONES), chance.randrange(7), chance.choice([None, "default"]), chance.choice([None, None, 0])
    found = run(statement, from_=begin, to=end, zone=zone, by=by, week_start=week_start, app=app, unit=unit)
    by_date = {row[0]: row[1:] for row in found}
    expected = [(day.isoformat(), first, last, *by_date.pop(day, (0, 0, 0, 0))) for day, first, last, _ in rows_asked(by, begin, end, zone, week_start)]
    assert not by_date, by_date
    question = dict(by=by, zone=zone, week_start=WEEKDAYS[week_start], app=app, unit=unit) | {"from": begin, "to": end}
    found = [shown(row, "meetings", "duration_ms", "participants", "people") for row in rows("meeting-days", **question)]
    return same(found, expected, question)


def top_users():
    (statement,) = statements("top_users")
    begin, end = some_range(chance.choice([3, 40, 200]))
    order, limit, kinds = chance.choice(["meetings", "duration"]), chance.choice([1, 10, 100, 5000]), subset(KINDS)
    app, unit = chance.choice([None, "default"]), chance.choice([None, None, 0])
    newest = {user["id"]: user["kind"] for user in sorted(directory.users, key=lambda user: user.get("from") or "")}
    known = [{"user_id": id, "kind": kind} for id, kind in newest.items()]
    expected = run(statement, from_=begin, to=end, order=order, limit=limit, app=app, unit=unit, kinds=kinds, directory=known)
    question = dict(order=order, limit=limit, app=app, unit=unit, user_kind=kinds and ",".join(kinds), zone=chance.choice(ZONES))
    question |= {"from": begin, "to": end}
    found = [(row["id"], row["kind"], row["meetings"], row["duration_ms"]) for row in rows("top-users", **question)]
    return same(found, expected, question)


def active_users():
    (statement,) = statements("active_users")
    by = chance.choice(["hour", "day", "week", "month", "quarter", "year", "whole", "rolling-3", "rolling-30"])
    begin, end = some_range({"hour": 2, "day": 20, "rolling-3": 20, "rolling-30": 20}.get(by, 300))
    zone, week_start = chance.choice(ZONES), chance.randrange(7)
    (filters, asked), (of, department) = which_stays(), some_department()
    expected = []
    for day, first, last, since, *clock in rows_asked(by, begin, end, zone, week_start):
        expected.append((day.isoformat(), first, last, *clock, *run(statement, from_=since, to=min(last, end), members=of, **filters)[0]))
    question = dict(by=by, zone=zone, week_start=WEEKDAYS[week_start], **asked, **department) | {"from": begin, "to": end}
    columns = ["hour", "offset", "users"] if by == "hour" else ["users"]
    return same([shown(row, *columns) for row in rows("active-users", **question)], expected, question)


def week_hours():
    (statement,) = statements("week_hours")
    begin, end = some_range(chance.choice([1, 3, 40]))
    zone = chance.choice(ZONES)
    (filters, asked), (of, department) = which_stays(), some_department()
    expected = [(WEEKDAYS[weekday - 1], *numbers) for weekday, *numbers in run(statement, from_=begin, to=end, zone=zone, members=of, **filters)]
    question = dict(by="week-hour", zone=zone, **asked, **department) | {"from": begin, "to": end}
    columns = ("weekday", "hour", "users", "hours", "users_mean")
    return same([tuple(row[column] for column in columns) for row in rows("active-users", **question)], expected, question)


def users_by_means():
    (statement,) = statements("users_by_means")
    by = chance.choice(["medium", "device"])
    begin, end = some_range(chance.choice([3, 40, 200]))
    (filters, asked), (of, department) = which_stays(), some_department()
    found = run(statement, by=by, from_=begin, to=end, members=of, **filters)
    expected = [(means, users, users * 100 / everybody if everybody else None) for means, users, everybody in found]
    question = dict(by=by, zone=chance.choice(ZONES), **asked, **department) | {"from": begin, "to": end}
    found = [(row[by], row["users"], row["share"]) for row in rows("active-users", **question)]
    return same(found, expected, question)


def concurrency():
    (statement,) = statements("concurrency")
    by = chance.choice(["hour", "day", "week", "month", "quarter", "year", "whole"])
    begin, end = some_range({"hour": 2, "day": 20}.get(by, 300))
    zone, week_start = chance.choice(ZONES), chance.randrange(7)
    filters, asked = which_stays()
    asked.pop("medium")
    expected = []
    for day, first, last, since, *_ in rows_asked(by, begin, end, zone, week_start):
        expected.append((day.isoformat(), first, last, *run(statement, from_=since, to=min(last, end), **filters)[0]))
    question = dict(by=by, zone=zone, week_start=WEEKDAYS[week_start], **asked) | {"from": begin, "to": end}
    found = [(*shown(row, "stays"), read_instant(row["stays_at"]), row["sessions"], read_instant(row["sessions_at"]))
             for row in rows("concurrency", **question)]
    return same(found, expected, question)


def users_by_place():
    (statement,) = statements("users_by_place")
    begin, end = some_range(chance.choice([3, 40, 200]))
    level, country = chance.choice(["country", "subdivision"]), chance.choice([None, None, "CN", "HK", "TW", "US"])
    app = chance.choice([None, "default"])
    expected = run(statement, from_=begin, to=end, level=level, country=country, app=app)
    question = dict(by=level, country=country, app=app, zone=chance.choice(ZONES)) | {"from": begin, "to": end}
    found = [(row["place"], row["users"]) for row in rows("users-by-place", **question)]
    return same(found, expected, question)


def department_users():
    (statement,) = statements("department_users")
    begin, end = some_range(chance.choice([3, 40, 200]))
    filters, asked = which_stays()
    with_subtree, within = chance.choice([True, False]), chance.choice([None, None, chance.choice(departments_now())])
    in_rows = lambda tree: set(tree) if within is None else below(tree, within, True) if within in tree else set()

    def keys(tree, users):
        rows_of = in_rows(tree)
        for id, user in users.items():
            for department in user.get("departments", []):
                while department:
                    if department in rows_of:
                        yield department, id
                    department = tree[department].get("parent_id") if with_subtree else None

    departments = {id for since, until, tree, _ in pieces() if since < instant(end) and until > instant(begin) for id in in_rows(tree)}
    inside = intervals(lambda _, users: [(id,) for id, user in users.items() if user.get("departments")])
    expected = run(statement, from_=begin, to=end, departments=sorted(departments), members=intervals(keys, "department"), inside=inside, **filters)
    if within is not None:
        expected.pop()
    share = lambda department, users, members_: users * 100 / members_ if department and members_ else None
    expected = [(*row, share(*row)) for row in expected]
    question = dict(department=within, subtree=str(with_subtree).lower(), zone=chance.choice(ZONES), **asked) | {"from": begin, "to": end}
    found = [(row["department"], row["users"], row["members"], row["share"]) for row in rows("department-users", **question)]
    return same(found, expected, question)
