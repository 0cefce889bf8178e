"""The versions that meshc supports, and the versions with which its output was tested. docs/support.md shows the
table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meshc.kube import Version

_SUPPORT = "istio.io, data/compatibility/supportStatus.yml"
_BUILT = "istioctl's least version, and the k8s.io/api that it is built with"


@dataclass(frozen=True, slots=True)
class Release:
    """A minor release of Istio: the Kubernetes minor versions that it supports, the source of this fact, and what has
    been tested.

    `charts` is the release whose charts are compared with the output, if the tests are given these charts. `ran` is
    what has run in `make proof` (docs/proof.md) or by hand.
    """

    kubernetes: tuple[int, int]
    source: str
    charts: str = ""
    ran: str = ""


ISTIO: Mapping[tuple[int, int], Release] = {
    (1, 24): Release((28, 31), _SUPPORT, charts="1.24.6"),
    (1, 25): Release((29, 32), _SUPPORT),
    (1, 26): Release((29, 33), _SUPPORT),
    (1, 27): Release((29, 33), _SUPPORT, charts="1.27.0"),
    (1, 28): Release((30, 34), _SUPPORT),
    (1, 29): Release((31, 35), _SUPPORT, charts="1.29.6"),
    (1, 30): Release((32, 36), _SUPPORT, charts="1.30.3"),
    (1, 31): Release((32, 36), _BUILT, charts="1.31.0-rc.0", ran="istiod of its branch, with Kubernetes 1.36"),
    (1, 32): Release((32, 36), _BUILT, charts="the main branch of August 2026"),
}
"""The releases of Istio with istiod."""

CLASSIC_LINE = (1, 0)
CLASSIC_LAST_PATCH = 9
CLASSIC = Release(
    (9, 21),
    "admissionregistration.k8s.io/v1beta1: since 1.9, gone in 1.22",
    charts="1.0.6",
    ran="Pilot, Citadel and istioctl 1.0 by hand",
)
"""Istio 1.0, with the Kubernetes versions to which its objects can be applied."""

KUSTOMIZE = (Version(5, 5), Version(5, 9))
"""The versions of kustomize whose style and order meshc can write itself: from the first version, up to but not
including the second."""

HELM = (3, 4)
"""The major versions of helm."""
GIT = Version(2, 32)
"""The oldest Git that can be told to ignore a repository's settings."""
