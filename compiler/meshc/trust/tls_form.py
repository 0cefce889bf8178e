"""Converts a cacerts in the form of a TLS Secret, as cert-manager makes it, to Istio's own form.

istiod 1.15 and later reads this form if there is a `tls.crt`. `tls.crt` has the CA with its issuers, `ca.crt` has the
roots, and istiod sends the concatenation of both to workloads (pilot/pkg/bootstrap/istio_ca.go). Citadel doesn't read
this form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from meshc.trust.certificates import read

CERTIFICATE, KEY, ROOTS = "tls.crt", "tls.key", "ca.crt"
_OWN = {"ca-key.pem": KEY, "ca-cert.pem": CERTIFICATE, "cert-chain.pem": CERTIFICATE, "root-cert.pem": ROOTS}
_FIRST = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]*+-----END CERTIFICATE-----[ \t\r]*+\n?")

Value = TypeVar("Value")


def is_tls(keys: Mapping[str, Value]) -> bool:
    """True if istiod reads a cacerts with these keys as this form."""
    return CERTIFICATE in keys or KEY in keys


def name_of(key: str) -> str:
    """The key of this form that corresponds to one of Istio's own keys."""
    return _OWN[key]


def certificates_of(certificate: bytes, roots: bytes) -> dict[str, bytes]:
    """The public parts in Istio's own form: only the CA, its chain as istiod sends it, and the roots."""
    first = _FIRST.search(certificate)
    known = {one.fingerprint for one in read("", certificate)[0]}
    whole = all(one.fingerprint in known for one in read("", roots)[0])
    chain = certificate if whole else certificate.rstrip(b"\n") + b"\n" + roots
    return {"ca-cert.pem": first[0] if first else certificate, "cert-chain.pem": chain, "root-cert.pem": roots}


def is_chain(certificate: bytes, roots: bytes, chain: bytes) -> bool:
    """True if a `tls.crt` has the certificates of a cert-chain.pem, except for roots at its end."""
    mine, theirs = ([one.fingerprint for one in read("", data)[0]] for data in (certificate, chain))
    rest = theirs[len(mine) :]
    return bool(mine) and theirs[: len(mine)] == mine and {*rest} <= {one.fingerprint for one in read("", roots)[0]}
