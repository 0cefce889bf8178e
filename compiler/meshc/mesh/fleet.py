"""The clusters of a mesh with their settings, and the questions that checks and the plan both ask about them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from meshc.generation import Generation
from meshc.kube import Version
from meshc.mesh.model import Cluster, Selector
from meshc.mesh.selecting import selects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshc.errors import Path
    from meshc.mesh.model import Mesh, Network, NetworkGateway, RemoteSecrets, Selection

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Member:
    """One cluster with the overrides merged in. `origins` has the path in mesh.yaml of each setting."""

    index: int
    cluster: Cluster
    origins: Mapping[Path, Path]

    @property
    def name(self) -> str:
        return self.cluster.name

    @property
    def id(self) -> str:
        """The cluster's ID in Istio."""
        return self.cluster.cluster_id or self.cluster.name

    def path(self, *steps: str | int) -> Path:
        """The path in mesh.yaml of this cluster's setting: in its own entry, or an override's."""
        for end in range(len(steps), 0, -1):
            if steps[:end] in self.origins:
                return (*self.origins[steps[:end]], *steps[end:])
        return ("spec", "clusters", self.index, *steps)


@dataclass(frozen=True)
class Fleet:
    """All members in file order, and the questions that checks and the plan both ask."""

    mesh: Mesh
    members: tuple[Member, ...]
    reach: Mapping[Path, frozenset[str]] = field(default_factory=dict)
    """The clusters of the part that contains an override or an acknowledgement; None for mesh.yaml."""
    _answers: dict[Callable[[Fleet], Any], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, question: Callable[[Fleet], Answer]) -> Answer:
        """A cached answer to a question of several modules."""
        if question not in self._answers:
            self._answers[question] = question(self)
        return cast("Answer", self._answers[question])

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    @cached_property
    def by_name(self) -> dict[str, Member]:
        return {member.name: member for member in reversed(self.members)}

    @cached_property
    def primaries(self) -> tuple[Member, ...]:
        """The clusters that run a control plane, external ones among them."""
        return tuple(member for member in self.members if member.cluster.role != "remote")

    @cached_property
    def external(self) -> tuple[Member, ...]:
        """The external control planes: no pod in these clusters is in the mesh."""
        return tuple(member for member in self.members if is_external(member.cluster))

    @cached_property
    def remotes(self) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.cluster.role == "remote")

    @property
    def classic(self) -> bool:
        """True if the mesh is classic: Istio 1.0 with Pilot, Mixer and Citadel."""
        return self.generation is Generation.CLASSIC

    @property
    def generation(self) -> Generation:
        """The generation of Istio: classic or istiod."""
        return Generation.of(self.mesh.spec.istio.version)

    def choose(self, selection: Selection) -> tuple[str, ...]:
        """Names of the selected clusters, in file order, each once."""
        if isinstance(selection, Selector):
            return tuple(dict.fromkeys(m.name for m in self.members if selects(selection, m.cluster)))
        if selection == "all":
            return self._names
        named = frozenset(selection)
        return tuple(name for name in self._names if name in named)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(member.name for member in self.members))

    def choose_at(self, path: Path, selection: Selection) -> tuple[str, ...]:
        """The selected clusters for the entry at a path: an override or an acknowledgement in a part selects only
        clusters of that part."""
        reach, chosen = self.reach.get(path[:_ENTRY]), self.choose(selection)
        return chosen if reach is None else tuple(name for name in chosen if name in reach)

    def choose_workloads(self, selection: Selection) -> tuple[str, ...]:
        """The selected clusters whose pods are in the mesh, without external control planes."""
        outside, chosen = {member.name for member in self.external}, self.choose(selection)
        return tuple(name for name in chosen if name not in outside) if outside else chosen

    def primary_of(self, member: Member) -> Member | None:
        """The primary that controls a remote; None if mesh.yaml names no valid one, or if there are several."""
        if member.cluster.primary is None:
            return self.primaries[0] if len(self.primaries) == 1 else None
        found = self.by_name.get(member.cluster.primary)
        return found if found and found.cluster.role != "remote" else None

    def config_cluster_of(self, member: Member) -> Member | None:
        """The remote that holds the configuration of a member's external control plane; None for any other mesh.

        If `configCluster` is absent, this is the control plane's only remote.
        """
        primary = self.primary_of(member) if member.cluster.role == "remote" else member
        return self._config_clusters.get(primary.name) if primary else None

    @cached_property
    def _config_clusters(self) -> dict[str, Member]:
        found = {}
        for primary in self.external:
            said = primary.cluster.control_plane.config_cluster if primary.cluster.control_plane else None
            mine = [remote for remote in self.remotes if self.primary_of(remote) is primary]
            chosen = mine if said is None else [remote for remote in mine if remote.name == said]
            if len(chosen) == 1:
                found[primary.name] = chosen[0]
        return found

    def network_of(self, member: Member) -> str | None:
        """The network of a cluster; if the cluster names none, the mesh's only one. An external control plane is in
        none."""
        if is_external(member.cluster):
            return None
        networks = self.mesh.spec.networks
        return member.cluster.network or (networks[0].name if len(networks) == 1 else None)

    def label_of(self, member: Member) -> str | None:
        """The label of a cluster's network in Istio."""
        name = self.network_of(member)
        return next((one.label for one in self.mesh.spec.networks if one.name == name and one.label), name)

    @cached_property
    def several_networks(self) -> bool:
        """True if clusters are in more than one declared network, so that pods can't all reach one another."""
        return len({self.network_of(member) for member in self.members} & {n.name for n in self.mesh.spec.networks}) > 1

    @cached_property
    def ambient_namespaces(self) -> tuple[int, ...]:
        """The ambient entries of `namespaces`."""
        return tuple(n for n, one in enumerate(self.mesh.spec.namespaces) if one.dataplane == "ambient")

    @cached_property
    def only_ambient(self) -> bool:
        """True if no namespace has sidecars, so that no gateway for sidecars is needed between networks."""
        return bool(self.ambient_namespaces) and all(n.dataplane != "sidecar" for n in self.mesh.spec.namespaces)

    def is_ambient_in(self, number: int, member: Member) -> bool:
        """True if a cluster has an ambient namespace."""
        return not is_external(member.cluster) and selects(self.mesh.spec.namespaces[number].clusters, member.cluster)

    def gateway_of(self, member: Member) -> tuple[NetworkGateway, Path] | None:
        """The cluster's own gateway, else any gateway of its network, with the path of its host in mesh.yaml."""
        every = self.gateways_in(self.network_of(member))
        own = [one for one in every if one[0].cluster == member.name]
        return next(iter(own or [one for one in every if one[0].cluster is None] or every), None)

    def gateways_in(self, network: str | None) -> list[tuple[NetworkGateway, Path]]:
        """All gateways of a network, each with the path of its host in mesh.yaml."""
        number = next((n for n, one in enumerate(self.mesh.spec.networks) if one.name == network), None)
        return [] if number is None else gateways_of(self.mesh.spec.networks[number], number)

    def version_of(self, member: Member) -> Version:
        """The Istio version, without the variant of images."""
        version = Version.of_release(member.cluster.istio.version or self.mesh.spec.istio.version)
        assert version is not None, "the model takes full versions only"  # noqa: S101
        return version._replace(suffix=_VARIANT.sub("", version.suffix))

    def variant_of(self, member: Member) -> str | None:
        """The variant of images: from its own key, or from the end of a tag or of the version."""
        of_cluster, of_mesh = member.cluster.istio, self.mesh.spec.istio
        for one in (of_cluster, of_mesh):
            found = _VARIANT.search(one.images.tag or one.version or "")
            if one.images.variant or found:
                return one.images.variant or (found[1] if found else None)
        return None

    def tag_of(self, member: Member) -> str:
        """The tag of images, without a variant."""
        asked = member.cluster.istio.images.tag or self.mesh.spec.istio.images.tag or "{version}"
        tag: str = asked.replace("{version}", str(self.version_of(member)))
        return _VARIANT.sub("", tag)

    def kubernetes_of(self, member: Member) -> Version:
        """The Kubernetes version; 0.0.0 if mesh.yaml has none (which a check reports)."""
        return Version.parse(member.cluster.kubernetes_version or "0.0") or Version(0, 0)

    def remote_secrets_of(self, member: Member) -> RemoteSecrets:
        """How a primary gets the credentials of others."""
        return member.cluster.istio.remote_secrets or self.mesh.spec.istio.remote_secrets

    def revision_of(self, member: Member) -> str:
        return member.cluster.istio.revision or self.mesh.spec.istio.revision

    def addresses_of(self, member: Member) -> dict[str, tuple[str, Path]]:
        """How a remote reaches each part of its primary's control plane, with the path in mesh.yaml.

        From another network, istiod is reached through the gateway of the primary's network, unless mesh.yaml sets
        `exposure` or an address for this remote.
        """
        primary = self.primary_of(member)
        found: dict[str, tuple[str, Path]] = {}
        control_plane = primary.cluster.control_plane if primary else None
        exposure = control_plane.exposure if control_plane else None
        if primary and control_plane:
            for part, address in control_plane.addresses.items():
                found[part] = (address, primary.path("controlPlane", "addresses", part))
        gateway = self.gateway_of(primary) if primary and self.generation.has_gateways else None
        if primary and gateway:
            elsewhere = self.network_of(member) != self.network_of(primary)
            if (exposure is None and elsewhere) or (exposure == "gateway" and "istiod" not in found):
                found["istiod"] = (host_of(gateway[0]), gateway[1])
        for part, address in member.cluster.control_plane_addresses.items():
            found[part] = (address, member.path("controlPlaneAddresses", part))
        return found


def gateways_of(network: Network, number: int) -> list[tuple[NetworkGateway, Path]]:
    """The gateways of the network of this number, each with the path of its host."""
    at: Path = ("spec", "networks", number)
    listed = [(network.gateway, (*at, "gateway"))] if network.gateway else []
    listed += [(one, (*at, "gateways", index)) for index, one in enumerate(network.gateways)]
    return [(one, (*path, "hostname" if one.hostname else "address")) for one, path in listed]


def host_of(gateway: NetworkGateway) -> str:
    """The address or host name of a gateway."""
    return gateway.address or gateway.hostname or ""


def is_external(cluster: Cluster) -> bool:
    """True if a cluster runs the control plane of others, and no pods of the mesh."""
    return cluster.role == "external-control-plane"


_VARIANT = re.compile(r"-(distroless|debug)\Z")


_ENTRY = 3  # steps of a path to an entry: spec, its list, its number
