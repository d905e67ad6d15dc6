# SPDX-License-Identifier: GPL-3.0-or-later
"""A real browser without a screen: Chromium in a namespace, driven by its DevTools pipe."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time

from namespaces import LabError

PROGRAM = "chromium-headless-shell"
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "browser.html")
SWITCHES = ("--no-sandbox", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-breakpad", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-audio-output",
            "--autoplay-policy=no-user-gesture-required",
            "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
            "--disable-features=WebRtcHideLocalIpsWithMdns")  # host candidates as addresses


def is_installed():
    return shutil.which(PROGRAM) is not None


class Browser:
    """One browser with one page, `browser.html`; `call` runs that page's functions."""

    def __init__(self, namespace, directory, user):
        self.user = user
        self._directory = os.path.join(directory, f"{user}-browser")
        os.makedirs(self._directory)
        self.log = os.path.join(self._directory, "chromium.log")
        self._answers, self._numbers = {}, 0
        self._changed = threading.Condition()
        profile = os.path.join(self._directory, "profile")
        environment = dict(os.environ, HOME=self._directory, XDG_CONFIG_HOME=self._directory,
                           XDG_CACHE_HOME=self._directory)
        with open(self.log, "wb") as log:  # the pipe is its descriptors 3 and 4
            self._process = namespace.popen(
                ["sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >&2', "sh", PROGRAM, *SWITCHES,
                 f"--user-data-dir={profile}", "about:blank"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment)
        threading.Thread(target=self._read, daemon=True).start()
        self.version = self._command("Browser.getVersion")["product"]
        target = self._command("Target.createTarget", url=pathlib.Path(PAGE).as_uri())["targetId"]
        self._session = self._command("Target.attachToTarget", targetId=target,
                                      flatten=True)["sessionId"]
        self._wait_for_page()

    def _read(self):
        buffer = b""
        while True:
            data = os.read(self._process.stdout.fileno(), 65536)
            buffer += data
            *messages, buffer = buffer.split(b"\0")
            with self._changed:
                for text in messages:
                    message = json.loads(text)
                    if "id" in message:
                        self._answers[message["id"]] = message
                if not data:
                    self._answers = None
                self._changed.notify_all()
            if not data:
                return

    def _command(self, method, session=None, timeout=15.0, **parameters):
        self._numbers += 1
        number = self._numbers
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\0")
            self._process.stdin.flush()
        except OSError:
            raise LabError(f"{self.user}: Chromium is gone: {self.tail()}") from None
        with self._changed:
            there = self._changed.wait_for(
                lambda: self._answers is None or number in self._answers, timeout)
            if self._answers is None:
                raise LabError(f"{self.user}: Chromium ended: {self.tail()}")
            if not there:
                raise LabError(f"{self.user}: {method} took longer than {timeout:g} s: {self.tail()}")
            answer = self._answers.pop(number)
        if "error" in answer:
            raise LabError(f"{self.user}: {method}: {answer['error'].get('message')}")
        return answer["result"]

    def _wait_for_page(self, timeout=10.0):
        deadline = time.monotonic() + timeout
        while self.evaluate("document.readyState + typeof figures") != "completefunction":
            if time.monotonic() > deadline:
                raise LabError(f"{self.user}: {PAGE} was not loaded: {self.tail()}")
            time.sleep(0.02)

    def evaluate(self, expression, timeout=15.0):
        """The value of a JavaScript expression in the page, awaited if it is a promise."""
        done = self._command("Runtime.evaluate", self._session, timeout, expression=expression,
                             awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            thrown = done["exceptionDetails"]
            text = thrown.get("exception", {}).get("description") or thrown.get("text")
            raise LabError(f"{self.user}: {expression[:40]}: {text}")
        return done["result"].get("value")

    def call(self, name, *arguments, timeout=15.0):
        words = ", ".join(json.dumps(argument) for argument in arguments)
        return self.evaluate(f"{name}({words})", timeout)

    def tail(self, size=400):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()[-size:]

    def stop(self):
        """It ends with its pipe; Debian's wrapper passes no signal on."""
        self._process.stdin.close()
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)  # the session is its own
            self._process.wait()
