# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: calls that succeed, and the media they get."""

import time

import ua
from lab import IN_CORE, PHONES_A, PHONES_B, TRUNK, check, scenario
from midcomd import Midcomd


def carry(lab, alice, bob, seconds=2.0, *, attempts=1, during=lambda: None):
    """A real call, its pinholes, its sound both ways, and the closed firewall after it.

    `attempts`: how often its INVITE passes the gateway until it is accepted further on.
    """
    before = lab.midcomd.mark()
    earlier = alice.heard(bob.tone), bob.heard(alice.tone)
    nth = {kind: [one.count(kind) + 1 for one in (alice, bob)]
           for kind in ("CALL_ESTABLISHED", "CALL_RTPESTAB", "CALL_CLOSED")}
    started = time.monotonic()
    alice.dial(bob.uri)
    alice.wait("CALL_ESTABLISHED", count=nth["CALL_ESTABLISHED"][0])
    bob.wait("CALL_ESTABLISHED", count=nth["CALL_ESTABLISHED"][1])
    setup = (time.monotonic() - started) * 1000
    alice.wait("CALL_RTPESTAB", count=nth["CALL_RTPESTAB"][0])
    bob.wait("CALL_RTPESTAB", count=nth["CALL_RTPESTAB"][1])
    media = (time.monotonic() - started) * 1000
    time.sleep(seconds)
    during()
    pinholes = lab.midcomd.pinholes()
    check(pinholes, "the call has sound but no pinholes")
    check(all(passes_tuple(lab, one) for one in pinholes),
          "a probe does not pass an open pinhole: the probes prove nothing")
    alice.hang_up()
    bob.wait("CALL_CLOSED", count=nth["CALL_CLOSED"][1])
    lab.midcomd.wait("call.end", since=before, count=attempts)
    lab.midcomd.wait_pinholes(0)
    time.sleep(0.1)
    check(not any(passes_tuple(lab, one) for one in pinholes), "a pinhole is open after the call")
    heard = alice.heard(bob.tone) - earlier[0], bob.heard(alice.tone) - earlier[1]
    check(min(heard) >= seconds / 2, f"heard {heard[0]:.1f} s and {heard[1]:.1f} s of {seconds} s")
    starts = len(lab.midcomd.events("call.start", before))
    check(starts == attempts, f"{attempts} attempts were counted as {starts}")
    rtp = sum(1 for count in pinholes.values() if count >= 20)
    check(rtp >= 2, f"pinhole counters: {sorted(pinholes.values())}")
    lab.figure(f"setup {setup:.0f} ms, sound after {media:.0f} ms, heard {heard[0]:.1f}+"
               f"{heard[1]:.1f} s, {len(pinholes)} pinholes, {sum(pinholes.values())} packets, "
               f"0 after hang-up")
    return pinholes


def _spaces(lab, five):
    spaces = {PHONES_A.host4: lab.a, PHONES_A.host6: lab.a, PHONES_B.host4: lab.b,
              PHONES_B.host6: lab.b, IN_CORE: lab.core, TRUNK: lab.core}
    source, _, destination, _ = five
    check(source in spaces and destination in spaces, f"a pinhole of strangers: {five}")
    return spaces[source], spaces[destination]


def passes_tuple(lab, five):
    near, far = _spaces(lab, five)
    source, sport, destination, dport = five
    return lab.passes(near, source, sport, far, destination, dport)


def send_on(lab, five):
    """One probe on this 5-tuple; its number."""
    return lab.probe[_spaces(lab, five)[0]].send(*five)


@scenario("call-dtls-srtp", registrar=True)
def call_dtls_srtp(lab):
    lab.start_midcomd()
    alice, bob = lab.phones()
    carry(lab, alice, bob)
    for one in (alice, bob):
        check("DTLS-SRTP complete" in one.text(), f"{one.user} had no DTLS-SRTP")


@scenario("call-ipv6", registrar=True)
def call_ipv6(lab):
    lab.start_midcomd()
    alice, bob = lab.phones(six=True)
    pinholes = carry(lab, alice, bob)
    check(all(":" in source for source, _, _, _ in pinholes), "the media was not IPv6")


@scenario("call-through-registrar", registrar=True)
def call_through_registrar(lab):
    """The same INVITE passes twice, to the registrar and back: one call, bytes unchanged."""
    lab.start_midcomd()
    alice, line = lab.alice()
    bob = lab.agent(lab.b, "bob", PHONES_B.host4)
    bob_line = bob.connect(PHONES_B.gateway4)
    alice.register(line)
    missing = alice.invite(line, bob.uri, ua.sdp(PHONES_A.host4, 30000)).final()
    check(missing.status == 404, f"before bob registers: {missing.start}")
    lab.midcomd.wait_pinholes(0)
    answer = bob.register(bob_line)
    check(bob.address in answer.get("Contact"), f"the registrar has {answer.get('Contact')}")
    before = lab.midcomd.mark()
    offer, reply = ua.sdp(PHONES_A.host4, 30002), ua.sdp(PHONES_B.host4, 32000)
    started = time.monotonic()
    sent = alice.invite(line, bob.uri, offer)
    incoming = bob.expect("INVITE")
    check(incoming.message.line is bob_line, "the call came over another connection than bob's")
    check(incoming.message.body == offer, "the body was changed on the way")
    hops = len(incoming.message.all("Via"))
    incoming.reply(180)
    incoming.reply(200, "OK", reply)
    final = sent.final()
    setup = (time.monotonic() - started) * 1000
    check(final.status == 200 and final.body == reply, f"the answer came as {final.start}")
    dialog = sent.dialog(final)
    dialog.ack()
    bob.expect("ACK")
    at_alice = lab.media(lab.a, PHONES_A.host4, 30002)
    at_bob = lab.media(lab.b, PHONES_B.host4, 32000)
    at_alice.send_to(PHONES_B.host4, 32000)
    at_bob.send_to(PHONES_A.host4, 30002)
    check(at_alice.wait(10) and at_bob.wait(10), "no media")
    check(at_alice.missing() == 0 and at_bob.missing() == 0, "media lost")
    check(len(lab.midcomd.events("call.start", before)) == 1, "counted as more than one call")
    opened = len(lab.midcomd.events("pinhole.open", before))
    bye = incoming.dialog().bye()
    alice.expect("BYE").reply(200)
    check(bye.final().status == 200, "the callee's BYE")
    lab.midcomd.wait_pinholes(0)
    since = time.time_ns()
    time.sleep(0.2)
    check(at_alice.count(since) + at_bob.count(since) == 0, "media after the BYE")
    lab.figure(f"setup {setup:.0f} ms over {hops} hops, one call, {opened} rules opened")


@scenario("call-sdes-refused-or-allowed", registrar=True)
def call_sdes(lab):
    """keys = hidden refuses SRTP keys in clear SDP, keys = allow carries the same call."""
    lab.start_midcomd()
    agent, line = lab.alice()
    trunk = lab.trunk()
    key = "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
    offer = ua.sdp(PHONES_A.host4, 30000, attributes=[key], profile="RTP/SAVP")
    before = lab.midcomd.mark()
    refused = agent.invite(line, "sip:desk@trunk.example", offer).final()
    check(refused.status == 488, f"keys = hidden: {refused.start}")
    check("399" in refused.get("Warning"), f"Warning: {refused.get('Warning') or 'none'}")
    lab.midcomd.wait("call.refuse", since=before, reason="keys-exposed")
    check(trunk.inbox.none(lambda m: m.method == "INVITE", 0.2), "the refused call went out")
    lab.midcomd.wait_pinholes(0)
    alice, bob = lab.phones(encryption="srtp-mand")
    alice.dial(bob.uri)
    closed = alice.wait("CALL_CLOSED")
    check("488" in closed.get("param", ""), f"the phone heard: {closed.get('param')}")
    check(not bob.count("CALL_INCOMING"), "bob rang")
    text = lab.midcomd.text()
    check("inline:" not in text and "d0RmdmcmVC" not in text, "a key is in the log")
    for one in (alice, bob):
        one.stop()
    lab.midcomd.stop()

    lab.midcomd = Midcomd(lab.gateway, lab.certificates, f"{lab.directory}/allowing", keys="allow")
    lab.closing(lab.midcomd.stop)
    lab.midcomd.start()
    alice, bob = lab.phones(encryption="srtp-mand")
    carry(lab, alice, bob, 1.0)
    lab.figure(f"hidden: 488, Warning {refused.get('Warning')[:3]}; allow: as above")


@scenario("hold-and-resume", masked=True)
def hold_and_resume(lab):
    lab.start_midcomd()
    call = lab.call_to_trunk(rate=200)

    def change(direction, reply, version, connection=None):
        offer = ua.sdp(PHONES_A.host4, call.a_port, direction=direction, version=version,
                       connection=connection)
        sent = call.dialog.request("INVITE", offer)
        incoming = call.trunk.expect("INVITE")
        check(incoming.message.body == offer, "the re-INVITE's body was changed")
        incoming.reply(200, "OK", ua.sdp(TRUNK, call.t_port, direction=reply, version=version))
        answer = sent.final()
        check(answer.status == 200, f"re-INVITE {direction}: {answer.start}")
        call.dialog.ack()
        call.trunk.expect("ACK")
        return time.time_ns()

    held = change("sendonly", "recvonly", 2)
    time.sleep(0.4)
    check(call.at_alice.count(held) == 0,
          f"{call.at_alice.count(held)} packets reached the holder after a=sendonly")
    check(call.at_trunk.count(held) >= 40, "the holder's music stopped")
    resumed = change("sendrecv", "sendrecv", 3)
    call.check_flows("after the resume")
    check(call.at_trunk.missing() == 0, f"{call.at_trunk.missing()} packets of the side that sent "
          "all the time are lost")
    old = change("sendrecv", "sendrecv", 4, connection="0.0.0.0")
    time.sleep(0.3)
    check(call.at_alice.count(old) == 0, "packets reached 0.0.0.0's owner")
    again = change("sendrecv", "sendrecv", 5)
    call.check_flows("after the second resume")
    check(call.at_alice.missing(again) == 0 and call.at_alice.missing(resumed) > 0,
          "the control failed: numbers don't show the hold")
    call.hang_up()
    call.check_closed("after the BYE")
    lab.midcomd.wait_pinholes(0)
    lab.figure(f"0 packets to the holder in 2 holds, {call.at_trunk.count()} from him, 0 lost "
               "over hold and resume")


@scenario("early-media")
def early_media(lab):
    lab.start_midcomd()
    alice, line = lab.alice()
    trunk = lab.trunk()
    at_alice = lab.media(lab.a, PHONES_A.host4, 30000)
    at_trunk = lab.media(lab.core, TRUNK, 31000)
    at_alice.send_to(TRUNK, 31000, 200)
    at_trunk.send_to(PHONES_A.host4, 30000, 200)
    sent = alice.invite(line, "sip:desk@trunk.example", ua.sdp(PHONES_A.host4, 30000))
    incoming = trunk.expect("INVITE")
    time.sleep(0.2)
    check(at_alice.count() + at_trunk.count() == 0, "media passes on the offer alone")
    reply = ua.sdp(TRUNK, 31000)
    asked = time.time_ns()
    incoming.reply(183, "Session Progress", reply)
    progress = sent.response(183)
    check(progress.body == reply, "the preview's body was changed")
    check(at_alice.wait(20) and at_trunk.wait(20), "no early media")
    first = (at_alice.received[0][0] - asked) / 1e6
    early = at_alice.count()
    incoming.reply(200, "OK", reply)
    dialog = sent.dialog(sent.final())
    dialog.ack()
    trunk.expect("ACK")
    since = time.time_ns()
    check(at_alice.wait(20, since=since) and at_trunk.wait(20, since=since), "no media")
    check(at_alice.missing() == 0 and at_trunk.missing() == 0, "lost at the answer")
    bye = dialog.bye()
    trunk.expect("BYE").reply(200)
    bye.final()
    since = time.time_ns()
    time.sleep(0.2)
    check(at_alice.count(since) + at_trunk.count(since) == 0, "media after the BYE")
    lab.figure(f"first early packet {first:.1f} ms after the 183, {early} early packets, 0 lost at "
               "the answer")


