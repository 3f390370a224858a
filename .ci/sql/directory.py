"""The directory of the server, day by day, and a time in which much of it moves."""

import contextlib
import datetime
import functools
import itertools

import requests

from .asked import AWKWARD, BASE_URL, FIRST, KEY, KINDS, LAST, chance, get
from .when import DAY, instant, start_of


class Directory:
    """What the server has."""

    def __init__(self):
        self.document, self.is_moved = get("directory").json(), False
        # The organization's zone.
        self.home = get("reports/top-users", **{"from": FIRST}).json()["covers"]["time_zone"]

    @property
    def departments(self):
        return self.document["departments"]

    @property
    def users(self):
        return self.document["users"]


directory = Directory()
DEPARTMENTS = sorted({department["id"] for department in directory.departments})


def entries_on(entries, day):
    """The entry of each id that holds on a day: that which began last, if it has not ended."""
    found = {}
    for entry in sorted(entries, key=lambda entry: entry.get("from") or ""):
        if not entry.get("from") or entry["from"] <= day.isoformat():
            found[entry["id"]] = entry
    return {id: entry for id, entry in found.items() if not entry.get("until") or day.isoformat() <= entry["until"]}


def below(tree, department, with_subtree):
    found = {department}
    while with_subtree and (under := {id for id, entry in tree.items() if entry.get("parent_id") in found} - found):
        found |= under
    return found


def covered(department, with_subtree, day):
    return sorted(below(entries_on(directory.departments, day), department, with_subtree))


def departments_now():
    """Every department that the directory knows, on whatever day."""
    return sorted({department["id"] for department in directory.departments})


@functools.cache
def pieces():
    """The directory in pieces of days on which nothing of it changes: their instants, the departments and the users."""
    first, last = FIRST - 400 * DAY, LAST + 40 * DAY
    entries = directory.departments + directory.users
    changes = {datetime.date.fromisoformat(entry["from"]) for entry in entries if entry.get("from")}
    changes |= {datetime.date.fromisoformat(entry["until"]) + DAY for entry in entries if entry.get("until")}
    days = [first, *sorted(day for day in changes if first < day < last), last]
    begins = [instant(start_of(day, directory.home)) for day in days]
    return [(begin, end, entries_on(directory.departments, day), entries_on(directory.users, day))
            for day, (begin, end) in zip(days, itertools.pairwise(begins))]


def intervals(keys, *names):
    """When users are what `keys` says of the departments and users of some days, which are tuples: the columns `names`, and the id of the user."""
    found, going = [], {}
    for begin, end, tree, users in pieces():
        for key in set(keys(tree, users)):
            if key in going and going[key]["to"] == begin:
                going[key]["to"] = end
            else:
                going[key] = dict(zip((*names, "user_id"), key)) | {"from": begin, "to": end}
                found.append(going[key])
    return found


def members(department, with_subtree=True, kinds=KINDS):
    """When the directory has which users of these kinds in a department; in none: when it has them at all."""
    def keys(tree, users):
        some = [(id,) for id, user in users.items() if user["kind"] in kinds]
        if department is None:
            return some
        departments = below(tree, department, with_subtree)
        return [(id,) for (id,) in some if departments.intersection(users[id].get("departments", []))]

    return intervals(keys)


def some_department():
    """A department, or none; the directory's members of it; and the parameters of the report."""
    department, with_subtree = chance.choice([None, chance.choice(departments_now())]), chance.choice([True, True, False])
    question = dict(department=department, subtree=department and str(with_subtree).lower())
    return department and members(department, with_subtree), question


def some_user():
    return chance.choice([f"awkward-{chance.randrange(25)}", chance.choice(directory.users)["id"]])


@contextlib.contextmanager
def moves():
    """A directory in which departments and users begin, move, end and come again in the middle of the demo."""
    before, someday = directory.document, lambda: (FIRST + chance.randrange(5, (LAST - FIRST).days - 5) * DAY).isoformat()
    top = [department["id"] for department in before["departments"] if not department.get("parent_id")]
    leaves = [d for d in before["departments"] if d["id"] not in {other.get("parent_id") for other in before["departments"]} and d.get("parent_id")]
    moved = [leaf | {"parent_id": chance.choice(top), "from": someday()} for leaf in chance.sample(leaves, min(8, len(leaves)))]
    nowhere = {"id": "nowhere", "name": "Somewhere", "parent_id": top[0], "from": AWKWARD[1].isoformat(), "until": AWKWARD[5].isoformat()}
    users = [user | {"departments": [chance.choice(DEPARTMENTS)], "from": someday()} for user in chance.sample(before["users"], 200)]
    users += [user | {"departments": [], "until": someday()} for user in chance.sample(before["users"], 20) if user["id"] not in {user["id"] for user in users}]
    for number in range(20):
        user = {"id": f"awkward-{number}", "name": f"Awkward {number}"}
        if number >= 16:
            users.append(user | {"kind": "member", "departments": ["nowhere", DEPARTMENTS[0]], "from": nowhere["from"], "until": nowhere["until"]})
            continue
        for day in sorted(chance.sample(AWKWARD, chance.randrange(1, 4))):
            entry = user | {"kind": chance.choice(["member", "member", "guest"]), "departments": chance.sample(DEPARTMENTS, chance.randrange(3))}
            users.append(entry | {"from": day.isoformat()} | chance.choice([{}, {"until": (day + chance.randrange(4) * DAY).isoformat()}]))
    replaced = {(user["id"], user.get("from")) for user in users}
    kept = [user for user in before["users"] if (user["id"], user.get("from")) not in replaced]
    directory.document, directory.is_moved = {"departments": before["departments"] + moved + [nowhere], "users": kept + users}, True
    try:
        put(directory.document)
        yield
    finally:
        directory.document, directory.is_moved = before, False
        put(before)


def put(document):
    pieces.cache_clear()
    answer = requests.put(f"{BASE_URL}/v1/directory", json=document, headers=KEY, timeout=60)
    assert answer.status_code == 200, answer.text
