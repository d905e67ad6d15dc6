# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: what ends a call's media, and what doesn't."""

import time

import ua
from lab import PHONES_A, STRANGER, TRUNK, LabError, check, scenario
from packets import Tap

RATE = 500


class Gate:
    """The gateway's own interfaces: what left midcomd when, and what media was still forwarded."""

    def __init__(self, lab):
        self._phones = Tap(lab.gateway, "phones-a")
        self._core = Tap(lab.gateway, "core")
        lab.closing(self._phones.close)
        lab.closing(self._core.close)

    def forwarded_after_answer(self, call, received):
        """The call's packets forwarded after the last octets sent to its caller until then."""
        local = call.line.local
        left = [stamp for stamp, outgoing, (_, sport, destination, dport), _
                in list(self._phones.streams)
                if outgoing and sport == 5061 and (destination, dport) == tuple(local)
                and stamp <= received]
        check(left, "the tap has not seen the answer leave")
        moment = max(left)
        return [packet for tap in (self._phones, self._core) for packet in list(tap.marked)
                if packet[1] and packet[0] > moment and call.a_port in (packet[3][1], packet[3][3])]


def bye(call, gate, status):
    """alice hangs up, the trunk answers with `status`."""
    sent = call.dialog.bye()
    incoming = call.trunk.expect("BYE")
    extra = {401: ['WWW-Authenticate: Digest realm="trunk", nonce="1"'],
             407: ['Proxy-Authenticate: Digest realm="trunk", nonce="1"']}.get(status, ())
    incoming.reply(status, "Told so", extra=extra)
    answer = sent.final()
    received = answer.stamp
    time.sleep(0.25)
    return answer, gate.forwarded_after_answer(call, received)


@scenario("bye-closes", masked=True, extra="\n[timeouts]\nt1 = 60ms\nt2 = 500ms\n")
def bye_closes(lab):
    lab.start_midcomd()
    gate = Gate(lab)
    alice, line = lab.alice()
    trunk = lab.trunk()
    ports = iter(range(30000, 30100, 10))

    def call():
        port = next(ports)
        return lab.call_to_trunk(alice, line, trunk, (port, port + 1000), RATE)

    unanswered = call()  # RFC 4320 4.2: its time-out sends no 408, but closes
    unanswered.dialog.bye()
    trunk.expect("BYE")
    hung_up = time.monotonic()
    timed_out = call()  # nor is a 408 of the far side passed on; it closes at once
    timed_out.dialog.bye()
    trunk.expect("BYE").reply(408, "Request Timeout")
    lab.midcomd.wait("call.end", timeout=1, call=timed_out.call_id)
    timed_out.check_closed("after a 408 to BYE")
    for status in (200, 481):
        one = call()
        answer, passed = bye(one, gate, status)
        check(answer.status == status, f"BYE answered {answer.status}, not {status}")
        check(not passed, f"{len(passed)} packets passed after {status} to BYE had left midcomd")
        one.at_alice.close()
        one.at_trunk.close()
    lab.midcomd.wait("call.end", timeout=8, call=unanswered.call_id)
    waited = time.monotonic() - hung_up
    unanswered.check_closed("after the time-out of an unanswered BYE")
    lab.midcomd.wait_pinholes(0)

    one = call()
    for status in (401, 407):
        answer, passed = bye(one, gate, status)
        check(answer.status == status, f"BYE answered {answer.status}, not {status}")
        check(passed, f"{status} to BYE closed the media")
        one.check_flows(f"after {status} to BYE")

    stranger = lab.agent(lab.a, "mallory", STRANGER)
    forged = ua.Dialog(stranger, stranger.connect(PHONES_A.gateway4), one.call_id,
                       one.dialog.local, one.dialog.remote, one.dialog.target, one.dialog.routes,
                       90)
    attempt = forged.bye()
    try:
        trunk.expect("BYE", 0.3).reply(481, "I know better")
    except LabError:
        pass
    try:
        outcome = str(attempt.final(2).status)
    except LabError:
        outcome = "no answer"
    time.sleep(0.1)
    one.check_flows("after a stranger's BYE")
    one.dialog.sequence = 200
    answer, passed = bye(one, gate, 200)
    check(not passed, f"{len(passed)} packets passed after the participant's BYE")
    lab.midcomd.wait_pinholes(0)

    from_far = call()
    sent = from_far.trunk_dialog.bye()
    alice.expect("BYE").reply(200)
    check(sent.final().status == 200, "the trunk's BYE")
    from_far.check_closed("after the callee's BYE")
    lab.figure(f"{RATE} packets/s each way: 0 after 200, 481, 408, the callee's "
               f"BYE and one unanswered for {waited:.1f} s; "
               f"401, 407 and a stranger's BYE ({outcome}) close nothing")


@scenario("cancel")
def cancel(lab):
    lab.start_midcomd()
    alice, line = lab.alice()
    trunk = lab.trunk()
    at_alice = lab.media(lab.a, PHONES_A.host4, 30000)
    at_trunk = lab.media(lab.core, TRUNK, 31000)
    at_alice.send_to(TRUNK, 31000, RATE)
    at_trunk.send_to(PHONES_A.host4, 30000, RATE)
    sent = alice.invite(line, "sip:desk@trunk.example", ua.sdp(PHONES_A.host4, 30000))
    incoming = trunk.expect("INVITE")
    incoming.reply(183, "Session Progress", ua.sdp(TRUNK, 31000))
    sent.response(183)
    check(at_alice.wait(20) and at_trunk.wait(20), "the control failed: no early media to cut")
    cancelling = sent.cancel()
    trunk.expect("CANCEL").reply(200, contact=False)
    check(cancelling.final().status == 200, "CANCEL")
    incoming.reply(487, "Request Terminated")
    final = sent.final()
    check(final.status == 487, f"the cancelled INVITE got {final.start}")
    since = final.stamp
    time.sleep(0.3)
    left = at_alice.count(since) + at_trunk.count(since)
    check(left == 0, f"{left} packets after the 487")
    trunk.expect("ACK")
    lab.midcomd.wait_pinholes(0)
    lab.midcomd.wait("call.end")
    lab.figure(f"{at_alice.count()}+{at_trunk.count()} early packets, 0 after the 487")
