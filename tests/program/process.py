"""The program as a process: started, waited for within bounds, and always ended."""
import atexit
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("ESTAB", str(ROOT / "build" / "apps" / "estab" / "estab"))
SANITIZED = bool(os.environ.get("ESTAB_SANITIZER"))
SLOWER = 5 if SANITIZED else 1  # what takes one second may take this many

_running = set()


def run(*command, seconds=30, **how):
    """A finished process with its output as text."""
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **how}
    process = subprocess.Popen([str(word) for word in command], **how)
    _running.add(process)
    try:
        out, err = process.communicate(timeout=seconds)
    finally:
        end(process)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def estab(*arguments, prefix=(), seconds=60, **how):
    return run(*prefix, PROGRAM, *arguments, seconds=seconds * SLOWER, **how)


def end(process):
    if process.poll() is None:
        process.kill()
        process.wait()
    _running.discard(process)


@atexit.register
def _end_all():
    for process in list(_running):
        end(process)


class Background:
    """A process that runs beside the test, its output in a file."""

    def __init__(self, *command):
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(word) for word in command], stdout=self.output, stderr=subprocess.STDOUT)
        _running.add(self.process)

    def text(self):
        return os.pread(self.output.fileno(), 1 << 24, 0).decode(errors="replace")

    def wait_for(self, pattern, seconds=10, after=0):
        """Waits until the output beyond `after` characters matches, and gives the match."""
        limit = time.monotonic() + seconds * SLOWER
        while True:
            ended = self.process.poll() is not None
            if found := re.search(pattern, self.text()[after:]):
                return found
            if ended or time.monotonic() > limit:
                why = f"it ended with {self.process.returncode}" if ended else f"not within {seconds * SLOWER} s"
                raise AssertionError(f"waited for '{pattern}': {why}\n{self.text()[-3000:]}")
            time.sleep(0.02)

    def stop(self, number=signal.SIGINT, seconds=15):
        """Its exit status after a signal."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(seconds * SLOWER)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"no end {seconds * SLOWER} s after the signal\n{self.text()[-3000:]}") from None

    def close(self):
        end(self.process)
        self.output.close()


class Serve(Background):
    """`estab serve`, once it listens."""

    def __init__(self, *arguments, prefix=(), program=PROGRAM, stats="200ms"):
        handle, self.json_file = tempfile.mkstemp(suffix=".json")
        os.close(handle)
        os.chmod(self.json_file, 0o666)
        super().__init__(*prefix, program, "serve", *arguments, "--json", self.json_file, "--stats", stats)
        try:
            self.wait_for("ends with an interrupt")
        except BaseException:
            self.close()
            raise

    def wait_idle(self, seconds=15):
        """Waits until no connection is left, TIME-WAIT included: by a line of counters that is printed from now on."""
        return self.wait_for(r"active 0, [^\n]*\n", seconds, after=len(self.text()))

    def summary(self):
        return json.loads(pathlib.Path(self.json_file).read_text())

    def close(self):
        super().close()
        pathlib.Path(self.json_file).unlink(missing_ok=True)
