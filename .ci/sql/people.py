"""The reports on people and sessions, page by page: a random question to each, by the report and by its SQL."""

from .asked import DEVICES, MEDIA, SESSION_KINDS, TIMES, ZONES, chance, pages, rows, run, same, shown, some_range, statements, subset, which_stays
from .directory import departments_now, directory, entries_on, intervals, members, some_department, some_user
from .assistance import NUMBERS
from .when import WEEKDAYS, date_of, read_instant, rows_asked


def sessions():
    (statement,) = statements("sessions")
    begin, end = some_range(chance.choice([2, 2, 31]))
    kinds, app, user = subset(SESSION_KINDS), chance.choice([None, "default"]), chance.choice([None, None, some_user()])
    of, department = some_department()
    expected = run(statement, from_=begin, to=end, session_kinds=kinds, app=app, user=user, members=of)
    question = dict(session_kind=kinds and ",".join(kinds), app=app, user=user, zone=chance.choice(ZONES), **department) | {"from": begin, "to": end}
    found = [(read_instant(row["started_at"]), row["app"], row["session_id"], row["kind"], read_instant(row["first_join"]),
              read_instant(row["last_leave"]), row["users"], row["stays"], row["time_ms"])
             for row in pages("sessions", chance.choice([max(1, len(expected) // 7), 10_000]), **question)]
    return same(found, expected, question)


def session():
    (statement,) = statements("session")
    some = run("SELECT DISTINCT app, session_id, session_started_at FROM attendance WHERE user_id = $user ORDER BY ALL", user=some_user())
    if not some:
        return 0
    app, id, started_at = chance.choice(some)
    question = dict(session_id=id, started_at=started_at, app=chance.choice([None, app]))
    # Stays that begin and end together, of one user, are in no order.
    in_order = lambda stay: [str(value) for value in stay]
    expected = sorted(run(statement, **question | {"app": app}), key=in_order)
    found = [(row["user"], row["user_kind"], row["device"], [medium for medium in row["media"].split("|") if medium], read_instant(row["joined_at"]),
              read_instant(row["left_at"]), row["time_ms"], row["place"], row["unit"]) for row in pages("session", chance.choice([3, 10_000]), **question)]
    by_time = [(joined_at, left_at, user.encode()) for user, _, _, _, joined_at, left_at, *_ in found]
    assert by_time == sorted(by_time), question
    return same(sorted(found, key=in_order), expected, question)


# Rows with people behind them: the parameters of the question, and who they are by the SQL.

def people_of_active_users(begin, end, zone):
    by, week_start = chance.choice(["hour", "day", "week", "month", "quarter", "year", "whole", "rolling-3"]), chance.randrange(7)
    (filters, asked), (of, department) = which_stays(), some_department()
    day, first, last, since, *_ = chance.choice(rows_asked(by, begin, end, zone, week_start))
    row = {"whole": {}, "hour": {"row": first}}.get(by, {"date": day.isoformat()})
    found = run(statements("people")[0], from_=since, to=min(last, end), members=of, outside=False, at=None, **filters)
    return dict(of="active-users", by=by, week_start=WEEKDAYS[week_start], **row, **asked, **department), found


def people_of_means(begin, end, _):
    (filters, asked), (of, department) = which_stays(), some_department()
    # The row is itself a filter, so that there may be no other of its kind.
    by, column, words = chance.choice([("medium", "media", MEDIA[:3]), ("device", "devices", DEVICES)])
    row, asked[by] = chance.choice(words), None
    found = run(statements("people")[0], from_=begin, to=end, members=of, outside=False, at=None, **filters | {column: [row]})
    return dict(of="active-users", by=by, row=row, **asked, **department), found


def people_of_department(begin, end, _):
    (filters, asked), with_subtree = which_stays(), chance.choice([True, False])
    row = chance.choice(["none", *departments_now()])
    of = intervals(lambda tree, users: [(id,) for id, user in users.items() if user.get("departments")]) if row == "none" else members(row, with_subtree)
    found = run(statements("people")[0], from_=begin, to=end, members=of, outside=row == "none", at=None, **filters)
    return dict(of="department-users", row=row, subtree=str(with_subtree).lower(), **asked), found


def people_of_concurrency(begin, end, _):
    filters, asked = which_stays()
    asked.pop("medium")
    at = chance.choice([at for at in TIMES if begin <= at < end] or [begin])
    found = run(statements("people")[0], from_=begin, to=end, members=None, outside=False, at=at, **filters | {"media": None})
    return dict(of="concurrency", row=at, **asked), found


def people_of_meetings(begin, end, zone):
    by, week_start = chance.choice(["day", "week", "month", "quarter", "year", "whole"]), chance.randrange(7)
    app, unit, user = chance.choice([None, "default"]), chance.choice([None, 0]), chance.choice([None, some_user()])
    filters = dict(app=app, unit=unit)
    if user:
        return dict(of="top-users", row=user, **filters), run(statements("people")[1], from_=begin, to=end, user=user, **filters)
    day, first, last, since, *_ = chance.choice(rows_asked(by, begin, end, zone, week_start))
    row = {} if by == "whole" else {"date": day.isoformat()}
    found = run(statements("people")[1], from_=since, to=min(last, end), user=None, **filters)
    return dict(of="meeting-days", by=by, week_start=WEEKDAYS[week_start], **row, **filters), found


def people_of_place(begin, end, _):
    level, country, app = chance.choice(["country", "subdivision"]), chance.choice([None, None, "CN", "HK", "TW", "US"]), chance.choice([None, "default"])
    places = [place for place, _ in run(statements("users_by_place")[0], from_=begin, to=end, level=level, country=country, app=app)]
    place = chance.choice(places or [None])
    found = run(statements("people")[2], from_=begin, to=end, level=level, country=country, app=app, place=place)
    return dict(of="users-by-place", by=level, country=country, row=place or "unknown", app=app), found


def people():
    begin, end = some_range(chance.choice([3, 40, 200]))
    zone, order = chance.choice(ZONES), chance.choice(["id", "time", "sessions"])
    behind = [people_of_active_users, people_of_means, people_of_department, people_of_concurrency, people_of_meetings, people_of_place]
    question, found = chance.choice(behind)(begin, end, zone)
    last_day = entries_on(directory.users, date_of(end - 1, directory.home))
    departments = lambda id: "|".join(last_day.get(id, {}).get("departments", []))
    expected = [(id, departments(id), *numbers) for id, *numbers in found]
    measure = {"id": lambda row: 0, "time": lambda row: row[5], "sessions": lambda row: row[4]}[order]
    expected.sort(key=lambda row: (-measure(row), row[0].encode()))
    question |= dict(order=order, zone=zone) | {"from": begin, "to": end}
    found = [(row["id"], row["departments"], read_instant(row["first"]), read_instant(row["last"]), row["sessions"], row["time_ms"])
             for row in pages("people", chance.choice([max(1, len(expected) // 3), 10_000]), **question)]
    return same(found, expected, question)


def person():
    whole, *parts = statements("person")
    begin, end = some_range(chance.choice([3, 40, 200]))
    user, zone, week_start = some_user(), chance.choice(ZONES), chance.randrange(7)
    asked = dict(user=user, from_=begin, to=end, zone=zone)
    breakdown = chance.choice([None, "weeks", "places", "devices"])
    question = dict(user=user, zone=zone, week_start=WEEKDAYS[week_start], breakdown=breakdown) | {"from": begin, "to": end}
    answer = rows("person", **question)
    if breakdown == "weeks":
        expected = []
        for day, first, last, since in rows_asked("week", begin, end, zone, week_start):
            *_, sessions_, time_ = run(whole, **asked | {"from_": since, "to": min(last, end)})[0]
            expected.append((day.isoformat(), first, last, sessions_, time_))
        return same([shown(row, "sessions", "time_ms") for row in answer], expected, question)
    if breakdown:
        column = breakdown[:-1]
        return same([(row[column], row["time_ms"]) for row in answer], run(parts[["places", "devices"].index(breakdown)], **asked), question)
    used = run(statements("developer_days")[0], from_=begin, to=end, held=[user], departments=None)
    _, _, _, last_use, *numbers = next(row for row in used if row[0] == user)
    expected = [(user, *run(whole, **asked)[0], *numbers, last_use)]
    found = [(row["id"], read_instant(row["first"]), read_instant(row["last"]), row["days"], row["sessions"], row["time_ms"],
              *(row[number] for number in NUMBERS), read_instant(row["last_use"])) for row in answer]
    return same(found, expected, question)


def silent():
    (statement,) = statements("silent")
    begin, end = some_range(chance.choice([1, 3, 40]))
    department, with_subtree = chance.choice([None, chance.choice(departments_now())]), chance.choice([True, False])
    of = members(department, with_subtree, ["member"])
    expected = [id for (id,) in run(statement, from_=begin, to=end, members=of)]
    question = dict(department=department, subtree=department and str(with_subtree).lower(), zone=chance.choice(ZONES)) | {"from": begin, "to": end}
    found = [row["id"] for row in pages("silent", chance.choice([max(1, len(expected) // 3), 10_000]), **question)]
    return same(found, expected, question)
