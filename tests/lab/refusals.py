# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: what must never open."""

import re
import socket
import ssl
import time

import ua
from lab import CORE, PHONES_A, PHONES_B, STRANGER, TRUNK, check, scenario


@scenario("no-call-no-media")
def no_call_no_media(lab):
    """Without a call nothing passes; with one, nothing but its own 5-tuples."""
    lab.start_midcomd()
    call = lab.call_to_trunk()
    a, t = call.a_port, call.t_port
    near = [  # source, sport, destination, dport; all one thing off
        (PHONES_A.host4, a + 4, TRUNK, t), (PHONES_A.host4, a, TRUNK, t + 4),
        (STRANGER, a, TRUNK, t), (PHONES_A.host4, a, CORE.host4, t),
        (PHONES_A.host4, a, TRUNK, 22), (PHONES_A.host4, a, PHONES_B.host4, t)]
    tried = 0
    for source, sport, destination, dport in near:
        far = lab.b if destination == PHONES_B.host4 else lab.core
        check(not lab.passes(lab.a, source, sport, far, destination, dport),
              f"{source}:{sport} -> {destination}:{dport} passes beside the call")
        check(not lab.passes(far, destination, dport, lab.a, source, sport),
              f"{destination}:{dport} -> {source}:{sport} passes beside the call")
        tried += 2
    forged = (PHONES_A.host4, a, TRUNK, t)
    check(not lab.passes(lab.b, forged[0], forged[1], lab.core, forged[2], forged[3]),
          "the call's own 5-tuple passes from another side's interface")
    check(call.is_open(), "the control failed: the call's own 5-tuple does not pass")
    connection = lab.a.socket(socket.AF_INET, socket.SOCK_STREAM)
    with connection:
        connection.settimeout(0.3)
        connection.bind((PHONES_A.host4, a))
        try:
            connection.connect((TRUNK, 5061))
            check(False, "TCP passes without a rule")
        except OSError:
            pass
    call.hang_up()
    call.check_closed("after the BYE")
    check(not call.is_open(), "the 5-tuple is open after the call")
    lab.check_roads(is_open=False)
    lab.figure(f"12 roads closed before and after, {tried + 2} neighbours of a live 5-tuple closed")


FOREIGN = (
    ("another phone", STRANGER, 30000), ("the other side", PHONES_B.host4, 30000),
    ("the core", CORE.host4, 30000), ("nobody we know", "192.88.99.7", 30000),
    ("the gateway", PHONES_A.gateway4, 30000), ("multicast", "239.1.2.3", 30000),
    ("loopback", "127.0.0.1", 30000), ("link-local", "169.254.7.7", 30000),
    ("broadcast", "255.255.255.255", 30000), ("a low port", PHONES_A.host4, 1022),
    ("IPv6 of another", "2001:db8:a::77", 30000), ("IPv6 loopback", "::1", 30000),
    ("mapped IPv4", "::ffff:192.0.2.10", 30000))


@scenario("foreign-address-refused")
def foreign_address_refused(lab):
    lab.start_midcomd()
    alice, line = lab.alice()
    trunk = lab.trunk()
    reasons = set()
    for what, address, port in FOREIGN:
        before = lab.midcomd.mark()
        answer = alice.invite(line, "sip:desk@trunk.example", ua.sdp(address, port)).final()
        check(answer.status == 488, f"{what} ({address}:{port}): {answer.start}")
        check(re.match(r"399\s", answer.get("Warning")), f"{what}: no Warning 399")
        refusal = lab.midcomd.wait("call.refuse", since=before)
        check(refusal.get("reason", "").startswith("media-"), f"{what}: {refusal.text}")
        reasons.add(refusal["reason"])
    check(trunk.inbox.none(lambda m: m.method == "INVITE", 0.1), "a refused INVITE went out")
    check(not lab.midcomd.pinholes(), "a refused offer opened something")

    sent = alice.invite(line, "sip:desk@trunk.example", ua.sdp(PHONES_A.host4, 30000))
    incoming = trunk.expect("INVITE")
    incoming.reply(200, "OK", ua.sdp(PHONES_B.host4, 31000))
    answer = sent.final()
    check(not lab.passes(lab.a, PHONES_A.host4, 30000, lab.b, PHONES_B.host4, 31000),
          "a foreign address in an answer was opened")
    check(not lab.midcomd.pinholes(), "a foreign answer opened something")
    if answer.status == 200:
        sent.dialog(answer).ack()
    call = lab.call_to_trunk(alice, line, trunk, (30010, 31010))
    call.hang_up()
    lab.figure(f"{len(FOREIGN)} offers 488 ({', '.join(sorted(reasons))}), a foreign answer opens "
               f"nothing (it came as {answer.status}), the honest call passes")


def _attack(lab, proxy, port, parts, context=None):
    """Sends the parts as segments of their own; what came back until the connection was closed."""
    raw = lab.a.socket(socket.AF_INET, socket.SOCK_STREAM)
    with raw:
        raw.settimeout(3)
        raw.connect((proxy, port))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = context.wrap_socket(raw, server_hostname="gw.example.net") if context else raw
        back = b""
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(0.001)
            while True:
                data = connection.recv(4096)
                if not data:
                    return back, True
                back += data
        except TimeoutError:
            return back, False
        except (OSError, ssl.SSLError):
            return back, True


@scenario("slipstream", extra=f"\n[listen slipstream]\naddress = tcp:{PHONES_A.gateway4}:5060\n")
def slipstream(lab):
    """A web page makes the browser POST a body that holds a whole SIP request."""
    lab.start_midcomd()
    trunk = lab.trunk()
    honest = lab.agent(lab.a, "alice", PHONES_A.host4)
    line = honest.connect(PHONES_A.gateway4, "TCP", 5060)

    def invite():
        return ("INVITE sip:desk@trunk.example SIP/2.0\r\n"
                f"Via: SIP/2.0/TCP {PHONES_A.host4}:9;branch={ua.token('z9hG4bK')}\r\n"
                "Max-Forwards: 70\r\nFrom: <sip:alice@example.org>;tag=a\r\n"
                f"To: <sip:desk@trunk.example>\r\nCall-ID: {ua.token()}\r\nCSeq: 1 INVITE\r\n"
                f"Contact: <sip:alice@{PHONES_A.host4}:9;transport=tcp>\r\n"
                "Content-Type: application/sdp\r\nContent-Length: {size}\r\n\r\n").replace(
                    "{size}", str(len(body))) + body

    body = ua.sdp(PHONES_A.host4, 30000)
    line.send(invite())  # the control: alone on a connection it is a call
    incoming = trunk.expect("INVITE")
    incoming.reply(183, "Session Progress", ua.sdp(TRUNK, 31000))
    lab.midcomd.wait("pinhole.open")
    incoming.reply(486, "Busy")
    lab.midcomd.wait_pinholes(0)
    line.close()

    tls = ssl.create_default_context(cafile=lab.certificates.ca)
    tried = answered = 0
    size = len(invite())
    head = (f"POST / HTTP/1.1\r\nHost: {PHONES_A.gateway4}:5060\r\nContent-Type: text/plain\r\n"
            f"Content-Length: {size}\r\n\r\n").encode()
    before = lab.midcomd.mark()
    whole = len(head) + size
    for split in range(1, whole):
        data = head + invite().encode()
        back, closed = _attack(lab, PHONES_A.gateway4, 5060, (data[:split], data[split:]))
        tried += 1
        answered += back.startswith(b"SIP/2.0")
        check(closed, f"the connection stays open (split after {split} octets)")
        check(not re.search(rb"SIP/2.0 (1|2|4\d[1-9])", back), f"it was answered with {back[:60]!r}")
    for split in range(1, whole, 37):
        data = head + invite().encode()
        _, closed = _attack(lab, PHONES_A.gateway4, 5061, (data[:split], data[split:]), tls)
        tried += 1
        check(closed, f"TLS: the connection stays open (split after {split} octets)")
    check(trunk.inbox.none(lambda m: m.method == "INVITE", 0.2), "the hidden INVITE went out")
    check(not lab.midcomd.events("pinhole.open", before), "the hidden INVITE opened a pinhole")
    check(not lab.midcomd.pinholes(), "pinholes after the attack")
    check(not lab.passes(lab.core, TRUNK, 31000, lab.a, PHONES_A.host4, 30000), "the port is open")
    lab.figure(f"{tried} connections, one per segment offset, all closed; 0 pinholes, 0 forwarded")
