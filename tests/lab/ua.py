# SPDX-License-Identifier: GPL-3.0-or-later
"""A SIP user agent that says just what a scenario tells it to, over TLS, TCP or UDP."""

import itertools
import os
import re
import socket
import ssl
import threading
import time

from namespaces import LabError

_counter = itertools.count(1)


def token(prefix=""):
    return f"{prefix}{os.urandom(6).hex()}{next(_counter)}"


def sdp(address, port, *, direction="sendrecv", version=1, attributes=(), profile="RTP/AVP",
        connection=None, mux=False):
    kind = "IP6" if ":" in address else "IP4"
    line = connection or address
    extra = "".join(f"a={attribute}\r\n" for attribute in attributes)
    extra += "a=rtcp-mux\r\n" if mux else ""
    return (f"v=0\r\no=- 4711 {version} IN {kind} {address}\r\ns=-\r\n"
            f"c=IN {'IP6' if ':' in line else 'IP4'} {line}\r\nt=0 0\r\n"
            f"m=audio {port} {profile} 0\r\na=rtpmap:0 PCMU/8000\r\n{extra}a={direction}\r\n")


def _content_type(body, extra):
    is_given = any(line.lower().startswith("content-type:") for line in extra)
    return ["Content-Type: application/sdp"] if body and not is_given else []


class Message:
    def __init__(self, raw, line, stamp):
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace")).split("\r\n")
        self.start, self.body, self.line, self.stamp = lines[0], body.decode(), line, stamp
        self.headers = [(name.strip(), value.strip())
                        for name, _, value in (text.partition(":") for text in lines[1:])]
        self.is_response = self.start.startswith("SIP/2.0")
        words = self.start.split(" ", 2)
        self.status = int(words[1]) if self.is_response else 0
        self.method = self.get("CSeq").split()[1] if self.is_response else words[0]
        self.uri = "" if self.is_response else words[1]

    def all(self, name):
        return [value for field, value in self.headers if field.lower() == name.lower()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else ""

    def tag(self, name):
        match = re.search(r";\s*tag=([^;>\s]+)", self.get(name))
        return match.group(1) if match else ""

    def contact_uri(self):
        match = re.search(r"<([^>]+)>", self.get("Contact"))
        return match.group(1) if match else self.get("Contact")

    def record_route(self):
        return [part.strip() for value in self.all("Record-Route")
                for part in re.split(r",(?=\s*<)", value)]


class Inbox:
    """Messages of all of a user agent's connections, in order of arrival."""

    def __init__(self):
        self._messages = []
        self._changed = threading.Condition()

    def put(self, message):
        with self._changed:
            self._messages.append(message)
            self._changed.notify_all()

    def take(self, matches, timeout, what):
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for message in self._messages:
                    if matches(message):
                        self._messages.remove(message)
                        return message
                left = deadline - time.monotonic()
                if left <= 0:
                    there = [message.start for message in self._messages]
                    raise LabError(f"{what} did not come within {timeout:g} s; there is {there}")
                self._changed.wait(left)

    def none(self, matches, timeout):
        """True when no such message comes in this time."""
        try:
            self.take(matches, timeout, "")
        except LabError:
            return True
        return False


class Line:
    """One connection (or UDP socket); its messages go to the inbox."""

    def __init__(self, connection, transport, inbox, peer=None):
        self._socket, self.transport, self._inbox, self._peer = connection, transport, inbox, peer
        self.local = connection.getsockname()[:2]
        self.closed = threading.Event()
        self._write = threading.Lock()
        connection.settimeout(0.05 if transport == "TLS" else None)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def sent_by(self):
        host, port = self.local
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def send(self, data):
        data = data.encode() if isinstance(data, str) else data
        if self.transport == "UDP":
            self._socket.sendto(data, self._peer)
            return
        with self._write:
            self._socket.sendall(data)

    def _receive(self):
        """TLS sockets can't be read and written at once: short turns under the lock."""
        if self.transport != "TLS":
            return self._socket.recv(65536)
        while not self.closed.is_set():
            with self._write:
                self._socket.settimeout(0.002)
                try:
                    return self._socket.recv(65536)
                except (TimeoutError, ssl.SSLWantReadError):
                    pass
                finally:
                    try:
                        self._socket.settimeout(5)
                    except OSError:
                        pass
            time.sleep(0.001)
        return b""

    def _read(self):
        buffer = b""
        while not self.closed.is_set():
            try:
                data = self._receive()
            except (OSError, ValueError):
                data = b""
            if not data:
                break
            stamp = time.time_ns()
            if self.transport == "UDP":
                self._inbox.put(Message(data, self, stamp))
                continue
            buffer += data
            while True:
                buffer = buffer.lstrip(b"\r\n")
                head, found, rest = buffer.partition(b"\r\n\r\n")
                if not found:
                    break
                match = re.search(rb"\r\n(?:content-length|l)\s*:\s*(\d+)", head, re.IGNORECASE)
                size = int(match.group(1)) if match else 0
                if len(rest) < size:
                    break
                self._inbox.put(Message(head + found + rest[:size], self, stamp))
                buffer = rest[size:]
        self.closed.set()

    def close(self):
        self.closed.set()
        for step in (lambda: self._socket.shutdown(socket.SHUT_RDWR), self._socket.close):
            try:
                step()
            except OSError:
                pass


class Dialog:
    def __init__(self, agent, line, call_id, local, remote, target, routes, sequence=1):
        self.agent, self.line, self.call_id = agent, line, call_id
        self.local, self.remote = local, remote  # whole From and To values
        self.target, self.routes, self.sequence = target, routes, sequence

    def request(self, method, body="", *, sequence=None, extra=(), line=None):
        """Sends a request of this dialog; returns what awaits its answer."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        return self.agent.send_request(
            method, self.target, line=line or self.line, call_id=self.call_id, local=self.local,
            remote=self.remote, sequence=sequence, routes=self.routes, body=body, extra=extra)

    def ack(self, sequence=None, body=""):
        self.request("ACK", body, sequence=self.sequence if sequence is None else sequence)

    def bye(self, **options):
        return self.request("BYE", **options)


class Sent:
    """A request on its way."""

    def __init__(self, agent, method, branch, text, line):
        self._agent, self.method, self.branch, self._text, self._line = (agent, method, branch,
                                                                         text, line)
        self.call_id = re.search(r"\r\nCall-ID: (\S+)", text).group(1)
        self.sequence = int(re.search(r"\r\nCSeq: (\d+)", text).group(1))
        self.final_message = None

    def _mine(self, message):
        return (message.is_response and message.method == self.method
                and f"branch={self.branch}" in message.get("Via"))

    def response(self, status, timeout=5.0):
        return self._agent.inbox.take(lambda m: self._mine(m) and m.status == status, timeout,
                                      f"{status} to {self.method}")

    def final(self, timeout=5.0):
        message = self._agent.inbox.take(lambda m: self._mine(m) and m.status >= 200, timeout,
                                         f"a final answer to {self.method}")
        self.final_message = message
        if self.method == "INVITE" and message.status >= 300:
            self._send_ack(message)
        return message

    def _send_ack(self, response):
        lines = self._text.split("\r\n\r\n")[0].split("\r\n")
        keep = [lines[0].replace("INVITE", "ACK", 1)]
        for text in lines[1:]:
            name = text.split(":")[0].lower()
            if name in ("via", "from", "call-id", "max-forwards", "route"):
                keep.append(text)
        keep += [f"To: {response.get('To')}", f"CSeq: {self.sequence} ACK", "Content-Length: 0"]
        self._line.send("\r\n".join(keep) + "\r\n\r\n")

    def cancel(self):
        lines = self._text.split("\r\n\r\n")[0].split("\r\n")
        keep = [lines[0].replace("INVITE", "CANCEL", 1)]
        keep += [text for text in lines[1:]
                 if text.split(":")[0].lower() in ("via", "from", "to", "call-id", "max-forwards",
                                                   "route")]
        keep += [f"CSeq: {self.sequence} CANCEL", "Content-Length: 0"]
        text = "\r\n".join(keep) + "\r\n\r\n"
        self._line.send(text)
        return Sent(self._agent, "CANCEL", self.branch, text, self._line)

    def dialog(self, response):
        """The caller's dialog made by this response."""
        local = re.search(r"\r\nFrom: ([^\r]*)", self._text).group(1)
        return Dialog(self._agent, self._line, self.call_id, local, response.get("To"),
                      response.contact_uri(), response.record_route()[::-1], self.sequence)


class Incoming:
    """A request that came to us."""

    def __init__(self, agent, message):
        self.agent, self.message = agent, message
        self.tag = token("t")

    def reply(self, status, reason="Told so", body="", extra=(), contact=True):
        message = self.message
        lines = [f"SIP/2.0 {status} {reason}"]
        lines += [f"{name}: {value}" for name, value in message.headers
                  if name.lower() in ("via", "from", "call-id", "cseq", "record-route")]
        to = message.get("To")
        if not message.tag("To") and status > 100:
            to += f";tag={self.tag}"
        lines.append(f"To: {to}")
        if contact and message.method == "INVITE" and status < 300:
            lines.append(f"Contact: {self.agent.contact(message.line)}")
        lines += list(extra)
        lines += _content_type(body, extra)
        lines.append(f"Content-Length: {len(body)}")
        message.line.send("\r\n".join(lines) + "\r\n\r\n" + body)

    def dialog(self):
        message = self.message
        local = message.get("To")
        if not message.tag("To"):
            local += f";tag={self.tag}"
        return Dialog(self.agent, message.line, message.get("Call-ID"), local,
                      message.get("From"), message.contact_uri(), message.record_route(), 100)


class UserAgent:
    """`user`@`domain` at one address of a namespace."""

    def __init__(self, namespace, user, domain, address, certificates, pair=None):
        self.user, self.domain, self.address = user, domain, address
        self.uri = f"sip:{user}@{domain}"
        self._namespace, self._certificates, self._pair = namespace, certificates, pair
        self.inbox = Inbox()
        self.lines = []
        self._listening = None

    def _context(self, server):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self._certificates.ca)
        if server:
            context.verify_mode = ssl.CERT_OPTIONAL
        if self._pair:
            context.load_cert_chain(*self._pair)
        return context

    def connect(self, proxy, transport="TLS", port=5061, timeout=5):
        family = socket.AF_INET6 if ":" in proxy else socket.AF_INET
        kind = socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM
        raw = self._namespace.socket(family, kind)
        raw.settimeout(timeout)
        raw.bind((self.address, 0))
        if transport != "UDP":
            raw.connect((proxy, port))
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if transport == "TLS":
            raw = self._context(False).wrap_socket(raw, server_hostname="gw.example.net")
        line = Line(raw, transport, self.inbox, (proxy, port))
        self.lines.append(line)
        return line

    def listen(self, port=5061):
        """TLS server at our address; every connection's messages come to the inbox."""
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self._listening = self._namespace.socket(family, socket.SOCK_STREAM)
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listening.bind((self.address, port))
        self._listening.listen(8)
        threading.Thread(target=self._accept, args=(self._context(True),), daemon=True).start()

    def _accept(self, context):
        while True:
            try:
                raw, _ = self._listening.accept()
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                raw.settimeout(5)
                self.lines.append(Line(context.wrap_socket(raw, server_side=True), "TLS",
                                       self.inbox))
            except ssl.SSLError:
                continue
            except OSError:
                if self._listening.fileno() < 0:
                    return

    def contact(self, line):
        if self._listening is not None:
            return f"<sip:{self.user}@{self.address}:5061;transport=tls>"
        return f"<sip:{self.user}@{line.sent_by()};transport={line.transport.lower()}>"

    def send_request(self, method, uri, *, line, call_id, local, remote, sequence, routes=(),
                     body="", extra=()):
        branch = token("z9hG4bK")
        lines = [f"{method} {uri} SIP/2.0",
                 f"Via: SIP/2.0/{line.transport} {line.sent_by()};branch={branch};rport",
                 "Max-Forwards: 70", f"From: {local}", f"To: {remote}", f"Call-ID: {call_id}",
                 f"CSeq: {sequence} {method}"]
        lines += [f"Route: {route}" for route in routes]
        if method in ("INVITE", "REGISTER"):
            expires = ";expires=600" if method == "REGISTER" else ""
            lines.append(f"Contact: {self.contact(line)}{expires}")
        lines += list(extra)
        lines += _content_type(body, extra)
        lines.append(f"Content-Length: {len(body)}")
        text = "\r\n".join(lines) + "\r\n\r\n" + body
        line.send(text)
        return Sent(self, method, branch, text, line)

    def register(self, line, timeout=5.0):
        sent = self.send_request("REGISTER", f"sip:{self.domain}", line=line,
                                 call_id=token("reg"), local=f"<{self.uri}>;tag={token()}",
                                 remote=f"<{self.uri}>", sequence=1)
        answer = sent.final(timeout)
        if answer.status != 200:
            raise LabError(f"REGISTER of {self.uri}: {answer.start}")
        return answer

    def invite(self, line, uri, body, extra=()):
        return self.send_request("INVITE", uri, line=line, call_id=token("call-"),
                                 local=f"<{self.uri}>;tag={token()}", remote=f"<{uri}>",
                                 sequence=1, body=body, extra=extra)

    def expect(self, method, timeout=5.0):
        return Incoming(self, self.inbox.take(
            lambda m: not m.is_response and m.method == method, timeout, f"{method} to {self.user}"))

    def close(self):
        if self._listening is not None:
            self._listening.close()
        for line in self.lines:
            line.close()
