# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority of the lab's own, by openssl(1)."""

import os
import subprocess

from namespaces import LabError

EXTENSIONS = """basicConstraints=critical,CA:FALSE
keyUsage=critical,{usage}
extendedKeyUsage={purposes}
subjectAltName={names}
"""


def _openssl(*words):
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"openssl {words[0]}: {done.stderr.strip()}")


class Authority:
    def __init__(self, directory, name="midcomd lab CA"):
        os.makedirs(directory, exist_ok=True)
        self.directory = directory
        self.certificate = os.path.join(directory, "ca.pem")
        self._key = os.path.join(directory, "ca.key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", self._key, "-out", self.certificate, "-days", "2",
                 "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, host, names, usage="digitalSignature", purposes="serverAuth,clientAuth"):
        """A pair HOST.pem, HOST.key; `names` as in subjectAltName."""
        base = os.path.join(self.directory, host)
        certificate, key = base + ".pem", base + ".key"
        request, extensions = base + ".csr", base + ".ext"
        with open(extensions, "w", encoding="ascii") as file:
            file.write(EXTENSIONS.format(names=names, usage=usage, purposes=purposes))
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", key, "-out", request, "-subj", f"/CN={host}")
        os.chmod(key, 0o600)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
                 "-set_serial", f"0x{os.urandom(8).hex()}", "-days", "2", "-extfile", extensions,
                 "-out", certificate)
        return certificate, key


class LabCertificates:
    """All pairs of one lab: the gateway's, the registrar's, a trunk's."""

    def __init__(self, directory):
        self._authority = authority = Authority(directory)
        self.ca = authority.certificate
        self.gateway = authority.issue("gw.example.net",
                                       "DNS:gw.example.net,URI:sip:gw.example.net")
        self.core = authority.issue("core.example", "DNS:core.example")
        self.trunk = authority.issue("trunk.example", "DNS:trunk.example,URI:sip:trunk.example")
        self.sealing = authority.issue("smime.gw.example.net", "DNS:gw.example.net",
                                       usage="keyAgreement", purposes="emailProtection")
        self.phone = authority.issue("phone.example.org", "DNS:phone.example.org")

    def user(self, name, domain="example.org"):
        """Who signs as this user, and is sealed for."""
        return self._authority.issue(f"{name}.{domain}", f"URI:sip:{name}@{domain}",
                                     usage="digitalSignature,keyAgreement",
                                     purposes="emailProtection")

    def sealing_of(self, host):
        """What is sealed for another middle."""
        return self._authority.issue(f"smime.{host}", f"DNS:{host}", usage="keyAgreement",
                                     purposes="emailProtection")

    def server(self, host):
        return self._authority.issue(host, f"DNS:{host},URI:sip:{host}")
