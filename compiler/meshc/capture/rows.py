"""One row of a table for each check of a cluster: what was checked, its state, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from meshc.capture.trouble import AskError, Trouble

if TYPE_CHECKING:
    from datetime import datetime

    from meshc.errors import Place


class Check(StrEnum):
    """The checks. Programs use these names, which stay the same even if the texts for people change."""

    API_SERVER = "api-server"
    ADDRESS = "address"
    CACERTS = "cacerts"
    CERTIFICATE = "certificate"
    ROOT = "root"
    REMOTE_SECRETS = "remote-secrets"
    CREDENTIALS = "credentials"
    AUTHORITY = "api-server-ca"
    SYNCED = "synced"
    OBJECTS = "objects"
    OWNERS = "owners"
    FIELDS = "fields"
    ISTIOD = "read-by-istiod"
    PROXIES = "root-of-proxies"
    KUBERNETES = "kubernetes-version"
    PODS = "pod-ranges"
    SERVICES = "service-ranges"
    ISTIO = "istio-version"
    REVISION = "revision"
    NETWORK = "network"
    CLUSTER_ID = "cluster-id"
    UNTOLD = "untold"


_TITLES = {
    Check.API_SERVER: "api server",
    Check.ADDRESS: "address",
    Check.REMOTE_SECRETS: "remote secrets",
    Check.AUTHORITY: "CA of its API server",
    Check.KUBERNETES: "Kubernetes",
    Check.ISTIOD: "read by istiod",
    Check.PROXIES: "root of proxies",
    Check.PODS: "pods",
    Check.SERVICES: "services",
    Check.ISTIO: "Istio",
    Check.CLUSTER_ID: "cluster ID",
    Check.UNTOLD: "not told",
}
_OF = {Check.ADDRESS: "of", Check.CREDENTIALS: "in", Check.ISTIOD: "of"}


class State(StrEnum):
    """The state of a check."""

    OK = "ok"
    DIFFERS = "differs"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It can't be checked, or there is nothing to compare with."""


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one check of one cluster.

    `of` names a part of its control plane, or the other cluster. `says` never contains a secret. `until` is the expiry
    of a certificate or a token.
    """

    cluster: str
    check: Check
    state: State
    says: str
    hint: str = ""
    place: Place | None = None
    of: str = ""
    until: datetime | None = None

    @property
    def what(self) -> str:
        """The title of the check, for people."""
        title = _TITLES.get(self.check, self.check.value)
        return f"{title} {_OF.get(self.check, 'of')} {self.of}" if self.of else title

    def as_json(self) -> dict[str, Any]:
        """The row as data; every key is always there."""
        return {
            "cluster": self.cluster,
            "check": str(self.check),
            "of": self.of,
            "what": self.what,
            "state": str(self.state),
            "says": self.says,
            "hint": self.hint,
            "place": str(self.place) if self.place else None,
            "until": f"{self.until:%Y-%m-%dT%H:%M:%SZ}" if self.until else None,
        }


def of_error(cluster: str, check: Check, error: AskError, of: str = "") -> Row:
    """A row for a check that got no answer. A missing right isn't a fault of the cluster."""
    state = State.UNKNOWN if error.trouble is Trouble.FORBIDDEN else State.FAILED
    return Row(cluster, check, state, error.what.removeprefix(f"{cluster}: "), error.hint, of=of)
