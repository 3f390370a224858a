"""A rollcall server on its own data directory: started, loaded, stopped."""

import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.parse


class Server:
    """A rollcall server on its own data directory."""

    def __init__(self, program, config, secrets, work):
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
        command = [str(self.program), "serve", "--config", str(self.config), "--address-file", str(self.address_file)]
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

    def stop(self, how):
        self.process.send_signal(how)
        self.process.wait()

    def peak_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    def stored_bytes(self):
        return sum(path.stat().st_blocks * 512 for path in self.data.rglob("*") if path.is_file())

    def load(self, facts, count, *flags):
        began = time.perf_counter()
        url = self.address.geturl()
        command = [self.program, "import", facts, "--to", url, "--key", self.env["COMPARE_KEY"], "--receipt", "json", *flags]
        done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE)
        seconds = time.perf_counter() - began
        receipt = json.loads(done.stdout)
        if receipt["accepted"] != count:
            sys.exit(f"not all facts were accepted: {receipt}")
        return seconds
