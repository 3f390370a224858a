"""The reports on the use of the coding assistant: a random question to each, by the report and by its SQL."""

from .asked import ZONES, chance, rows, run, same, shown, some_range, statements
from .directory import DEPARTMENTS, covered, directory, entries_on
from .when import date_of, periods, read_instant

NUMBERS = ["turns", "turns_accepted", "suggested", "accepted", "lines_accepted", "lines_changed"]
BREAKDOWNS = {"chatting": ["chat_type", "ide", "developers", "turns", "accepted"], "coding": ["language", "developers", "lines_accepted", "lines_changed"],
              "completion": ["language", "ide", "developers", "suggested", "accepted", "lines_accepted", "lines_changed"]}


def spans(begin, end, zone, by):
    """The rows' days: date, instants shown, instants that count."""
    if by == "whole":
        return [(date_of(begin, zone), begin, end, begin, end)]
    return [(day, first, last, max(first, begin), min(last, end)) for day, first, last in periods(begin, end, zone)]


def usage_question(longest):
    # By one statement a range as one is what it is only while no department or user moves.
    by = "day" if directory.is_moved else chance.choice(["day", "whole"])
    begin, end = some_range(60 if by == "whole" else longest)
    return begin, end, chance.choice(ZONES), by, chance.choice([True, True, False]), chance.choice([None, *BREAKDOWNS])


def department_days():
    totals, *parts = statements("department_days")
    department = chance.choice([None, *DEPARTMENTS, *DEPARTMENTS, "nowhere"])
    begin, end, zone, by, with_subtree, breakdown = usage_question(20 if department else 2)
    expected = []
    for day, first, last, since, until in spans(begin, end, zone, by):
        booked = {id for (id,) in run('SELECT DISTINCT unnest(department_ids) FROM assistance WHERE "at" >= $from AND "at" < $to', from_=since, to=until)}
        held = set(entries_on(directory.departments, day))
        for id in sorted(held | booked, key=str.encode) if department is None else [department]:
            departments = covered(id, with_subtree, day)
            if id not in held and not booked & set(departments):
                continue
            before = (day.isoformat(), first, last, id)
            if breakdown:
                found = run(parts[list(BREAKDOWNS).index(breakdown)], from_=since, to=until, departments=departments)
                expected += [before + row for row in found]
            else:
                developers, chat, completion, last_use, *numbers = run(totals, from_=since, to=until, departments=departments)[0]
                expected.append((*before, developers, chat, completion, *numbers, last_use))
    question = dict(department=department, zone=zone, by=by, subtree=str(with_subtree).lower(), breakdown=breakdown) | {"from": begin, "to": end}
    if breakdown:
        found = [shown(row, "department", *BREAKDOWNS[breakdown]) for row in rows("department-days", **question)]
    else:
        found = [(*shown(row, "department", "developers", "chat_developers", "completion_developers", *NUMBERS), read_instant(row["last_use"]))
                 for row in rows("department-days", **question)]
    return same(found, expected, question)


def developer_days():
    (statement,) = statements("developer_days")
    _, *parts = statements("department_days")
    user = chance.choice([None, None, None, *[user["id"] for user in chance.sample(directory.users, 2)], "awkward-7"])
    department = None if user else chance.choice([None, *DEPARTMENTS, *DEPARTMENTS, "nowhere"])
    begin, end, zone, by, with_subtree, breakdown = usage_question(2 if user is None and department is None else 20)
    if breakdown and not user:
        breakdown = None if department is None else breakdown
    expected = []
    for day, first, last, since, until in spans(begin, end, zone, by):
        departments = None if department is None else covered(department, with_subtree, day)
        people = {id: entry for id, entry in entries_on(directory.users, day).items() if entry["kind"] in ("member", "guest")}
        held = [id for id, entry in people.items() if departments is None or set(departments) & set(entry["departments"])]
        busy = {id for (id,) in run('SELECT DISTINCT user_id FROM assistance WHERE "at" >= $from AND "at" < $to', from_=since, to=until)}
        for id, chat, completion, last_use, *numbers in run(statement, from_=since, to=until, held=held, departments=departments):
            # Of a user whom neither the directory holds nor any fact names there is no row.
            if user not in (None, id):
                continue
            before = (day.isoformat(), first, last, id)
            if breakdown and id in busy:
                part = parts[list(BREAKDOWNS).index(breakdown)].replace("list_has_any(department_ids, $departments)", "user_id = $user")
                at = BREAKDOWNS[breakdown].index("developers")
                expected += [before + row[:at] + row[at + 1:] for row in run(part, from_=since, to=until, user=id)]
            elif not breakdown:
                expected.append((*before, int(chat or completion), int(chat), int(completion), *numbers, last_use))
    question = dict(user=user, department=department, zone=zone, by=by, subtree=str(with_subtree).lower(), breakdown=breakdown) | {"from": begin, "to": end}
    if breakdown:
        columns = [column for column in BREAKDOWNS[breakdown] if column != "developers"]
        found = [shown(row, "user", *columns) for row in rows("developer-days", **question)]
    else:
        found = [(*shown(row, "user", "active", "active_chat", "active_completion", *NUMBERS), read_instant(row["last_use"]))
                 for row in rows("developer-days", **question)]
    return same(found, expected, question)
