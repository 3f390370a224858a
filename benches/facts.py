"""The facts that are loaded: made once for each size and day, and kept."""

import datetime
import io
import shutil
import subprocess

import numpy
import pyarrow
import pyarrow.ipc
import pyarrow.json
import pyarrow.parquet

from work import DAY, WORK, run, say

AHEAD = datetime.timezone(datetime.timedelta(hours=8))
# Facts in one body of Parquet.
BODY = 200_000
WHEN = pyarrow.timestamp("ms", tz="UTC")
SCHEMA = pyarrow.schema(
    [(name, pyarrow.string()) for name in ("session_id", "session_kind", "user_id", "user_kind", "device", "country", "subdivision")]
    + [(name, WHEN) for name in ("session_started_at", "joined_at", "left_at")]
    + [("media", pyarrow.list_(pyarrow.string()))]
)


class Facts:
    """So many attendances of so many users over so many days, the last of them today."""

    def __init__(self, program, count, users, days):
        self.program, self.count, self.users, self.days = program, count, users, days
        today = datetime.datetime.now(AHEAD).replace(hour=0, minute=0, second=0, microsecond=0)
        # The first second of today; questions end there, as facts of later today may not be in yet.
        self.end = int(today.timestamp())
        self.name = f"facts-{count}-{users}-{days}-{today:%Y%m%d}"

    def begin(self):
        """The first second of the first day."""
        return self.end - (self.days - 1) * DAY

    def demo(self, *flags):
        return [str(self.program), "demo", "--facts", str(self.count), "--users", str(self.users), "--days", str(self.days), *flags]

    def ndjson(self):
        """One file, in the order in which people joined."""
        file = WORK / f"{self.name}.ndjson"
        if not file.exists():
            say(f"making {self.count:,} facts")
            part = file.with_suffix(".part")
            run(*self.demo("--write", part))
            part.rename(file)
        return file

    def parquet(self):
        """Files of one body each, in the order in which people joined."""

        def make(directory):
            say(f"making {self.count:,} facts in Parquet")
            with subprocess.Popen(self.demo("--write", "-"), stdout=subprocess.PIPE) as making:
                for number, lines in enumerate(bodies(making.stdout)):
                    write(pyarrow.json.read_json(io.BytesIO(lines), parse_options=pyarrow.json.ParseOptions(explicit_schema=SCHEMA)), directory, number)

        return self.files("ordered", make)

    def shuffled(self):
        """The same in random order: what a backfill from many sources sends."""
        return self.files("random", lambda directory: shuffle(self.parquet(), directory))

    def files(self, order, make):
        directory = WORK / f"{self.name}-{order}"
        if not directory.exists():
            part = directory.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            make(part)
            part.rename(directory)
        return sorted(directory.glob("*.parquet"))


def bodies(lines):
    """Lines cut into bodies."""
    while True:
        body = b"".join(line for _, line in zip(range(BODY), lines))
        if not body:
            return
        yield body


def write(table, directory, number):
    pyarrow.parquet.write_table(table, directory / f"{number:05}.parquet", compression="zstd")


def shuffle(files, directory):
    """Deals each file out to as many heaps as there are files, and shuffles each heap: a random order in little memory."""
    say(f"shuffling {len(files)} files")
    random = numpy.random.default_rng(7070)
    heaps = [directory / f"{number:05}.heap" for number in range(len(files))]
    options = pyarrow.ipc.IpcWriteOptions(compression="lz4")
    writers = [pyarrow.ipc.new_stream(str(heap), SCHEMA, options=options) for heap in heaps]
    for file in files:
        table = pyarrow.parquet.read_table(file).select(SCHEMA.names)
        table = table.take(random.permutation(len(table)))
        cuts = [0, *numpy.sort(random.integers(0, len(table) + 1, len(heaps) - 1)), len(table)]
        for writer, begin, end in zip(writers, cuts, cuts[1:]):
            writer.write_table(table.slice(begin, end - begin))
    for writer in writers:
        writer.close()
    for number, heap in enumerate(heaps):
        with pyarrow.OSFile(str(heap)) as source:
            table = pyarrow.ipc.open_stream(source).read_all()
        write(table.take(random.permutation(len(table))), directory, number)
        heap.unlink()
