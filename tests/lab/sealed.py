# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: end-to-middle security with real phones, each beside an adapter (RFC 4189)."""

import base64
import os
import re

import adapter
import memory
from calls import carry
from kamailio import Kamailio
from lab import CORE, IN_CORE, PHONES_A, PHONES_B, STRANGER, TRUNK, check, scenario
from midcomd import Midcomd
from namespaces import ip

OPENERS = 2
GATEWAY = "gw.example.net"
STRICT = """view = application/sdp
verify = application/sdp
legacy = refuse
"""


def demand(lab, terms, peers=("phones-a", "phones-b", "core")):
    """Adds policy to the gateway's peers; any user of the domain may answer."""
    for name in peers:
        lab.midcomd.replace_in_configuration(f"[peer {name}]\n",
                                             f"[peer {name}]\n{terms}answerer = peer-domain\n")


def beside(lab, user, namespace, link, tone, *, pair, encryption="srtp-mand", transport="udp",
           contact="", address=None, next_hop=None, **options):
    """A phone and its adapter."""
    address = address or link.host4
    box = adapter.Adapter(namespace, lab.certificates,
                          os.path.join(lab.directory, f"adapter-{user}"), user, pair, address,
                          next_hop or link.gateway4, **options)
    lab.closing(box.stop)
    box.start()
    one = lab.phone(user, namespace, link, tone, address=address, proxy=address,
                    port=adapter.PORT, transport=transport, encryption=encryption, contact=contact,
                    is_bound=address != link.host4, trace=True)
    return one, box


def pair_beside(lab, *, middles=None, know_each_other=True, trusted=("next-hop", "next-hop"),
                way_of_alice=None, **options):
    """alice in A over UDP and bob in B over TCP, registered; and their adapters."""
    pairs = [lab.certificates.user(name) for name in ("alice", "bob")]
    known = [[pairs[1][0]], [pairs[0][0]]] if know_each_other else [[], []]
    if middles is None:
        middles = [(GATEWAY, lab.certificates.sealing[0])]
    alice, alice_box = beside(lab, "alice", lab.a, PHONES_A, 440, pair=pairs[0], middles=middles,
                              contacts=known[0], contact="sip:bob@example.org", trusted=trusted[0],
                              **{**options, **(way_of_alice or {})})
    bob, bob_box = beside(lab, "bob", lab.b, PHONES_B, 800, pair=pairs[1], middles=middles,
                          contacts=known[1], contact="sip:alice@example.org", transport="tcp",
                          trusted=trusted[1], **options)
    alice.registered()
    bob.registered()
    return alice, bob, alice_box, bob_box


def keys_of(*phones):
    """SRTP keys in the phones' own plain SDP, in base64."""
    found = set()
    for one in phones:
        found |= set(re.findall(r"a=crypto:\d+ \S+ inline:([A-Za-z0-9+/=]+)", one.text()))
    return sorted(found)


def gateway_processes(lab):
    yield "supervisor", lab.midcomd.pid
    for role, pids in lab.midcomd.roles().items():
        for pid in pids:
            yield role, pid


def calls_seen(proxy):
    """The Call-IDs of INVITEs in what this proxy saw."""
    found = set()
    for message in proxy.seen():
        match = re.search(rb"\r\n(?:Call-ID|i): *(\S+)\r\n", message)
        if match and re.search(rb"\r\nCSeq: *\d+ INVITE\r\n", message):
            found.add(match.group(1))
    return found


def find_keys(lab, phones):
    """Where the phones' SRTP keys are: {place: how often}, what was searched, and the control."""
    keys = keys_of(*phones)
    check(len(keys) >= 2, f"the phones' logs have {len(keys)} SRTP keys")
    secrets = [key.encode() for key in keys] + [base64.b64decode(key) for key in keys]
    call_ids = calls_seen(lab.kamailio)
    check(call_ids, "the registrar saw no INVITE")
    found, markers, octets = {}, {}, 0

    def note(place, counts):
        markers[place] = markers.get(place, 0) + sum(counts[one] for one in call_ids)
        found[place] = found.get(place, 0) + sum(counts[one] for one in secrets)

    processes = list(gateway_processes(lab))
    for role, pid in processes:
        counts, size = memory.search(pid, [*secrets, *call_ids])
        octets += size
        note(role, counts)
    texts = {"registrar": b"\n".join(lab.kamailio.seen())}
    for name, path in (("log", lab.midcomd.log), ("registrar's log", lab.kamailio.log)):
        with open(path, "rb") as file:
            texts[name] = file.read()
    for name, text in texts.items():
        note(name, {one: text.count(one) for one in (*secrets, *call_ids)})
    # The control: this search finds what must be there.
    for place in ("agent", "log", "registrar"):
        check(markers[place] > 0, f"no Call-ID is found in {place}: {markers}")
    for one in phones:
        counts, _ = memory.search(one.pid, secrets)
        check(any(counts.values()), f"{one.user}'s key isn't found in the phone that uses it")
    return found, (f"{len(keys)} SRTP keys sought in {octets / 1e6:.0f} MB of {len(processes)} "
                   f"processes, the log and {len(lab.kamailio.seen())} messages at the registrar")


@scenario("e2m-sdes", registrar=True, curious=True, openers=OPENERS)
def e2m_sdes(lab):
    """SDES phones: sound both ways, and their keys are nowhere but with them."""
    demand(lab, STRICT)
    lab.start_midcomd()
    alice, bob, *boxes = pair_beside(lab)
    results = []

    def search():
        results.append(find_keys(lab, (alice, bob)))

    def check_none(when):
        found, text = results[-1]
        check(not any(found.values()), f"SRTP keys {when}: {found}")
        return text

    carry(lab, alice, bob, 1.0, during=search)
    text = check_none("during the call")
    search()
    check_none("after the call")
    read = lab.midcomd.events("e2m.read", sealed="yes")
    check({event["signer"] for event in read} == {alice.uri, bob.uri}, "the gateway read nothing")
    lab.figure(f"{text}: 0 found")
    # The control: of phones without adapters the same search finds them.
    for one in (alice, bob, *boxes, lab.midcomd):
        one.stop()
    lab.midcomd = Midcomd(lab.gateway, lab.certificates, os.path.join(lab.directory, "allowing"),
                          keys="allow")
    lab.closing(lab.midcomd.stop)
    lab.midcomd.start()
    alice, bob = lab.phones(encryption="srtp-mand", trace=True)
    carry(lab, alice, bob, 1.0, during=search)
    found, _ = results[-1]
    check(found["agent"] > 0 and found["registrar"] > 0,
          f"keys in clear SDP aren't found either: {found}")
    check(found["log"] == 0, "a key is in the gateway's log")
    lab.figure(f"without adapters {found['agent']} times in the agent, {found['registrar']} at the "
               "registrar")


@scenario("e2m-figure-1", registrar=True, curious=True, openers=OPENERS)
def e2m_figure_1(lab):
    """A strict first proxy refuses what it can't read; the UA learns whom to show it."""
    demand(lab, STRICT)
    lab.start_midcomd()
    alice, bob, alice_box, bob_box = pair_beside(lab, middles=(),
                                                 trusted=("next-hop", "own-domain"))
    mark = lab.midcomd.mark()
    carry(lab, alice, bob, 1.0)
    refusals = lab.midcomd.events("call.refuse", mark)
    check([event["code"] for event in refusals] == ["496"],
          f"the first proxy refused with {[event.text for event in refusals]}")
    check(len(alice_box.events("e2m.mend", code="496")) == 1, f"not learned: {alice_box.tail()}")
    shown = [event["middles"] for event in alice_box.events("e2m.seal")]
    check(shown == ["0", "1"], f"sealed for {shown} middles")
    check("SIP/2.0 496" not in alice.text(), "the phone was bothered with the 496")
    # bob knows of no middle; alice's reads his answer by the key of her request (RFC 3185).
    answers = [event["middles"] for event in bob_box.events("e2m.seal")]
    check(answers and set(answers) == {"0"}, f"bob sealed for {answers} middles")
    lab.midcomd.wait("e2m.read", since=mark, signer=bob.uri, sealed="yes")
    # It remembers.
    mark = lab.midcomd.mark()
    carry(lab, alice, bob, 1.0)
    check(not lab.midcomd.events("call.refuse", mark), "the second call was refused first")
    # The control: who doesn't trust this proxy with its bodies shows it none, and gets no call.
    mark = lab.midcomd.mark()
    closed = bob.count("CALL_CLOSED") + 1
    bob.dial(alice.uri)
    refused = bob.wait("CALL_CLOSED", count=closed)
    check("496" in refused.get("param", ""), f"bob's phone heard {refused.get('param')}")
    bob_box.wait("certificate.refuse", code="496", detail="name")
    check(not lab.midcomd.events("call.start", mark), "the proxy let an unread call through")
    lab.figure("one 496, one retry, none at the second call; not shown to a proxy of an untrusted "
               "name: 496")


def check_nothing_seen(lab, proxy, alice, *texts, messages=0):
    """An untrusted proxy saw the calls and messages, but no SDP and none of the texts in them."""
    clear = [b"\r\nm=audio", b"\r\na=rtpmap", *(text.encode() for text in texts)]
    with open(alice.log, "rb") as log:
        own = log.read()
    missing = [text for text in clear if text.replace(b"\r\n", b"\n") not in
               own.replace(b"\r\n", b"\n")]
    check(not missing, f"the search doesn't find {missing} where it must be, at the phone")
    seen = proxy.seen()
    check(calls_seen(proxy), f"{proxy.address} saw no INVITE: its log proves nothing")
    passed = sum(1 for message in seen if message.startswith(b"MESSAGE "))
    check(passed == messages, f"{proxy.address} saw {passed} MESSAGEs of {messages}")
    found = [text for text in clear if any(text in message for message in seen)]
    check(not found, f"{proxy.address} saw {found}")
    lab.figure(f"{len(seen)} messages at the untrusted proxy {proxy.address}, 0 with SDP or text")


def send_text(near, far, text):
    """A MESSAGE of one phone to its only contact."""
    near.command("message", text)
    far.wait_text(re.escape(text))


@scenario("e2m-figure-2", registrar=True, curious=True, openers=OPENERS)
def e2m_figure_2(lab):
    """A trusted home proxy and an untrusted second: calls and messages both ways."""
    demand(lab, STRICT + "view = text/plain\nverify = text/plain\n")
    lab.start_midcomd()
    alice, bob, *_ = pair_beside(lab, encryption="dtls_srtp")
    changes = []

    def hold():
        """re-INVITEs there and back, by a phone that knows nothing of their sealing."""
        for word in ("hold", "resume"):
            mark = lab.midcomd.mark()
            alice.command(word)
            for one in (alice, bob):
                changes.append(lab.midcomd.wait("e2m.read", since=mark, signer=one.uri,
                                                sealed="yes"))

    carry(lab, alice, bob, 1.0, during=hold)
    carry(lab, bob, alice, 1.0)
    words = "meet me at the harbour", "bring the blue umbrella"
    mark = lab.midcomd.mark()
    send_text(alice, bob, words[0])
    send_text(bob, alice, words[1])
    read = [event for event in lab.midcomd.events("e2m.read", mark, sealed="yes")
            if event["cseq"].endswith("MESSAGE")]
    signers = {event["signer"] for event in read}
    check(signers == {alice.uri, bob.uri}, f"the home proxy read messages of {signers}")
    check_nothing_seen(lab, lab.kamailio, alice, *words, messages=2)
    lab.figure(f"{len({event['cseq'] for event in changes})} re-INVITEs")


def beside_plain(lab, seal):
    """alice has an adapter, bob a phone that knows nothing of S/MIME."""
    demand(lab, "legacy = allow\n")
    lab.start_midcomd()
    alice, box = beside(lab, "alice", lab.a, PHONES_A, 440, pair=lab.certificates.user("alice"),
                        encryption="dtls_srtp", seal=seal,
                        middles=[(GATEWAY, lab.certificates.sealing[0])])
    bob = lab.phone("bob", lab.b, PHONES_B, 800, encryption="dtls_srtp", trace=True)
    alice.registered()
    bob.registered()
    return alice, box, bob


@scenario("e2m-legacy-mixed", registrar=True, openers=OPENERS)
def e2m_legacy_mixed(lab):
    """seal = known: who has no S/MIME is called, and answered, in clear."""
    alice, box, bob = beside_plain(lab, "known")
    carry(lab, bob, alice, 1.0)
    carry(lab, alice, bob, 1.0)
    sealed = [event for event in box.events() if event.name.startswith("e2m.")]
    check(not sealed, f"a call didn't stay in clear: {[event.text for event in sealed]}")
    lab.figure("plain phone and adapter call each other in clear")


@scenario("e2m-signed-alone", registrar=True, openers=OPENERS)
def e2m_signed_alone(lab):
    """seal = possible: the adapter knows no certificate of bob's and signs alone. The middle reads
    it, bob's phone can't, says so, and nothing is open."""
    alice, box, bob = beside_plain(lab, "possible")
    closed, mark = alice.count("CALL_CLOSED") + 1, lab.midcomd.mark()
    alice.dial(bob.uri)
    refused = alice.wait("CALL_CLOSED", count=closed).get("param", "")
    box.wait("e2m.seal", sealed="no")
    read = lab.midcomd.wait("e2m.read", since=mark, sealed="no")
    check(read["signer"] == alice.uri, f"signed by {read['signer']}")
    ended = lab.midcomd.wait("call.end", since=mark)
    check(ended["answered"] == "no" and refused.startswith(ended["code"]),
          f"alice's phone heard {refused}, the gateway {ended.text}")
    check(int(ended["code"]) >= 400, f"bob's phone took what it can't read: {ended.text}")
    check(not lab.midcomd.events("pinhole.open", mark), "a pinhole for a refused call")
    lab.midcomd.wait_pinholes(0)
    lab.figure(f"the gateway read it, the phone refuses with {refused}, no pinhole")


@scenario("e2m-figure-3", registrar=True, curious=True, openers=OPENERS)
def e2m_figure_3(lab):
    """alice is in a visited network: its proxy sees only routing, and so does the home's second."""
    demand(lab, STRICT)
    lab.midcomd.replace_in_configuration("interface = phones-a\nmedia = source",
                                         f"interface = phones-a\nmedia = {PHONES_A.host4}/32")
    lab.start_midcomd()
    visited = Kamailio(lab.a, lab.certificates, os.path.join(lab.directory, "visited"),
                       curious=True, address=STRANGER, home=PHONES_A.gateway4,
                       pair=lab.certificates.server("visited.example"))
    lab.closing(visited.stop)
    alice, bob, *_ = pair_beside(lab, way_of_alice={"next_hop": STRANGER,
                                                    "tls_name": "visited.example"})
    carry(lab, alice, bob, 1.0)
    carry(lab, bob, alice, 1.0)
    mark = lab.midcomd.mark()
    words = "the key is under the mat", "thank you kindly"
    send_text(alice, bob, words[0])
    send_text(bob, alice, words[1])
    signers = {event["signer"] for event in lab.midcomd.events("e2m.read", mark, sealed="yes")}
    check(signers == {alice.uri, bob.uri}, f"the home proxy read messages of {signers}")
    check_nothing_seen(lab, visited, alice, *words, messages=2)
    check_nothing_seen(lab, lab.kamailio, alice, *words, messages=2)
    named = {name.lower() for message in visited.seen()
             for name in re.findall(rb"\r\nProxy-Inspect-Body: *([^;\s]+)", message)}
    check(named == {GATEWAY.encode()}, f"labels name {named}")


@scenario("e2m-two-middles", registrar=True, curious=True, openers=OPENERS)
def e2m_two_middles(lab):
    """Two gateways in a row, each with its label; bob is behind the second, in the core."""
    terms = STRICT + "answerer = peer-domain\n"
    demand(lab, STRICT, ("phones-a", "core"))
    lab.midcomd.replace_in_configuration(f"media = {CORE.host4}/32",
                                         f"media = {CORE.host4}/32\nmedia = {IN_CORE}/32")
    lab.start_midcomd()
    # bob and his adapter come from bob's address, though the registrar's is this host's first.
    ip("-n", lab.core.name, "route", "replace", "local", TRUNK, "dev", "eth0", "src", IN_CORE,
       "table", "local")
    ip("-n", lab.core.name, "route", "replace", "default", "via", CORE.gateway4, "src", IN_CORE)
    sealing = lab.certificates.sealing_of(adapter.SECOND)
    second = adapter.SecondGateway(lab.core, lab.certificates,
                                   os.path.join(lab.directory, "second"), sealing, terms)
    lab.closing(second.stop)
    second.start()
    pairs = [lab.certificates.user(name) for name in ("alice", "bob")]
    alice, alice_box = beside(lab, "alice", lab.a, PHONES_A, 440, pair=pairs[0],
                              contacts=[pairs[1][0]], trusted=adapter.SECOND,
                              middles=[(GATEWAY, lab.certificates.sealing[0])])
    bob, bob_box = beside(lab, "bob", lab.core, CORE, 800, pair=pairs[1], address=IN_CORE,
                          next_hop=TRUNK, tls_name=adapter.SECOND, contacts=[pairs[0][0]],
                          trusted=GATEWAY, middles=[(adapter.SECOND, sealing[0])])
    alice.registered()
    bob.registered()
    for caller, box, callee in ((alice, alice_box, bob), (bob, bob_box, alice)):
        marks = [(gateway, gateway.mark()) for gateway in (lab.midcomd, second)]
        since = box.mark()
        carry(lab, caller, callee, 1.0, attempts=2 if caller is alice else 1)
        # The far gateway can't read what is shown to the near one alone: the control.
        shown = [event["middles"] for event in box.events("e2m.seal", since)]
        check(shown == ["1", "2"], f"{caller.user} sealed for {shown} middles")
        for gateway, mark in marks:
            signers = [event["signer"] for event in gateway.events("e2m.read", mark, sealed="yes")]
            check({caller.uri, callee.uri} == set(signers),
                  f"a gateway read what was signed by {signers}")
        far, mark = marks[1 if caller is alice else 0]
        codes = [event["code"] for event in far.events("call.refuse", mark)]
        check(codes == ["496"], f"the far gateway refused with {codes}")
    named = {name.lower() for message in lab.kamailio.seen()
             for name in re.findall(rb"\r\nProxy-Inspect-Body: *([^;\s]+)", message)}
    lab.figure(f"labels between the two: {b', '.join(sorted(named)).decode()}")
    check_nothing_seen(lab, lab.kamailio, alice)
