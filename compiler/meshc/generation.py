"""The two generations of Istio: classic 1.0 with Pilot, Mixer and Citadel, and all later versions with istiod."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

_CLASSIC: Mapping[str, Mapping[str, str]] = {
    "pilot": {"istio": "pilot"},
    "policy": {"istio-mixer-type": "policy"},
    "telemetry": {"istio-mixer-type": "telemetry"},
    "zipkin": {"app": "jaeger"},
}
_ISTIOD: Mapping[str, Mapping[str, str]] = {"istiod": {"app": "istiod"}}


class Generation(StrEnum):
    """The kind of control plane that a mesh has."""

    CLASSIC = "classic"
    ISTIOD = "istiod"

    @classmethod
    def of(cls, version: str) -> Generation:
        """The generation of an Istio version."""
        return cls.CLASSIC if version.startswith("1.0.") else cls.ISTIOD

    @property
    def labels(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of the pods of each part of a control plane."""
        return _CLASSIC if self is Generation.CLASSIC else _ISTIOD

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a control plane whose addresses remotes need. The first part always exists."""
        return tuple(self.labels)

    @property
    def shown(self) -> str:
        """The generation in a sentence."""
        return "classic Istio" if self is Generation.CLASSIC else "an istiod mesh"

    @property
    def policy(self) -> str:
        """The kind of the object that sets mutual TLS for the whole mesh."""
        return "MeshPolicy" if self is Generation.CLASSIC else "PeerAuthentication"

    @property
    def has_variants(self) -> bool:
        """True if its images have variants, such as distroless."""
        return self is Generation.ISTIOD

    @property
    def has_revisions(self) -> bool:
        """True if a cluster can have several control planes, each with a revision and with tags."""
        return self is Generation.ISTIOD

    @property
    def has_gateways(self) -> bool:
        """True if clusters can reach other networks and the control plane through gateways."""
        return self is Generation.ISTIOD

    @property
    def has_headless_services(self) -> bool:
        """True if remotes reach the control plane through headless Services, which accept addresses of any IP
        family."""
        return self is Generation.CLASSIC

    @property
    def has_fixed_id(self) -> bool:
        """True if a control plane always uses the same ID for its own cluster, whatever its values say."""
        return self is Generation.CLASSIC

    @property
    def allows_equal_service_ranges(self) -> bool:
        """True if clusters may have the same range of Service addresses."""
        return self is Generation.ISTIOD

    @property
    def always_uses_tls(self) -> bool:
        """True if sidecars always use mutual TLS to their control plane."""
        return self is Generation.ISTIOD

    @property
    def injects_in_remotes(self) -> bool:
        """True if each remote has its own injection template."""
        return self is Generation.CLASSIC

    @property
    def reads_changed_secrets(self) -> bool:
        """True if a running control plane reads remote secrets that change."""
        return self is Generation.ISTIOD

    @property
    def reads_its_namespace(self) -> bool:
        """True if a control plane reads its network, and the clusters that it may serve, from its Namespace."""
        return self is Generation.ISTIOD

    @property
    def reports_clusters(self) -> bool:
        """True if a control plane reports the clusters that it watches."""
        return self is Generation.ISTIOD

    @property
    def publishes_roots(self) -> bool:
        """True if a control plane writes the roots for proxies into a ConfigMap of each namespace."""
        return self is Generation.ISTIOD

    @property
    def serves_by_its_ca(self) -> bool:
        """True if a control plane serves with a certificate of its own CA."""
        return self is Generation.ISTIOD

    @property
    def reads_changed_ca(self) -> bool:
        """True if a running CA reads its certificates again."""
        return self is Generation.ISTIOD

    @property
    def writes_certificate_secrets(self) -> bool:
        """True if the CA writes the certificate of each service account into a Secret."""
        return self is Generation.CLASSIC

    @property
    def reads_tls_secrets(self) -> bool:
        """True if the CA may be in a Secret of type kubernetes.io/tls."""
        return self is Generation.ISTIOD

    @property
    def signs_with_ecdsa(self) -> bool:
        """True if the CA can have an ECDSA key."""
        return self is Generation.ISTIOD

    @property
    def signs_in_remotes(self) -> bool:
        """True if each remote runs its own CA, as with Citadel. istiod signs for its remotes."""
        return self is Generation.CLASSIC
