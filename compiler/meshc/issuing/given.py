"""Makes the plain Secret that a cluster needs from a kubeconfig or a Secret that a person gives."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.errors import UsageError
from meshc.hidden import Hidden
from meshc.issuing.kubeconfig import Credentials, credentials
from meshc.kube import at
from meshc.mesh.hosts import same_server
from meshc.plan.istiod_values import KUBECONFIG
from meshc.plan.unknown import no_cluster
from meshc.sealing.contract import Plain, SealError
from meshc.trust.tls_form import CERTIFICATE, KEY, ROOTS, certificates_of, is_tls
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import Plan
    from meshc.plan.needs import SecretNeed


@dataclass(frozen=True, slots=True)
class Given:
    """The input: credentials of a cluster, or the keys of a cacerts.

    `source` is the Secret with the credentials' token, if it is known.
    """

    credentials: Credentials | None = None
    remote: str = ""
    keys: dict[str, Hidden] | None = None
    source: str = ""


def given(data: Hidden) -> Given:
    """Reads a kubeconfig, a remote secret as istioctl prints it, or a cacerts. Raises SealError, quoting nothing."""
    body = _only_body(data)
    if body.get("kind") == "Config":
        return Given(credentials(body))
    if body.get("kind") != "Secret":
        raise SealError("the input is neither a kubeconfig nor a Secret")
    values = _values(body)
    if "ca-key.pem" in values:
        return Given(keys=values)
    if is_tls(values) and body.get("kind") == "Secret" and len(values) > 1:
        return Given(keys=_of_tls(values))
    if len(values) != 1:
        raise SealError("the Secret is neither a cacerts nor a remote secret, which has one key")
    ((remote, value),) = values.items()
    inner = _only_body(value)
    if inner.get("kind") != "Config":  # nobody makes a Secret inside a Secret, and the nesting could be endless
        raise SealError("the Secret's only key has no kubeconfig")
    found = credentials(inner)
    # istioctl's --type config: the key is the same whichever cluster it is of, which the context names
    return Given(found, "" if at(body, "metadata", "name") == KUBECONFIG else remote)


def _of_tls(values: dict[str, Hidden]) -> dict[str, Hidden]:
    """A TLS Secret, as cert-manager makes it, under Istio's own keys."""
    found = {"ca-key.pem": values[KEY]} if KEY in values else {}
    if CERTIFICATE in values and ROOTS in values:
        parts = certificates_of(values[CERTIFICATE].reveal(), values[ROOTS].reveal())
        found |= {key: Hidden(data) for key, data in parts.items()}
    return found


def _only_body(data: Hidden) -> Body:
    """The only object of a text. Raises SealError."""
    documents, problems = read(data.reveal(), "the input")
    if problems:
        raise SealError(f"the input isn't valid YAML: see its line {problems[0].place.line}")
    bodies = [document.data for document in documents if isinstance(document.data, dict)]
    if len(bodies) != 1:
        raise SealError(
            f"the input has {len(bodies)} objects, but must have one Secret or kubeconfig",
            "for example: istioctl create-remote-secret --name CLUSTER | meshc secrets seal -",
        )
    return bodies[0]


def _values(body: Any) -> dict[str, Hidden]:
    """The values of a Secret, from `data` or `stringData`."""
    found: dict[str, Hidden] = {}
    for field in ("data", "stringData"):
        for key, value in (body.get(field) or {}).items() if isinstance(body.get(field), dict) else ():
            try:
                text = str(value).encode()
                found[str(key)] = Hidden(base64.b64decode(text, validate=True) if field == "data" else text)
            except (binascii.Error, ValueError):
                raise SealError("the Secret's data isn't base64") from None
    return found


def remote_of(plan: Plan, handed: Given, asked: str | None) -> str:
    """The remote that the credentials are for: the one in the option, or the ID or name in the credentials. Raises
    UsageError."""
    assert handed.credentials is not None, "credentials were handed over"  # noqa: S101
    names = [cluster.name for cluster in plan.clusters]
    by_id = {cluster.id: cluster.name for cluster in plan.clusters}
    told = next((one for one in (handed.remote, handed.credentials.context) if one), "")
    found = asked or by_id.get(told, told)
    if found and found not in names:
        raise no_cluster(plan, found, "--remote, one of:")
    if not found:
        raise UsageError(
            "the input doesn't name the cluster that these credentials are for", f"--remote, one of: {', '.join(names)}"
        )
    return found


def remote_plain(plan: Plan, handed: Given, need: SecretNeed) -> Plain:
    """The remote secret for a need. Raises SealError if the server isn't the one in mesh.yaml."""
    ((remote, key),) = need.of.items()
    hidden = {key: kubeconfig_for(plan, handed, need, remote)}
    return Plain(need.namespace, need.name, hidden, labels=need.labels, annotations=need.annotations)


def kubeconfig_for(plan: Plan, handed: Given, need: SecretNeed, remote: str) -> Hidden:
    """The kubeconfig of a remote. istiod identifies a mounted kubeconfig by the cluster that it names, so the name is
    the ID there.

    Raises SealError if the server isn't the one in mesh.yaml.
    """
    assert handed.credentials is not None, "credentials were handed over"  # noqa: S101
    cluster = plan.cluster(remote)
    wanted = cluster.api_server
    if wanted and same_server(wanted) != same_server(handed.credentials.server):
        raise SealError(
            f"{remote}: the kubeconfig's server is {handed.credentials.server}, but mesh.yaml has {wanted}",
            "correct apiServer in mesh.yaml, or take the other cluster's kubeconfig",
        )
    return handed.credentials.kubeconfig(cluster.id if need.grows else remote)


def needs_for(needs: Sequence[SecretNeed], remote: str, primary: str | None) -> list[SecretNeed]:
    """The remote secrets for a remote's credentials. Raises UsageError if there is none."""
    found = [need for need in needs if remote in need.of and primary in (None, need.cluster)]
    if not found:
        others = [need.cluster for need in needs if remote in need.of]
        if primary and others:
            raise UsageError(f"{primary} needs no credentials of {remote}", f"--primary {' or '.join(others)}")
        raise UsageError(f"no primary needs credentials of {remote}", "a cluster's are for every primary but itself")
    return found
