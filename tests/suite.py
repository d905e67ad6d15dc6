# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds every preset and runs every kind of test; called by tests/run, which has the options."""

import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CPUS = os.cpu_count() or 2
PARTS = ("unit", "tsan", "fuzz", "simulation", "kernel", "lab", "style")
QUICK_LAB = ("call-dtls-srtp", "bye-closes", "no-call-no-media")
TAIL = 60  # lines shown of what failed


class Suite:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self._lock = threading.Lock()
        self._children = set()
        self._unrandomised = ["setarch", "-R"] if subprocess.run(
            ["setarch", "-R", "true"], capture_output=True, check=False).returncode == 0 else []

    def execute(self, argv, *, timeout, environment=None, sanitized=False):
        """Exit status (124: out of time) and all output."""
        argv = (self._unrandomised if sanitized else []) + [str(word) for word in argv]
        with tempfile.TemporaryFile() as output:
            child = subprocess.Popen(argv, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT,
                                     stdin=subprocess.DEVNULL, start_new_session=True,
                                     env={**os.environ, **(environment or {})})
            with self._lock:
                self._children.add(child)
            try:
                status = child.wait(timeout)
            except subprocess.TimeoutExpired:
                end_session(child)
                status = 124
            finally:
                with self._lock:
                    self._children.discard(child)
            output.seek(0)
            return status, output.read().decode("utf-8", "replace")

    def report(self, what, passed, failed, skipped, started, detail="", why=""):
        with self._lock:
            self.passed += passed
            self.failed += failed
            self.skipped += skipped
            word = "FAIL" if failed else "skip" if skipped and not passed else "ok"
            counts = f"{passed} passed" + (f", {failed} failed" if failed else "") + (
                f", {skipped} skipped" if skipped else "")
            print(f"{word:4} {what}: {counts} ({time.monotonic() - started:.0f} s)"
                  + (f" {why}" if why else ""), flush=True)
            if detail:
                print("\n".join("     " + line for line in detail.splitlines()[-TAIL:]), flush=True)

    def stop(self):
        with self._lock:
            children = list(self._children)
        for child in children:
            end_session(child)

    def configure(self, preset):
        started = time.monotonic()
        status, output = self.execute(["cmake", "--preset", preset], timeout=120)
        if status:
            self.report(f"configure {preset}", 0, 1, 0, started, output)
        return status == 0

    def targets(self, preset):
        status, output = self.execute(["ninja", "-C", f"build/{preset}", "-t", "targets", "all"],
                                      timeout=60)
        return set(re.findall(r"^([\w-]+): ", output, re.M)) if status == 0 else set()

    def build(self, preset, targets=()):
        if not self.configure(preset):
            return False
        if targets:
            targets = sorted(set(targets) & self.targets(preset))
            if not targets:
                return True
        started = time.monotonic()
        status, output = self.execute(["ninja", "-C", f"build/{preset}", "-k", "0", f"-j{CPUS}",
                                       *targets], timeout=1500)
        if status:
            errors = [line for line in output.splitlines()
                      if re.search(r"\berror: |^FAILED: |undefined reference|multiple definition",
                                   line)]
            self.report(f"build {preset}", 0, 1, 0, started, "\n".join(errors or [output]))
        else:
            print(f"ok   build {preset} ({time.monotonic() - started:.0f} s)", flush=True)
        return status == 0

    def ctest(self, preset, sanitized=False):
        """unit_*, torture, scenario: whatever ctest knows, case by case."""
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as results:
            status, output = self.execute(
                ["ctest", "--test-dir", f"build/{preset}", "--output-on-failure", f"-j{CPUS}",
                 "-E", "^(kernel|simulation|bench)", "--timeout", "300", "--no-tests=error"],
                timeout=900, environment={"GTEST_OUTPUT": f"xml:{results}/", **SANITIZERS},
                sanitized=sanitized)
            passed, failed, skipped = count_cases(results)
        lines = re.findall(r"^\s*\d+/\d+ Test\s+#\d+: (\S+) \.*\s*(.*?)\s+[\d.]+ sec", output, re.M)
        broken = [name for name, outcome in lines if outcome != "Passed"]
        if not passed:
            passed = len(lines) - len(broken)
        if status and not failed:
            failed = max(1, len(broken))
        self.report(f"{preset} tests ({', '.join(name for name, _ in lines)})", passed, failed,
                    skipped, started, output if failed else "")

    def program(self, preset, name, arguments, timeout, *, sanitized=False, what=None,
                environment=None):
        """One test program, when there is such a one."""
        path = f"{ROOT}/build/{preset}/{name}"
        if not os.access(path, os.X_OK):
            self.report(what or name, 0, 0, 1, time.monotonic(), why="not there yet")
            return
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as results:
            status, output = self.execute(
                [path, *arguments], timeout=timeout, sanitized=sanitized,
                environment={"GTEST_OUTPUT": f"xml:{results}/", **SANITIZERS,
                             **(environment or {})})
            passed, failed, skipped = count_cases(results)
        why = "out of time" if status == 124 else ""
        if not passed + failed + skipped:
            passed, failed = (1, 0) if status == 0 else (0, 1)
            why = why or tail(output, 1)
        if status and not failed:
            failed = 1
        self.report(what or name, passed, failed, skipped, started, output if failed else "", why)

    def unit(self, quick):
        if self.build("release"):
            self.ctest("release")
        if not quick and self.build("dev"):
            self.ctest("dev", sanitized=True)

    def tsan(self):
        """Worker, channel and scenario tests only: what has threads or crosses processes."""
        if not self.build("tsan", ("scenario", "unit_daemon")):
            return
        self.program("tsan", "scenario", [], 600, sanitized=True, what="tsan scenario")
        self.program("tsan", "unit_daemon", ["--gtest_filter=*Worker*:*Channel*:*EventLoop*"], 300,
                     sanitized=True, what="tsan unit_daemon")

    def fuzz(self, seconds):
        if not self.build("fuzz"):
            return
        names = sorted(os.path.basename(path) for path in glob.glob(f"{ROOT}/build/fuzz/fuzz_*")
                       if os.access(path, os.X_OK) and os.path.isfile(path))
        if not names:
            self.report("fuzz", 0, 0, 1, time.monotonic(), why="no targets yet")
            return
        started, each = time.monotonic(), max(1, round(seconds / len(names)))

        def one(name):
            seeds = f"{ROOT}/tests/fuzz/corpus/{name.removeprefix('fuzz_')}"
            seeds = seeds if os.path.isdir(seeds) else f"{ROOT}/tests/fuzz/corpus/{name}"
            with tempfile.TemporaryDirectory() as corpus:
                return self.execute(
                    [f"build/fuzz/{name}", f"-max_total_time={each}", "-timeout=10",
                     "-rss_limit_mb=1500", "-verbosity=0", "-close_fd_mask=1",
                     f"-artifact_prefix=build/fuzz/{name}-", corpus]
                    + ([seeds] if os.path.isdir(seeds) else []),
                    timeout=each + 60, sanitized=True)

        with concurrent.futures.ThreadPoolExecutor(CPUS) as pool:
            outcomes = list(pool.map(one, names))
        broken = [(name, output) for name, (status, output) in zip(names, outcomes) if status]
        self.report(f"fuzz ({each} s each)", len(names) - len(broken), len(broken), 0, started,
                    "\n".join(f"{name}:\n{tail(output, 30)}" for name, output in broken))

    def kernel(self):
        self.program("release", "kernel_test", [], 180, what="kernel")

    def lab(self, quick):
        started = time.monotonic()
        status, output = self.execute(
            [f"{ROOT}/tests/lab/run", "-j", max(2, CPUS), *(QUICK_LAB if quick else ())],
            timeout=900)
        counts = [len(re.findall(rf"^{word} ", output, re.M)) for word in ("PASS", "FAIL", "SKIP")]
        if status and not counts[1]:
            counts[1] = 1
        shown = [line for line in output.splitlines() if not line.startswith("PASS ")]
        skips = re.findall(r"^SKIP \S+ (.*)", output, re.M)
        self.report("lab", *counts, started, "\n".join(shown) if counts[1] else "",
                    skips[0] if skips else "")

    def style(self, nightly):
        files = git("ls-files", "*.cc", "*.h")
        started = time.monotonic()
        files = [name for name in files if os.path.exists(f"{ROOT}/{name}")]
        status, output = self.execute(["clang-format-19", "--dry-run", "-Werror", *files],
                                      timeout=300)
        wrong = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", output, re.M)))
        self.report("clang-format", *((0, 1, 0) if status else (1, 0, 0)), started,
                    "\n".join(wrong) or (output if status else ""))
        self.tidy(nightly, files)

    def tidy(self, nightly, files):
        if not os.path.exists(f"{ROOT}/build/release/compile_commands.json") and \
                not self.configure("release"):
            return
        chosen = sorted(set(files if nightly else changed()) & set(files))
        stems = {os.path.splitext(name)[0] for name in chosen}
        units = [name for name in files if name.endswith(".cc")
                 and os.path.splitext(name)[0] in stems and not name.startswith("tests/fuzz/")]
        started, limit = time.monotonic(), 36000 if nightly else 180

        def one(name):
            if time.monotonic() - started > limit:
                return None
            return self.execute(["clang-tidy-19", "-p", "build/release", "--quiet",
                                 "--extra-arg=-Wno-unknown-warning-option", name], timeout=180)

        with concurrent.futures.ThreadPoolExecutor(CPUS) as pool:
            outcomes = list(zip(units, pool.map(one, units)))
        late = [name for name, outcome in outcomes if outcome is None]
        wrong = [(name, outcome[1]) for name, outcome in outcomes if outcome and outcome[0]]
        lines = [line for _, output in wrong for line in output.splitlines()
                 if re.search(r"(error|warning): ", line)]
        seen = len(outcomes) - len(late)
        self.report("clang-tidy", *((0, 1, 0) if wrong else (1, 0, 0)), started,
                    "\n".join(dict.fromkeys(lines)),
                    f"{seen} files" + (f", {len(late)} left to the nightly run (out of time)"
                                       if late else ""))


SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:allocator_may_return_null=1",
              "UBSAN_OPTIONS": "print_stacktrace=1", "TSAN_OPTIONS": "halt_on_error=1"}


def end_session(child):
    """The child's whole session, which we started: politely, so that labs clean up, then not."""
    for number, patience in ((signal.SIGTERM, 15), (signal.SIGKILL, 5)):
        try:
            os.killpg(child.pid, number)
            child.wait(patience)
            return
        except ProcessLookupError:
            child.wait()
            return
        except subprocess.TimeoutExpired:
            continue


def tail(text, count):
    return "\n".join(text.splitlines()[-count:])


def count_cases(directory):
    """(passed, failed, skipped) of GoogleTest's XML files."""
    passed = failed = skipped = 0
    for path in glob.glob(f"{directory}/*.xml"):
        try:
            cases = xml.etree.ElementTree.parse(path).getroot().iter("testcase")
        except xml.etree.ElementTree.ParseError:
            failed += 1
            continue
        for case in cases:
            if case.find("failure") is not None:
                failed += 1
            elif case.get("result") == "skipped" or case.find("skipped") is not None:
                skipped += 1
            elif case.get("status") == "run":
                passed += 1
    return passed, failed, skipped


def git(*words):
    done = subprocess.run(["git", "-c", f"safe.directory={ROOT}", *words], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    return done.stdout.split() if done.returncode == 0 else []


def changed():
    """Files changed since the last release tag; without one, in the last ten commits."""
    tag = git("describe", "--tags", "--abbrev=0")
    commits = git("rev-list", "--max-count=11", "HEAD")
    base = tag[0] if tag else commits[-1] if commits else "HEAD"
    return git("diff", "--name-only", base, "--")


def main():
    parser = argparse.ArgumentParser(prog="tests/run")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--style", action="store_true")
    parser.add_argument("--nightly", action="store_true")
    parser.add_argument("--only", action="append", choices=PARTS, metavar="PART",
                        help=", ".join(PARTS))
    options = parser.parse_args()
    parts = set(options.only or (("unit", "kernel", "lab") if options.quick else PARTS[:-1]))
    if options.style:
        parts.add("style")
    suite = Suite()

    def stopped(number, _):
        suite.stop()
        os._exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stopped)
    free = shutil.disk_usage(ROOT).free >> 20
    if free < 3000:
        print(f"disk space: {free} MB free, 3000 MB needed", file=sys.stderr)
        return 1
    factor = 10 if options.nightly else 1
    if "style" in parts:
        suite.style(options.nightly)
    if "unit" in parts:
        suite.unit(options.quick)
    if "tsan" in parts:
        suite.tsan()
    if "fuzz" in parts:
        suite.fuzz(60 * factor)
    if "simulation" in parts:
        suite.build("release", ("simulation", "firewall_property"))
        suite.program("release", "simulation", simulation_arguments(factor),
                      60 * factor + 240, what="simulation")
        suite.program("release", "firewall_property", (), 60 * factor + 240, what="exchanges",
                      environment={"MIDCOM_CALLS": str(20000 * factor)})
    if parts & {"kernel", "lab"} and "unit" not in parts:
        suite.build("release")
    side_by_side = [step for part, step in (("kernel", suite.kernel),
                                            ("lab", lambda: suite.lab(options.quick)))
                    if part in parts]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(step) for step in side_by_side]:
            done.result()
    print(f"{suite.passed} passed, {suite.failed} failed, {suite.skipped} skipped", flush=True)
    return 1 if suite.failed else 0


def simulation_arguments(factor):
    return ["--seeds", str(10000 * factor), "--seconds", str(60 * factor)]


if __name__ == "__main__":
    sys.exit(main())
