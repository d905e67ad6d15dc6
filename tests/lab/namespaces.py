# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces of one lab: made, entered, and removed again, by names of their own.

A socket belongs to the namespace its thread was in when it was created, for good; so one process
can hold sockets in all of them. Programs run in a namespace with a hosts file of their own.
"""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from names import NameServer

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PREFIX = "midlab"
KEPT = "kept"  # a file in the directory of logs to keep
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """The lab itself can't do its work (as opposed to: midcomd did wrong)."""


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _remove_namespace(name):
    """With whatever still runs in it: workers whose parent was killed outright."""
    for pid in ip("netns", "pids", name).split():
        with contextlib.suppress(OSError):
            os.kill(int(pid), signal.SIGKILL)
    ip("netns", "del", name)


class Namespace:
    def __init__(self, name):
        self.name = name
        self.mounts = {}  # file to put in place: where
        ip("netns", "add", name)
        self._fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        for scope in ("all", "default"):  # link-local addresses are usable at once
            self.sysctl(f"ipv6/conf/{scope}/accept_dad", 0)
        ip("-n", name, "link", "set", "lo", "up")

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is in the namespace meanwhile."""
        home = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net",
                       os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(self._fd)
            try:
                yield self
            finally:
                _setns(home)
        finally:
            os.close(home)

    def socket(self, family, kind, protocol=0):
        with self.entered():
            return socket.socket(family, kind, protocol)

    def sysctl(self, path, value):
        with self.entered(), open(f"/proc/sys/net/{path}", "w", encoding="ascii") as file:
            file.write(str(value))

    def popen(self, argv, **options):
        """Runs a program here; it dies with us. The pid is the program's own."""
        binds = " && ".join(f"mount --bind '{source}' '{target}'"
                            for source, target in self.mounts.items()) or ":"
        return subprocess.Popen(  # pylint: disable=subprocess-popen-preexec-fn
            ["ip", "netns", "exec", self.name, "sh", "-c", f'{binds} && exec "$@"', "sh", *argv],
            preexec_fn=_die_with_parent, start_new_session=True, **options)

    def run(self, argv, **options):
        return subprocess.run(["ip", "netns", "exec", self.name, *argv], capture_output=True,
                              text=True, check=False, **options)

    def remove(self):
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            _remove_namespace(self.name)


class Link:
    """What one side's interface is called and numbered by."""

    def __init__(self, interface, gateway4, host4, gateway6, host6, more4=()):
        self.interface = interface
        self.gateway4, self.host4, self.more4 = gateway4, host4, more4
        self.gateway6, self.host6 = gateway6, host6


PHONES_A = Link("phones-a", "192.0.2.1", "192.0.2.10", "2001:db8:a::1", "2001:db8:a::10",
                ("192.0.2.66",))
PHONES_B = Link("phones-b", "198.51.100.1", "198.51.100.10", "2001:db8:b::1", "2001:db8:b::10")
CORE = Link("core", "203.0.113.1", "203.0.113.10", "2001:db8:c::1", "2001:db8:c::10",
            ("203.0.113.20", "203.0.113.21"))

class Topology:
    """phone A | gateway | phone B, and the core network."""

    def __init__(self, directory, tag=""):
        self._all, self._servers = [], []
        stem = f"{PREFIX}-{os.getpid()}{tag}"
        try:
            self.gateway = self._add(f"{stem}-gw")
            self.a = self._host(f"{stem}-a", PHONES_A)
            self.b = self._host(f"{stem}-b", PHONES_B)
            self.core = self._host(f"{stem}-core", CORE)
            self.gateway.sysctl("ipv4/ip_forward", 1)
            self.gateway.sysctl("ipv6/conf/all/forwarding", 1)
        except BaseException:
            self.remove()
            raise
        files = {"hosts": "127.0.0.1 localhost\n::1 localhost\n",
                 "resolv.conf": "nameserver 127.0.0.1\n"}
        for name, text in files.items():
            path = os.path.join(directory, name)
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            for namespace in self._all:
                if os.path.exists(f"/etc/{name}"):  # a minimal system may have no hosts file
                    namespace.mounts[path] = f"/etc/{name}"
        for namespace, link in ((self.a, PHONES_A), (self.b, PHONES_B), (self.core, CORE)):
            self._servers.append(NameServer(namespace, {
                "gw.example.net": (link.gateway4, link.gateway6),
                "core.example": (CORE.host4, CORE.host6), "trunk.example": (CORE.more4[0], None),
                "localhost": ("127.0.0.1", "::1")}))

    def _add(self, name):
        namespace = Namespace(name)
        self._all.append(namespace)
        return namespace

    def _host(self, name, link):
        host = self._add(name)
        gateway = self.gateway.name
        ip("-n", gateway, "link", "add", link.interface, "type", "veth", "peer", "name", "eth0",
           "netns", name)
        for namespace, interface, v4, v6 in ((gateway, link.interface, [link.gateway4],
                                              link.gateway6),
                                             (name, "eth0", [link.host4, *link.more4],
                                              link.host6)):
            for address in v4:
                ip("-n", namespace, "addr", "add", f"{address}/24", "dev", interface)
            ip("-n", namespace, "addr", "add", f"{v6}/64", "dev", interface, "nodad")
            ip("-n", namespace, "link", "set", interface, "up")
        ip("-n", name, "route", "add", "default", "via", link.gateway4)
        ip("-n", name, "-6", "route", "add", "default", "via", link.gateway6)
        return host

    def remove(self):
        for server in self._servers:
            server.close()
        for namespace in reversed(self._all):
            with contextlib.suppress(LabError, OSError):
                namespace.remove()
        self._all = []


def sweep():
    """Removes what labs that were killed outright left behind; not logs somebody keeps."""
    def is_left(name):
        match = re.match(rf"{PREFIX}-(\d+)\D", name)
        return match and not os.path.exists(f"/proc/{match.group(1)}")

    for line in ip("netns", "list").splitlines():
        name = line.split()[0] if line.strip() else ""
        if is_left(name):
            with contextlib.suppress(LabError):
                _remove_namespace(name)
    for name in os.listdir(tempfile.gettempdir()):
        path = os.path.join(tempfile.gettempdir(), name)
        if is_left(name) and not os.path.exists(os.path.join(path, KEPT)):
            shutil.rmtree(path, ignore_errors=True)


def no_more_interruptions():
    """Clean-up is not cut short by a second Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def interrupt_once():
    """The first signal to end raises KeyboardInterrupt; later ones find the clean-up at work."""
    def interrupted(*_):
        no_more_interruptions()
        raise KeyboardInterrupt
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)


def stop(process, patience=3.0):
    """Ends a program we started, politely first."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
