"""What tests/make_sealed_cases.py makes without sops is the same each time, and is what the cases hold."""

from __future__ import annotations

import inspect

import pytest
from cryptography import x509

from sealed_cases import trust
from sealed_cases.making import MAKERS, make
from support.cases import find_case

pytestmark = pytest.mark.skipif(
    "ecdsa_deterministic" not in inspect.signature(x509.CertificateBuilder.sign).parameters,
    reason="this version of cryptography signs with new randomness each time",
)
SLOW = {"ca-keys-that-istiod-knows", "ca-named-like-the-sample-of-istio"}
"""Cases with many or long RSA keys, whose primes take Python seconds to find."""
SEALED = {"private-key-after-a-certificate"}
"""Cases of certificates with files that sops seals."""
MADE = [name for name, maker in MAKERS.items() if maker.__module__ == trust.__name__ and name not in SLOW | SEALED]


@pytest.mark.parametrize("name", MADE)
def test_certificates_follow_from_the_name_of_their_case(name: str) -> None:
    made = make(name)

    assert {path: (find_case(name) / path).read_bytes() for path in made} == made
