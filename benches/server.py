"""A rollcall server on its own data directory: started, loaded, watched, stopped."""

import concurrent.futures
import http.client
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse

from work import WORK, say

TICKS = os.sysconf("SC_CLK_TCK")
# A server is quiet when it used less than this part of a processor for so many seconds.
QUIET, QUIET_SECONDS, LONGEST_WAIT = 0.05, 5, 900
# Bodies on their way at a time, as `rollcall import` has them.
IN_FLIGHT = 4


class Server:
    """A rollcall server on its own data directory."""

    def __init__(self, program, config, secrets, work=WORK):
        """Of this configuration, whose secrets are environment variables; everything it writes is below `work`."""
        self.program, self.work = program, work
        self.env = {**os.environ, **secrets}
        self.data = work / "data"
        self.config = work / "rollcall.toml"
        self.address_file = work / "address"
        shutil.rmtree(self.data, ignore_errors=True)
        self.config.write_text(config)
        self.process = self.address = None

    def start(self):
        """Starts it and returns how many seconds it took to be ready."""
        self.address_file.unlink(missing_ok=True)
        began = time.perf_counter()
        log = open(self.work / "server.log", "ab")
        command = [str(self.program), "--log", "warn", "serve", "--config", str(self.config), "--address-file", str(self.address_file)]
        self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log, cwd=self.work)
        while time.perf_counter() - began < 600:
            if self.process.poll() is not None:
                sys.exit(f"the server ended; see {self.work / 'server.log'}")
            if self.ready():
                return time.perf_counter() - began
            time.sleep(0.005)
        sys.exit("the server is not ready after ten minutes")

    def ready(self):
        try:
            self.address = urllib.parse.urlsplit(self.address_file.read_text().strip())
            connection = self.connect()
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

    def connect(self):
        return http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=600)

    def stop(self, how=signal.SIGTERM):
        """Ends it, and returns how many seconds that took."""
        began = time.perf_counter()
        self.process.send_signal(how)
        self.process.wait()
        return time.perf_counter() - began

    def end(self):
        """Ends it if it still runs."""
        if self.process and self.process.poll() is None:
            self.stop(signal.SIGKILL)

    def operate(self, *operation):
        """Has a command work on the data directory, through the server if it runs; says whether there is such a command."""
        command = [str(self.program), operation[0], "--help"]
        if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
            return False
        command = [str(self.program), *operation, "--data", str(self.data)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.env, cwd=self.work)
        return True

    # What it uses

    def status(self, name):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(name))

    def memory(self):
        """The memory it holds now, in bytes: its own pages and the pages of files that it has mapped."""
        return self.status("VmRSS")

    def peak(self):
        """The most memory it has held."""
        return self.status("VmHWM")

    def cpu(self):
        """The seconds of processors it has used."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def wait_until_quiet(self, at_least=20):
        """Waits until it has nothing to do, and returns for how long it had. What waits for a quiet moment begins within so many seconds."""
        began, busy = time.perf_counter(), 0
        while (waited := time.perf_counter() - began) < LONGEST_WAIT:
            before = self.cpu()
            time.sleep(QUIET_SECONDS)
            if self.cpu() - before >= QUIET * QUIET_SECONDS:
                busy = waited + QUIET_SECONDS
            elif waited + QUIET_SECONDS >= at_least:
                return busy
        say(f"the server is still busy after {LONGEST_WAIT} s")
        return LONGEST_WAIT

    def stored(self):
        """Bytes of the data directory on the disk, by what is directly in it."""
        parts = {path.name: size(path) for path in self.data.iterdir()}
        return {"all": sum(parts.values()), **parts}

    # What it is given

    def load(self, facts, count, *flags):
        """Loads a file with `rollcall import`, and returns seconds, and seconds of processors of the server and of the client."""
        command = [self.program, "import", facts, "--to", self.address.geturl(), "--key", self.env["COMPARE_KEY"], "--receipt", "json", *flags]
        before, children = self.cpu(), resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        client = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
        receipt = json.loads(done.stdout)
        if receipt["accepted"] != count:
            sys.exit(f"not all facts were accepted: {receipt}")
        return seconds, self.cpu() - before, client

    def load_parquet(self, files, count):
        """Posts files of one body each, several on their way at a time, and returns the same."""
        connections = {}

        def post(numbered):
            number, file = numbered
            connection = connections.setdefault(number % IN_FLIGHT, self.connect())
            headers = {"Authorization": f"Bearer {self.env['COMPARE_KEY']}", "Content-Type": "application/vnd.apache.parquet"}
            connection.request("POST", "/v1/attendance", file.read_bytes(), headers)
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                sys.exit(f"{file}: {response.status} {body}")
            return json.loads(body)["accepted"]

        before, own = self.cpu(), resource.getrusage(resource.RUSAGE_SELF)
        began = time.perf_counter()
        # Each thread has every IN_FLIGHTth file, and a connection of its own.
        with concurrent.futures.ThreadPoolExecutor(IN_FLIGHT) as threads:
            lanes = [threads.submit(lambda lane: sum(map(post, lane)), list(enumerate(files))[lane::IN_FLIGHT]) for lane in range(IN_FLIGHT)]
            accepted = sum(lane.result() for lane in lanes)
        seconds = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_SELF)
        if accepted != count:
            sys.exit(f"not all facts were accepted: {accepted} of {count}")
        return seconds, self.cpu() - before, after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime


def size(path):
    """Bytes of a file or of all below a directory, as the disk has them. A file may go while it is looked at."""
    total = 0
    for file in [path, *path.rglob("*")]:
        try:
            total += file.stat().st_blocks * 512
        except FileNotFoundError:
            pass
    return total
