"""A cacerts as cert-manager makes it says the same as one of Istio's own form, and takes other roots the same way."""

from __future__ import annotations

from meshc.issuing.cacerts import CA, CHAIN, ROOTS, public_part, with_roots
from meshc.trust.tls_form import certificates_of, is_chain
from support.cases import find_case
from support.throwaway import make_root, pem


def test_its_parts_are_those_that_istiod_sends() -> None:
    root = make_root()
    hub = root.issue("hub")
    middle = pem(hub, root)

    assert certificates_of(hub.cert_pem, root.cert_pem)[CHAIN] == middle
    assert certificates_of(middle, root.cert_pem) == {CA: hub.cert_pem, CHAIN: middle, ROOTS: root.cert_pem}
    assert is_chain(hub.cert_pem, root.cert_pem, middle)
    assert is_chain(middle, root.cert_pem, middle)
    assert not is_chain(root.cert_pem, root.cert_pem, middle)
    assert not is_chain(hub.cert_pem, make_root().cert_pem, middle)
    assert not is_chain(b"", root.cert_pem, middle)


def test_a_sealed_one_tells_its_parts_and_takes_other_roots() -> None:
    case, two = find_case("cacerts-as-cert-manager-makes-it"), pem(make_root(), make_root())
    root = (case / "certificates/root-cert.pem").read_bytes()
    for cluster in ("hub", "edge-1"):  # sealed by sops, and as a SealedSecret
        sealed = (case / f"sealed/{cluster}/cacerts.yaml").read_bytes()
        certificate = (case / f"certificates/{cluster}/ca-cert.pem").read_bytes()

        changed = with_roots(sealed, two, cluster)

        assert [public_part(sealed, key) for key in (CA, ROOTS)] == [certificate, root]
        assert [public_part(changed, key) for key in (CA, ROOTS)] == [certificate, two]
        assert b"root-cert.pem" not in changed
