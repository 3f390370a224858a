"""The one table: what was measured, beside ClickHouse and beside what it is to reach."""

import dataclasses
import os
import platform

rows = []


@dataclasses.dataclass
class Row:
    """One line of the table."""

    what: str
    reached: str
    other: str = ""
    ratio: str = ""
    target: str = ""
    verdict: str = ""


def millis(seconds):
    return f"{seconds * 1000:,.2f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def mib(count):
    return f"{count / 2**20:,.0f} MiB"


def rate(count):
    return f"{count:,.0f}"


def micros(seconds):
    return f"{seconds * 1e6:.2f} µs"


def each(count):
    return f"{count:.1f} B"


def times(factor):
    return f"{factor:.2f}"


def add(what, ours, show, theirs=None, *, more_is_better=False, target=None, ratio_target=None, note=""):
    """Adds a row. `target` is what ours is to reach, `ratio_target` what the ratio to theirs is to reach; a ratio above 1 favours rollcall."""
    ratio = None
    if theirs:
        ratio = ours / theirs if more_is_better else theirs / ours
    wanted, reached = "", None
    if target is not None:
        wanted, reached = f"{'≥' if more_is_better else '≤'} {show(target)}", ours >= target if more_is_better else ours <= target
    elif ratio_target is not None:
        wanted, reached = f"ratio ≥ {ratio_target:.2f}", ratio >= ratio_target
    verdict = {True: "yes", False: "**no**", None: ""}[reached]
    rows.append(Row(what + (f" ({note})" if note else ""), show(ours), show(theirs) if theirs else "", f"{ratio:,.2f}" if ratio else "", wanted, verdict))


def heading(what):
    rows.append(Row(f"**{what}**", "", "", "", "", ""))


def show():
    """The table, and the machine it was measured on."""
    model = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")), platform.machine())
    print(f"{os.cpu_count()} cores ({model}), Linux {platform.release()}, load of the machine at the end {os.getloadavg()[0]:.1f}.\n")
    print("| what | rollcall | ClickHouse | ratio | to reach | reached |")
    print("|---|---:|---:|---:|---:|---|")
    for row in rows:
        print(f"| {row.what} | {row.reached} | {row.other} | {row.ratio} | {row.target} | {row.verdict} |")
