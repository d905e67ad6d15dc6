# SPDX-License-Identifier: GPL-3.0-or-later
"""midcomd in the role endpoint, beside a phone: on the phone's own address, mutual TLS outwards.

And a second gateway, in the core network, between the registrar and a phone there.
"""

import os
import shutil

from lab import CORE, IN_CORE, PHONES_A, TRUNK
from midcomd import Midcomd

PORT = 5070  # for the phone, UDP and TCP; the phone itself has 5060

CONFIGURATION = """[midcomd]
role = endpoint
name = {host}
state-directory = {state}
control-socket = {control}

[listen phone]
address = udp:{address}:{port}
[listen phone-tcp]
address = tcp:{address}:{port}
[listen out]
address = tls:{address}:{tls_port}
advertise = {address}

[tls]
certificate = {certificate}
key = {key}
ca = {ca}

[smime]
ca = {ca}
openers = 1

[user {user}]
address = sip:{user}@example.org
certificate = {user_certificate}
key = {user_key}

[endpoint]
contacts = {contacts}
seal = {seal}
trusted-middles = {trusted}
{middles}
[peer phone]
kind = phones
network = {address}/32

[peer home]
kind = trunk
network = {next_hop}/32
identity = {tls_name}
next-hop = tls:{next_hop}:5061
tls-name = {tls_name}
answerer = peer-domain

[route *]
peer = home

[log]
format = logfmt
destination = stderr
level = info
"""


class Adapter(Midcomd):
    has_firewall = False

    def __init__(self, namespace, certificates, directory, user, pair, address, next_hop, *,
                 tls_name="gw.example.net", middles=(), contacts=(), seal="required",
                 trusted="next-hop"):
        """`middles`: (name, certificate file); `contacts`: certificate files of others."""
        state = self._prepare(namespace, directory)
        folder = os.path.join(directory, "contacts")
        os.makedirs(folder)
        for path in contacts:
            shutil.copy(path, folder)
        certificate, key = certificates.phone
        known = "".join(f"\n[middle {name}]\ncertificate = {path}\n" for name, path in middles)
        with open(self._configuration, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(
                state=state, control=self.control, host=f"{user}.example.org", address=address,
                port=PORT, tls_port=PORT + 1, certificate=certificate, key=key,
                ca=certificates.ca, user=user, user_certificate=pair[0], user_key=pair[1],
                contacts=folder, seal=seal, trusted=trusted, middles=known, next_hop=next_hop,
                tls_name=tls_name))


SECOND = "gw2.example.net"
SECOND_GATEWAY = """[midcomd]
name = {name}
state-directory = {state}
control-socket = {control}

[listen core]
address = tls:{address}:5061
advertise = {address}

[tls]
certificate = {pair[0]}
key = {pair[1]}
ca = {ca}

[smime]
certificate = {sealing[0]}
key = {sealing[1]}
ca = {ca}
openers = 1

[peer phones]
kind = phones
network = {phone}/32
media = {phone}/32
{terms}
[peer core]
kind = trunk
network = {core}/32
identity = core.example
media = {others}/32
next-hop = tls:{core}:5061
tls-name = core.example
registrar = yes
{terms}
[route example.org]
peer = core

[log]
format = logfmt
destination = stderr
level = info

[firewall]
mode = observe
"""


class SecondGateway(Midcomd):
    """At the trunk's address; it only says what it would open: it shares its host with others."""

    has_firewall = False

    def __init__(self, namespace, certificates, directory, sealing, terms):
        state = self._prepare(namespace, directory)
        with open(self._configuration, "w", encoding="ascii") as file:
            file.write(SECOND_GATEWAY.format(
                name=SECOND, state=state, control=self.control, address=TRUNK, phone=IN_CORE,
                core=CORE.host4, others=PHONES_A.host4, pair=certificates.server(SECOND),
                sealing=sealing, ca=certificates.ca, terms=terms))
