#!/usr/bin/env python3
"""Builds, and runs every test: GoogleTest executables, the program as a process, and interop with the kernel. See scripts/test."""
import argparse
import fnmatch
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SANITIZERS = ROOT / "scripts" / "sanitizers"  # what they are to overlook, each with its reason
EXECUTABLE_SECONDS = 300
CASE_SECONDS = 180


class Tally:
    """Counts cases; failures are shown in full, what passed in a line."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, name, seconds, failure=None, skip=None):
        if failure is not None:
            self.failed += 1
            print(f"FAIL {name} ({seconds:.1f} s)\n{failure.rstrip()}", flush=True)
        elif skip is not None:
            self.skipped += 1
            print(f"skip {name}: {skip}", flush=True)
        else:
            self.passed += 1

    def line(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def wanted(name, filters):
    return not filters or any(fnmatch.fnmatchcase(name, f) or f in name for f in filters)


def build(directory, sanitize):
    if not (directory / "build.ninja").exists():
        options = ["--buildtype=release"]
        if sanitize:  # instrumented code gives g++ 12 false warnings; the release build has them as errors
            options = ["--buildtype=debugoptimized", "-Doptimization=1", "-Db_lto=false", "-Db_lundef=false", "-Dbench=false", "-Dwerror=false", f"-Db_sanitize={sanitize}"]
        quietly(["meson", "setup", directory, ROOT, *options])
    known = json.loads((directory / "meson-info" / "intro-buildoptions.json").read_text())
    if not next(o["value"] for o in known if o["name"] == "tests"):  # scripts/quickstart leaves them out
        quietly(["meson", "configure", directory, "-Dtests=true"])
    jobs = ["-j", os.environ["JOBS"]] if "JOBS" in os.environ else []
    subprocess.run(["ninja", "-C", directory, *jobs, "apps/estab/estab", "apps/examples/echo_server", "meson-test-prereq"], check=True)


def quietly(command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout)


def sanitizer_environment(sanitize):
    env = {
        "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
        "LSAN_OPTIONS": f"suppressions={SANITIZERS / 'lsan.supp'}:print_suppressions=0",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        "TSAN_OPTIONS": "second_deadlock_stack=1",
    }
    return env if sanitize else {}


# ---- executables that Meson knows

def run_executables(directory, launcher, filters, tally):
    listing = subprocess.run(["meson", "introspect", "--tests", directory], check=True, stdout=subprocess.PIPE, text=True)
    for test in json.loads(listing.stdout):
        env = {**os.environ, **test["env"]}
        run = run_gtest if test["protocol"] == "gtest" else run_plain
        run(test["name"], [*launcher, *test["cmd"]], {"cwd": test["workdir"], "env": env}, filters, tally)


def run_process(command, how, seconds):
    """(exit status or a sentence, output): bounded in time."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=seconds, **how)
        return done.returncode, done.stdout
    except OSError as error:
        return str(error), ""
    except subprocess.TimeoutExpired as expired:
        output = expired.stdout or b""
        return f"no end after {seconds} s", output if isinstance(output, str) else output.decode(errors="replace")


def run_plain(name, command, how, filters, tally):
    if not wanted(name, filters):
        return
    begin = time.monotonic()
    status, output = run_process(command, how, EXECUTABLE_SECONDS)
    tally.add(name, time.monotonic() - begin, failure=None if status == 0 else f"exit {status}\n{output}")


def gtest_filter(name, command, how, filters):
    """The cases of this executable that are wanted, as --gtest_filter takes them; None when all are."""
    if wanted(name, filters):
        return None
    _, output = run_process([*command, "--gtest_list_tests"], how, 60)
    cases, suite = [], ""
    for line in output.splitlines():
        line = line.split("#")[0].rstrip()
        if line and not line.startswith(" "):
            suite = line
        elif wanted(f"{name}.{suite}{line.strip()}", filters):
            cases.append(suite + line.strip())
    return ":".join(cases)


def run_gtest(name, command, how, filters, tally):
    chosen = gtest_filter(name, command, how, filters)
    if chosen == "":
        return
    begin, before = time.monotonic(), tally.passed
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        arguments = [f"--gtest_output=json:{report}"] + ([f"--gtest_filter={chosen}"] if chosen else [])
        status, output = run_process([*command, *arguments], how, EXECUTABLE_SECONDS)
        result = json.loads(report.read_text()) if report.exists() else None
    failures = count_gtest(name, result, tally) if result else 0
    if status != 0 and failures == 0:  # a crash, a leak, or no end
        tally.add(name, time.monotonic() - begin, failure=f"exit {status}\n{output}")
    print(f"{name}: {tally.passed - before} passed in {time.monotonic() - begin:.1f} s", flush=True)


def count_gtest(name, result, tally):
    failures = 0
    for suite in result["testsuites"]:
        for case in suite["testsuite"]:
            if case["status"] != "RUN":
                continue
            texts = [failure["failure"] for failure in case.get("failures", [])]
            failures += bool(texts)
            skip = "by itself" if case["result"] == "SKIPPED" else None
            tally.add(f"{name}.{suite['name']}.{case['name']}", float(case["time"].rstrip("s")), "\n".join(texts) if texts else None, skip)
    return failures


# ---- tests in Python

class CaseTimeout(Exception):
    pass


class Result(unittest.TestResult):
    """Counts each case once, and ends one that takes too long."""

    def __init__(self, tally):
        super().__init__()
        self.tally = tally

    def startTest(self, test):
        super().startTest(test)
        self.begin, self.failure, self.skip = time.monotonic(), None, None
        signal.alarm(getattr(test, "seconds", CASE_SECONDS))

    def addFailure(self, test, err):
        self.failure = self._exc_info_to_string(err, test)  # without the frames of unittest

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err:
            self.failure = (self.failure or "") + f"{subtest}\n{self._exc_info_to_string(err, test)}"

    def addSkip(self, test, reason):
        self.skip = reason

    def stopTest(self, test):
        signal.alarm(0)
        seconds = time.monotonic() - self.begin
        self.tally.add(test.id(), seconds, self.failure, self.skip)
        if self.failure is None and self.skip is None:
            note = getattr(test, "note", "")
            print(f"pass {test.id()} ({seconds:.1f} s){': ' + note if note else ''}", flush=True)
        super().stopTest(test)


def cases(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def run_python(quick, long, filters, tally):
    def too_long(*_):
        raise CaseTimeout("the case takes too long")
    signal.signal(signal.SIGALRM, too_long)
    sys.path.insert(0, str(ROOT / "tests"))
    sys.dont_write_bytecode = True
    chosen, left_out = unittest.TestSuite(), 0
    for folder in ("program", "interop"):
        names = [f"{folder}.{file.stem}" for file in sorted((ROOT / "tests" / folder).glob("*_test.py"))]
        for case in cases(unittest.defaultTestLoader.loadTestsFromNames(names)):
            method = getattr(case, case._testMethodName, case)
            if not wanted(case.id(), filters) or (quick and getattr(method, "slow", False)):
                continue
            if getattr(method, "long", False) and not long:
                left_out += 1
            else:
                chosen.addTest(case)
    if left_out:
        print(f"cases of minutes left out: {left_out}; --long runs them", flush=True)
    chosen.run(Result(tally))


def main():
    parser = argparse.ArgumentParser(prog="scripts/test", description="Builds, runs every test, and says how many passed.")
    parser.add_argument("--sanitize", metavar="NAME", help="build with 'address,undefined' or 'thread', in a folder of its own")
    parser.add_argument("--quick", action="store_true", help="leave out the cases that take long")
    parser.add_argument("--long", action="store_true", help="also the cases that take minutes: full-size floods, storms of odd packets")
    parser.add_argument("--build-dir", type=pathlib.Path, help="default: build, or build-<sanitizer>")
    parser.add_argument("filter", nargs="*", help="run only what has this in its name, or matches it as a pattern: unit_tcp, 'interop.*loss*'")
    options = parser.parse_args()
    suffix = "-" + options.sanitize.replace(",", "-") if options.sanitize else ""
    directory = (options.build_dir or ROOT / ("build" + suffix)).resolve()
    # An interrupt, of either kind, unwinds, so that what was set up is taken down.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    build(directory, options.sanitize)
    os.environ.update(sanitizer_environment(options.sanitize))
    os.environ["ESTAB"] = str(directory / "apps" / "estab" / "estab")
    os.environ["ESTAB_SANITIZER"] = options.sanitize or ""
    # ThreadSanitizer of this toolchain does not know every layout that address randomisation gives.
    launcher = ["setarch", "-R"] if options.sanitize == "thread" else []
    tally = Tally()
    run_executables(directory, launcher, options.filter, tally)
    if options.sanitize == "thread":
        # DPDK is not instrumented: what its rings and launches put in order looks like races, in every run of the program.
        print("with ThreadSanitizer, the program and interop cases are left out")
    else:
        run_python(options.quick, options.long, options.filter, tally)
    print(tally.line())
    return 1 if tally.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
    except subprocess.CalledProcessError as error:
        sys.exit(f"the build failed (exit {error.returncode})")
