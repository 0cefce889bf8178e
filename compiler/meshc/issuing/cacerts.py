"""Makes the sealed cacerts of a cluster from a CA's certificates and key, or replaces the roots in one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from meshc.kube import at
from meshc.sealing.contract import Plain, SealError
from meshc.sealing.file import backend_of, sealed_file, target_of
from meshc.sealing.registry import BY_KIND
from meshc.trust import binding, proofs, tls_form
from meshc.trust.issue import key_fits
from meshc.trust.keys import plain_key
from meshc.trust.rotation import roots_above
from meshc.yamltext.read import read
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.hidden import Hidden
    from meshc.issuing.work import Work
    from meshc.plan.ir import ClusterPlan

ROOTS, CA, CHAIN, KEY = "root-cert.pem", "ca-cert.pem", "cert-chain.pem", "ca-key.pem"


@dataclass(frozen=True, slots=True)
class Authority:
    """The public files of a cluster's CA, with the mesh's roots."""

    certificate: bytes
    chain: bytes
    roots: bytes


def sealed_cacerts(work: Work, cluster: ClusterPlan, authority: Authority, key: Hidden, now: datetime) -> bytes:
    """The sealed file of a cluster's cacerts, bound to the CA's certificate by a signature of the CA's key.

    Raises SealError for a key that isn't the certificate's, for a CA under none of the roots, and if the cluster's
    backend lacks what it needs.
    """
    if not key_fits(authority.certificate, key):
        raise SealError(f"{cluster.name}: the private key isn't the one of {CA}")
    roots = roots_above(authority.certificate, authority.chain, authority.roots)
    if not roots:
        raise SealError(f"{cluster.name}: {CA} chains to no root in {ROOTS}")
    public = {CA: authority.certificate, CHAIN: authority.chain, ROOTS: authority.roots}
    plain = Plain(work.plan.istio_namespace, "cacerts", {KEY: plain_key(key)}, public)

    def proven(blobs: Mapping[str, str]) -> Mapping[str, str]:
        found = proofs.of_ca(authority.certificate, authority.chain, authority.roots)
        if KEY in blobs:
            statement = binding.state(cluster.name, blobs[KEY], authority.certificate, roots[0])
            found[proofs.BINDING] = binding.sign(key, statement)
        return found

    target = target_of(work.plan, cluster, "cacerts", work.sealing_certificate(cluster))
    return sealed_file(plain, backend_of(cluster), target, now, proven)


def with_roots(data: bytes, roots: bytes, shown: str) -> bytes:
    """A sealed cacerts with other roots. The ciphertext doesn't change, so no key is needed.

    Raises SealError if the file can't be read, or if a MAC over its public parts would become invalid.
    """
    documents, problems = read(data, shown)
    if problems or len(documents) != 1 or not isinstance(documents[0].data, dict):
        raise SealError(f"{shown} isn't one sealed Secret")
    body = documents[0].data
    kind = body.get("kind")
    key = ROOTS if _plain(body, tls_form.CERTIFICATE) is None else tls_form.ROOTS
    if kind == "Secret":
        if not isinstance(body.get("sops"), dict):
            raise SealError(f"{shown}: there is no sops block in it, so it isn't sealed: issue the CA again")
        if body["sops"].get("mac_only_encrypted") is not True:
            raise SealError(f"{shown}: its MAC covers public parts too, so they can't be changed: seal it again")
        return _written(_put(body, ("data", key), base64.b64encode(roots).decode()))
    if not isinstance(kind, str) or kind not in BY_KIND:
        raise SealError(f"{shown} has no sealed Secret")
    return _written(_put(body, (*BY_KIND[kind].PUBLIC, key), roots.decode()))


def public_part(data: bytes, key: str) -> bytes | None:
    """A certificate in a sealed cacerts of any form; None if there is no readable one."""
    documents, problems = read(data, "")
    body = documents[0].data if len(documents) == 1 and not problems else None
    certificate, roots = _plain(body, tls_form.CERTIFICATE), _plain(body, tls_form.ROOTS)
    if certificate is not None:
        return tls_form.certificates_of(certificate, roots or b"").get(key)
    return _plain(body, key)


def _plain(body: Any, key: str) -> bytes | None:
    if at(body, "kind") == "Secret":
        value = at(body, "data", key)
        try:
            return base64.b64decode(value, validate=True) if isinstance(value, str) else None
        except (binascii.Error, ValueError):
            return None
    text = at(body, "spec", "template", "data", key) or at(body, "spec", "target", "template", "data", key)
    return text.encode() if isinstance(text, str) else None


def _written(body: Mapping[str, Any]) -> bytes:
    return write(body).encode()


def _put(body: Any, path: tuple[str, ...], value: str) -> dict[str, Any]:
    inner = body.get(path[0]) if isinstance(body, dict) else None
    return {**(body or {}), path[0]: value if len(path) == 1 else _put(inner, path[1:], value)}
