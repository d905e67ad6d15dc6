# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: what the gate lets in, keeps waiting, and keeps out."""

import time

import media_ua
from control import ask
from ice import binding_request
from lab import PHONES_A, TRUNK, check, scenario
from media_ua import Call, audio, both_ways, client_hello, describe, none_pass, number_of, rtp
from packets import Tap


class Arrivals(Tap):
    """Every datagram that comes in at an interface, whole."""

    def __init__(self, lab, namespace, interface):
        self.came = []  # (nanoseconds, (source, sport, destination, dport), octets)
        super().__init__(namespace, interface)
        lab.closing(self.close)

    def note_datagram(self, stamp, outgoing, tuple4, payload):
        if not outgoing:
            self.came.append((stamp, tuple4, payload))

    def wait_count(self, matches, count, timeout=2.0):
        deadline = time.monotonic() + timeout
        while True:
            found = [entry for entry in list(self.came) if matches(entry)]
            if len(found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.005)


def gate(lab):
    """What midcomctl says the gate has done, as the middlebox told last."""
    return ask(lab, "status")["gate"]


def gate_reaches(lab, word, count, timeout=3.0):
    """Waits until the gate has counted so many; what it says then."""
    deadline = time.monotonic() + timeout
    while (now := gate(lab))[word] < count:
        check(time.monotonic() < deadline, f"{word} is not {count} within {timeout:g} s: {now}")
        time.sleep(0.02)
    return now


def learns(lab, word):
    """The trunk's media may come from elsewhere than it says."""
    lab.midcomd.replace_in_configuration("[peer trunk]\nkind = trunk\n",
                                         f"[peer trunk]\nkind = trunk\nmedia-source = {word}\n")


def speak(far, near, numbers):
    for number in numbers:
        far.send(rtp(number), near.at)
        time.sleep(0.02)


@scenario("early-media-first-word", masked=True)
def first_word(lab):
    """Audio sent just before the 183, and with it: nothing of it is lost, nothing out of order.
    Paced as audio is: what comes while those that wait are let go, some 0.1 ms, may overtake them."""
    lab.start_midcomd()
    at_phone = Arrivals(lab, lab.a, "eth0")
    parties, delays = None, []
    for turn, is_before in enumerate((True, False)):
        near, far = media_ua.ends(lab, 30000 + 10 * turn, 31000 + 10 * turn)
        call = Call(lab, describe(PHONES_A.host4, audio(near.port)), parties)
        parties = call.parties
        reply = describe(TRUNK, audio(far.port))
        numbers = list(range(100, 110))
        if is_before:
            speak(far, near, numbers[:5])
        said = time.time_ns()
        call.incoming.reply(183, "Session Progress", reply)
        speak(far, near, numbers[5:] if is_before else numbers)
        call.sent.response(183)
        check(near.gets(numbers), f"of {numbers} sent {'before and ' * is_before}with the 183 came "
              f"{near.numbers()}")
        captured = at_phone.wait_count(lambda e, port=near.port: e[1][3] == port, len(numbers))
        came = [number_of(payload) for _, _, payload in captured]
        check(came == numbers, f"at the phone's interface came {came}")
        delays.append((captured[0][0] - said) / 1e6)
        call.answer(reply)
        check(both_ways(near, far, 200) == (True, True), "no media after the answer")
        call.hang_up()
        check(none_pass(near, far, 300), "media after the BYE")
    lab.figure(f"ua=harness, first packet at the phone {delays[0]:.1f} ms after the 183 when sent "
               f"before it, {delays[1]:.1f} ms when with it; 10 of 10 in order each, 0 after the BYE")


@scenario("parked-and-released", masked=True)
def parked(lab):
    lab.start_midcomd()
    near, far = media_ua.ends(lab)
    parties = None

    def call(first, count=8):
        nonlocal parties
        one = Call(lab, describe(PHONES_A.host4, audio(near.port)), parties)
        parties = one.parties
        numbers = list(range(first, first + count))
        for number in numbers:
            far.send(rtp(number), near.at)
        return one, numbers

    before = gate(lab)
    accepted, numbers = call(100)
    check(near.wait(lambda data: number_of(data) in numbers, 0.1) is None, "media on the offer alone")
    accepted.answer(describe(TRUNK, audio(far.port)))
    check(near.gets(numbers) and near.numbers() == numbers,
          f"released {near.numbers()} of {numbers}")
    after = gate_reaches(lab, "released", before["released"] + len(numbers))
    check(after["released"] == before["released"] + len(numbers), f"{before} then {after}")
    accepted.hang_up()

    elsewhere, numbers = call(200)  # the answer names another sender
    elsewhere.answer(describe(TRUNK, audio(far.port + 100)))
    check(not near.gets(numbers[:1], 0.1), "released to an answer that names another sender")
    elsewhere.hang_up()
    refused, more = call(300)
    refused.incoming.reply(486, "Busy Here")
    check(refused.sent.final().status == 486, "486")
    check(not near.gets(more[:1], 0.1), "released by a refusal")
    late, stale = call(400)
    sent = time.monotonic()
    gate_reaches(lab, "dropped", len(numbers) + len(more) + len(stale))
    held = time.monotonic() - sent
    late.answer(describe(TRUNK, audio(far.port)))
    check(both_ways(near, far, 500) == (True, True), "no media after a late answer")
    check(not set(stale) & set(near.numbers()), "what had waited too long was released")
    late.hang_up()
    check(not set(numbers + more) & set(near.numbers()), "released later")
    last = gate(lab)
    lab.figure(f"ua=harness, parked {last['parked']}, released {last['released']} in order by the "
               f"answer; 0 of {len(numbers)} to another sender's answer, of {len(more)} to a 486, of "
               f"{len(stale)} after {held:.1f} s")


@scenario("gate-wrong-payload-type", masked=True)
def wrong_payload_type(lab):
    learns(lab, "same-address")
    lab.start_midcomd()
    near, far = media_ua.ends(lab)
    behind_nat = media_ua.End(lab, lab.core, TRUNK, 31500)
    too_late = media_ua.End(lab, lab.core, TRUNK, 31502)
    call = Call(lab, describe(PHONES_A.host4, audio(near.port, types=(0, 8))))
    call.answer(describe(TRUNK, audio(far.port, types=(0, 8))))
    mark = lab.midcomd.mark()
    wrong = [rtp(1, 3), rtp(2, 96), rtp(3, 127), rtp(4, 0, version=1), rtp(5, 0)[:11], b"\x80" * 11,
             client_hello(), binding_request("a:b", "c" * 22), b"", bytes(200)]
    for packet in wrong:
        behind_nat.send(packet, near.at)
    drop = lab.midcomd.wait("gate.drop", since=mark)
    time.sleep(0.05)
    came = [data for _, source, data in near.received if source == behind_nat.at]
    check(not came, f"{len(came)} packets of no negotiated payload type came")
    behind_nat.send(rtp(50, 8), near.at)
    check(near.gets([50]), "the negotiated payload type is lost")
    admit = lab.midcomd.wait("gate.admit", since=mark, call=call.call_id)
    check(both_ways(near, behind_nat, 100) == (True, True), "no media with the sender admitted")
    too_late.send(rtp(60, 8), near.at)
    check(not near.gets([60], 0.15), "learning happened twice")
    call.hang_up()
    lab.midcomd.wait_pinholes(0)
    check(none_pass(near, behind_nat, 200), "media after the BYE")
    lab.figure(f"ua=harness, 0 of {len(wrong)} wrong packets came (first: {drop.get('reason')}), the "
               f"right one did (by={admit.get('by')}), a second sender didn't, 0 after the BYE")
