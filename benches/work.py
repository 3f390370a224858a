"""Where the benchmark lies, and the Python that it runs in: one of its own, with ClickHouse and a writer of Parquet."""

import os
import pathlib
import shutil
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
WORK = TARGET / "compare"
PACKAGES = ["chdb==4.4.0", "pyarrow==26.0.1"]
DAY = 86_400


def say(text):
    print(f"# {text}", file=sys.stderr, flush=True)


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, **options)


def enter():
    """Goes on in the benchmark's own Python, which is made the first time."""
    home = WORK / "venv"
    if pathlib.Path(sys.prefix).resolve() == home.resolve():
        return
    WORK.mkdir(parents=True, exist_ok=True)
    made = home / "packages"
    if not made.exists() or made.read_text() != "\n".join(PACKAGES):
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        run(home / "bin" / "python", "-m", "pip", "install", "--quiet", *PACKAGES)
        made.write_text("\n".join(PACKAGES))
    python = str(home / "bin" / "python")
    os.execv(python, [python, *sys.argv])


def program(given):
    """The executable that is measured: the one given, or one that is built now."""
    if given:
        return given.resolve()
    say("building")
    run("cargo", "build", "--release", "--package", "rollcall", cwd=ROOT, env={**os.environ, "CARGO_TARGET_DIR": str(TARGET)})
    return TARGET / "release" / "rollcall"


def others(script, *arguments):
    """What a script about another system prints, in a process of its own, with the directory it may write to emptied before and after."""
    directory = WORK / "clickhouse"
    shutil.rmtree(directory, ignore_errors=True)
    done = run(sys.executable, HERE / script, directory, *arguments, stdout=subprocess.PIPE)
    shutil.rmtree(directory, ignore_errors=True)
    return done.stdout
