"""Converts a cacerts in the form of a TLS Secret, as cert-manager makes it, to Istio's own form.

istiod reads it since 1.15, where there is a `tls.crt`: that is the CA with its issuers, `ca.crt` the roots, and what it
sends to workloads is both, one after the other (pilot/pkg/bootstrap/istio_ca.go). Citadel never did.
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
    """Whether istiod takes a cacerts with these keys for one in this form."""
    return CERTIFICATE in keys or KEY in keys


def name_of(key: str) -> str:
    """The key of this form for one of Istio's own."""
    return _OWN[key]


def certificates_of(certificate: bytes, roots: bytes) -> dict[str, bytes]:
    """The public parts in Istio's own form: the CA alone, its chain as istiod sends it, and the roots."""
    first = _FIRST.search(certificate)
    known = {one.fingerprint for one in read("", certificate)[0]}
    whole = all(one.fingerprint in known for one in read("", roots)[0])
    chain = certificate if whole else certificate.rstrip(b"\n") + b"\n" + roots
    return {"ca-cert.pem": first[0] if first else certificate, "cert-chain.pem": chain, "root-cert.pem": roots}


def is_chain(certificate: bytes, roots: bytes, chain: bytes) -> bool:
    """Whether a `tls.crt` holds the certificates of a cert-chain.pem, except for roots at its end."""
    mine, theirs = ([one.fingerprint for one in read("", data)[0]] for data in (certificate, chain))
    rest = theirs[len(mine) :]
    return bool(mine) and theirs[: len(mine)] == mine and {*rest} <= {one.fingerprint for one in read("", roots)[0]}
