# SPDX-License-Identifier: GPL-3.0-or-later
"""midcomd in the lab's gateway: its configuration, its processes, its log events, its pinholes."""

import json
import os
import pwd
import re
import signal
import subprocess
import time

import namespaces
from namespaces import CORE, PHONES_A, PHONES_B, LabError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ACCOUNTS = ("midcomd", "midcomd-middlebox", "midcomd-opener")
# Bits of pinhole/features.h.
OWNER, PERSIST, DESTROY_ELEMENT, TIMEOUT_UPDATE, NATIVE_QUEUE, COMPAT_QUEUE = 1, 2, 4, 8, 16, 32
DEBIAN_12 = PERSIST | DESTROY_ELEMENT | TIMEOUT_UPDATE  # what 6.1 hasn't

CONFIGURATION = """[midcomd]
name = gw.example.net
state-directory = {state}
control-socket = {control}

[listen phones-a]
address = tls:{a.gateway4}:5061
[listen phones-a-6]
address = tls:[{a.gateway6}]:5061
[listen phones-b]
address = tls:{b.gateway4}:5061
[listen phones-b-6]
address = tls:[{b.gateway6}]:5061
[listen core]
address = tls:{c.gateway4}:5061
[listen core-6]
address = tls:[{c.gateway6}]:5061

[tls]
certificate = {certificate}
key = {key}
ca = {ca}
client-verify = optional

[peer phones-a]
kind = phones
network = 192.0.2.0/24
network = 2001:db8:a::/64
interface = phones-a
media = source
keys = {keys}

[peer phones-b]
kind = phones
network = 198.51.100.0/24
network = 2001:db8:b::/64
interface = phones-b
media = source
keys = {keys}

[peer core]
kind = trunk
network = {c.host4}/32
network = {c.host6}/128
identity = core.example
interface = core
side = core
media = {c.host4}/32
media = {c.host6}/128
next-hop = tls:{c.host4}:5061
tls-name = core.example
registrar = yes
keys = {keys}

[peer trunk]
kind = trunk
network = 203.0.113.20/32
identity = trunk.example
interface = core
side = trunk
media = 203.0.113.20/32
next-hop = tls:203.0.113.20:5061
tls-name = trunk.example
keys = {keys}

[route example.org]
peer = core
[route gw.example]
peer = core
[route trunk.example]
peer = trunk

[log]
format = logfmt
destination = stderr
level = {level}

[firewall]
mode = appliance
"""

SMIME = """
[smime]
certificate = {certificate}
key = {key}
ca = {ca}
openers = {openers}
"""

_PAIR = re.compile(r'([A-Za-z0-9_.-]+)=("(?:[^"\\]|\\.)*"|\S*)')


def binary():
    return os.environ.get("MIDCOMD", os.path.join(ROOT, "build", "release", "midcomd"))


def make_accounts():
    """The system accounts a package would make; returns those it had to."""
    made = []
    for name in ACCOUNTS:
        try:
            pwd.getpwnam(name)
        except KeyError:
            done = subprocess.run(["useradd", "--system", "--no-create-home", "--home-dir",
                                   "/nonexistent", "--shell", "/usr/sbin/nologin", name],
                                  capture_output=True, text=True, check=False)
            if done.returncode not in (0, 9):  # 9: another lab was faster
                raise LabError(f"useradd {name}: {done.stderr.strip()}") from None
            made.append(name)
    return made


class LogEvent(dict):
    """Fields of one log line; the event's name is `name`."""

    def __init__(self, text):
        super().__init__()
        self.text = text
        for key, value in _PAIR.findall(text):
            if value.startswith('"'):
                value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
            self[key] = value
        self.name = self.get("ev", self.get("event", ""))


class Midcomd:
    has_firewall = True

    def __init__(self, namespace, certificates, directory, *, keys="hidden", mask=0, extra="",
                 level="info", openers=0):
        state = self._prepare(namespace, directory, mask)
        certificate, key = certificates.gateway
        if openers:
            sealing_certificate, sealing_key = certificates.sealing
            extra += SMIME.format(certificate=sealing_certificate, key=sealing_key,
                                  ca=certificates.ca, openers=openers)
        with open(self._configuration, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(
                state=state, control=self.control, a=PHONES_A, b=PHONES_B, c=CORE,
                certificate=certificate, key=key, ca=certificates.ca, keys=keys, level=level) + extra)

    def _prepare(self, namespace, directory, mask=0):
        """Its files; returns the state directory."""
        os.makedirs(directory, exist_ok=True)
        self._namespace = namespace
        self._mask = mask
        self._process = None
        self.control = os.path.join(directory, "control.sock")
        self._configuration = os.path.join(directory, "midcomd.conf")
        self.log = os.path.join(directory, "midcomd.log")
        open(self.log, "wb").close()
        return os.path.join(directory, "state")

    def replace_in_configuration(self, old, new):
        with open(self._configuration, encoding="ascii") as file:
            text = file.read()
        with open(self._configuration, "w", encoding="ascii") as file:
            file.write(text.replace(old, new))

    @property
    def pid(self):
        return self._process.pid

    def start(self, timeout=8.0):
        """Starts it and waits until the firewall is its own and it listens."""
        if not os.access(binary(), os.X_OK):
            raise LabError(f"no {binary()}: build it first")
        mark = self.mark()
        environment = dict(os.environ)
        environment.pop("NOTIFY_SOCKET", None)
        if self._mask:
            environment["MIDCOMD_MASK_FEATURES"] = str(self._mask)
        with open(self.log, "ab") as log:
            self._process = self._namespace.popen(
                [binary(), "--config", self._configuration], stdout=log,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment)
        if self.has_firewall:
            self.wait("nft.ready", since=mark, timeout=timeout)
        self.wait("daemon.ready", since=mark, timeout=timeout)

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def tail(self, lines=6):
        return " / ".join(self.text().splitlines()[-lines:])

    def mark(self):
        """A place in the log, for `since`."""
        return os.path.getsize(self.log)

    def events(self, name=None, since=0, **fields):
        with open(self.log, "rb") as file:
            file.seek(since)
            lines = file.read().decode("utf-8", "replace").splitlines()
        found = [LogEvent(line) for line in lines]
        return [event for event in found if (name is None or event.name == name)
                and all(event.get(key) == value for key, value in fields.items())]

    def wait(self, name, since=0, timeout=4.0, count=1, **fields):
        deadline = time.monotonic() + timeout
        while True:
            found = self.events(name, since, **fields)
            if len(found) >= count:
                return found[count - 1]
            if self._process is not None and self._process.poll() is not None:
                raise LabError(f"midcomd ended with {self._process.returncode}: {self.tail()}")
            if time.monotonic() > deadline:
                raise LabError(f"no log event {name} {fields or ''} within {timeout:g} s; "
                               f"last: {self.tail(4)}")
            time.sleep(0.02)

    def role(self, name, timeout=5.0, other_than=0):
        """The pid of a role's process."""
        deadline = time.monotonic() + timeout
        while True:
            for pid in self.roles().get(name, ()):
                if pid != other_than:
                    return pid
            if time.monotonic() > deadline:
                raise LabError(f"no {name} process within {timeout:g} s: {self.tail(4)}")
            time.sleep(0.02)

    def roles(self):
        """Pids by role, children of this supervisor only."""
        found = {}
        for word in os.listdir("/proc"):
            if not word.isdigit():
                continue
            try:
                with open(f"/proc/{word}/stat", encoding="ascii", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
                if int(fields[1]) != self.pid or fields[0] == "Z":
                    continue
                with open(f"/proc/{word}/cmdline", "rb") as file:
                    words = file.read().decode("utf-8", "replace").split("\0")
            except (OSError, ValueError):
                continue
            if "--role" in words:
                found.setdefault(words[words.index("--role") + 1], []).append(int(word))
        return found

    def kill_role(self, name):
        pid = self.role(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_supervisor(self):
        """Returns when its children have ended too."""
        children = [pid for pids in self.roles().values() for pid in pids]
        self._process.kill()
        self._process.wait()
        deadline = time.monotonic() + 5
        while any(_is_alive(pid) for pid in children):
            if time.monotonic() > deadline:
                for pid in children:
                    if _is_alive(pid):
                        os.kill(pid, signal.SIGKILL)
                raise LabError("roles outlive their supervisor by 5 s")
            time.sleep(0.01)

    def ruleset(self):
        done = self._namespace.run(["nft", "-j", "list", "ruleset"])
        if done.returncode != 0:
            raise LabError(f"nft list ruleset: {done.stderr.strip()}")
        return json.loads(done.stdout)["nftables"]

    def pinholes(self):
        """Elements of the dynamic table: (source, port, destination, port) -> packets."""
        found = {}
        for item in self.ruleset():
            table_set = item.get("set", {})
            if table_set.get("table") != "midcomd":
                continue
            for element in table_set.get("elem", ()):
                body = element.get("elem", element) if isinstance(element, dict) else {}
                value = body.get("val", element) if isinstance(body, dict) else element
                words = value.get("concat") if isinstance(value, dict) else None
                if words and len(words) == 4:
                    counter = body.get("counter", {}) if isinstance(body, dict) else {}
                    found[tuple(words)] = counter.get("packets", 0)
        return found

    def wait_pinholes(self, count, timeout=3.0):
        deadline = time.monotonic() + timeout
        while True:
            found = self.pinholes()
            if len(found) == count:
                return found
            if time.monotonic() > deadline:
                raise LabError(f"{len(found)} pinholes, not {count}: {sorted(found)}; "
                               f"log: {self.tail(4)}")
            time.sleep(0.02)

    def stop(self):
        namespaces.stop(self._process, 4.0)


def _is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
