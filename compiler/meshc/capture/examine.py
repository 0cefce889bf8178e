"""Checks a live cluster and returns rows: whether it can be reached, whether its control plane moved, whether its CA is
the one in Git."""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meshc.capture.addresses import addresses
from meshc.capture.credentials import CaptureError, account_of, look
from meshc.capture.recorded import GATEWAY
from meshc.capture.resource import core
from meshc.capture.rows import Check, Row, State, of_error
from meshc.capture.trouble import AskError
from meshc.kube import at
from meshc.mesh.hosts import ip_version
from meshc.plain import short
from meshc.plan.istiod_values import KUBECONFIG, MOUNTED
from meshc.trust import tls_form
from meshc.trust.certificates import read as read_certificates

if TYPE_CHECKING:
    from meshc.capture.ask import Api
    from meshc.errors import Place
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan

_CA, _ROOT = "ca-cert.pem", "root-cert.pem"
_GIVEN = "istio-ca-root-cert"
"""The ConfigMap that istiod keeps in every namespace."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The cluster's data in the repository, and its kubeconfig context.

    Each of `addresses` has its place in mesh.yaml.
    """

    cluster: ClusterPlan
    context: str
    addresses: Mapping[str, tuple[str, Place]]
    certificate: bytes | None
    roots: bytes | None


@dataclass(slots=True)
class Seen:
    """The results for one cluster. `secrets` are a primary's remote secrets with their content."""

    rows: list[Row]
    api: Api | None = None
    ca: bytes = b""
    secrets: list[Body] | None = field(default=None, repr=False)


Step = Callable[["Api", "Plan", Recorded, Seen], Iterator[Row]]


def examine(api: Api, plan: Plan, recorded: Recorded) -> Seen:
    """Checks everything about one cluster except its neighbours. Never raises because of a cluster's answer."""
    name = recorded.cluster.name
    try:
        version = api.version()
    except AskError as error:
        return Seen([of_error(name, Check.API_SERVER, error)])
    seen = Seen([Row(name, Check.API_SERVER, State.OK, f"Kubernetes {short(version, 40)}")], api)
    for check, step in _STEPS:
        try:
            seen.rows += step(api, plan, recorded, seen)
        except AskError as error:
            seen.rows.append(of_error(name, check, error))
    return seen


def _addresses(api: Api, plan: Plan, recorded: Recorded, seen: Seen) -> Iterator[Row]:
    name = recorded.cluster.name
    if not recorded.addresses:
        return

    def row(part: str, state: State, says: str, hint: str = "", place: Place | None = None) -> Row:
        return Row(name, Check.ADDRESS, state, says, hint, place, part)

    found = addresses(api, plan, recorded.cluster)
    for part, (address, place) in recorded.addresses.items():
        there = found[part]
        if part == GATEWAY and not there.addresses and _runs_elsewhere(plan, recorded.cluster):
            continue
        if address in there.addresses:
            yield row(part, State.OK, address)
        elif not there.addresses:
            yield row(part, State.UNKNOWN, f"mesh.yaml says {address}; {there.missing}", "", place)
        elif not ip_version(address) and all(map(ip_version, there.addresses)):
            yield row(
                part, State.UNKNOWN, f"{address} is a host name, but the cluster only shows IP addresses", "", place
            )
        else:
            now = " or ".join(short(one, 80) for one in there.addresses[:3])
            hint = f"meshc capture addresses {name} --write"
            yield row(part, State.DIFFERS, f"mesh.yaml says {address}, but the cluster has {now}", hint, place)


def _runs_elsewhere(plan: Plan, cluster: ClusterPlan) -> bool:
    """True if the gateway of the network may run in another cluster, because one gateway is enough."""
    return any(one.network == cluster.network and one.name != cluster.name for one in plan.clusters)


def _cacerts(api: Api, plan: Plan, recorded: Recorded, seen: Seen) -> Iterator[Row]:
    """Decodes only the public parts: the private key in the same Secret is never read."""
    name = recorded.cluster.name
    if recorded.cluster.cacerts == "none" or recorded.certificate is None or recorded.roots is None:
        return
    body = api.find(core("secrets", plan.istio_namespace, "cacerts"))
    public = {key: _decoded(at(body, "data", key)) for key in (_CA, _ROOT)}
    if certificate := _decoded(at(body, "data", tls_form.CERTIFICATE)):
        public = tls_form.certificates_of(certificate, _decoded(at(body, "data", tls_form.ROOTS)))
    del body
    if not any(public.values()):
        required = recorded.cluster.cacerts == "required"
        state = State.FAILED if required else State.UNKNOWN
        yield Row(name, Check.CACERTS, state, "the Secret is missing", f"sync output/{name}")
        return
    get = f"kubectl --context {shlex.quote(recorded.context)} get secret cacerts -n {plan.istio_namespace} -o yaml"
    taken = f"{get} | meshc secrets seal - --cluster {name} --replace"
    hint = f"sync output/{name}; if somebody replaced the CA there on purpose: {taken}"
    yield _compared(name, Check.CERTIFICATE, public[_CA], recorded.certificate, hint)
    yield _compared(name, Check.ROOT, public[_ROOT], recorded.roots, hint)


def _compared(cluster: str, check: Check, there: bytes, here: bytes, hint: str) -> Row:
    certificates, problems = read_certificates("", there, lenient=True)
    mine, _ = read_certificates("", here, lenient=True)
    if problems or not certificates:
        return Row(cluster, check, State.FAILED, "its cacerts has something else instead of a certificate")
    prints = [one_of.fingerprint[:23] for one_of in certificates]
    wanted = [one_of.fingerprint[:23] for one_of in mine]
    ends = min(one_of.not_after for one_of in certificates)
    if prints == wanted:
        return Row(cluster, check, State.OK, f"{prints[0]}..., until {ends:%Y-%m-%d}", until=ends)
    says = f"the cluster has {', '.join(prints)}..., but the repository {', '.join(wanted)}..."
    return Row(cluster, check, State.DIFFERS, says, hint, until=ends)


def _proxies(api: Api, plan: Plan, recorded: Recorded, seen: Seen) -> Iterator[Row]:
    """The roots that istiod gives to proxies. Without the committed root, proxies trust nobody in the mesh."""
    name = recorded.cluster.name
    if not plan.generation.publishes_roots or recorded.roots is None or recorded.cluster.is_external:
        return
    there = api.find(core("configmaps", plan.istio_namespace, _GIVEN))
    if there is None:
        return
    given, problems = read_certificates("", str(at(there, "data", _ROOT) or "").encode(), lenient=True)
    mine, _ = read_certificates("", recorded.roots, lenient=True)
    prints, wanted = ({one.fingerprint for one in some} for some in (given, mine))
    if problems or not prints & wanted:
        shown = ", ".join(sorted(one[:23] for one in prints)) or "no certificate"
        hint = (
            f"its istiod signs with another CA: check cacerts, and restart istiod if it is older: meshc doctor {name}"
        )
        yield Row(name, Check.PROXIES, State.FAILED, f"proxies trust {shown}, which isn't committed", hint)
    else:
        yield Row(name, Check.PROXIES, State.OK, f"{min(prints & wanted)[:23]}...")


def _remote_secrets(api: Api, plan: Plan, recorded: Recorded, seen: Seen) -> Iterator[Row]:
    """Only collects the secrets, because their content concerns other clusters (see `neighbours`)."""
    if not recorded.cluster.watched:
        return
    listed = api.listed(core("secrets", plan.istio_namespace), labelSelector="istio/multiCluster=true")
    named = [KUBECONFIG] if recorded.cluster.is_external else []
    named += [MOUNTED] if recorded.cluster.remote_secrets != "separate" else []
    found = [api.find(core("secrets", plan.istio_namespace, name)) for name in named]
    listed += [one for one in found if one]
    seen.secrets = listed
    yield from ()


def _authority(api: Api, plan: Plan, recorded: Recorded, seen: Seen) -> Iterator[Row]:
    """The CA that the cluster's own pods trust, to compare with the CA that primaries trust."""
    root = api.find(core("configmaps", plan.istio_namespace, "kube-root-ca.crt"))
    seen.ca = str(at(root, "data", "ca.crt") or "").encode()
    if not seen.ca:  # Kubernetes before 1.20
        try:
            account = look(api, plan.istio_namespace, account_of(plan.generation, recorded.cluster))
        except CaptureError:
            return
        seen.ca = account.tokens[0].ca if account.tokens else b""
    yield from ()


_STEPS: tuple[tuple[Check, Step], ...] = (
    (Check.ADDRESS, _addresses),
    (Check.CACERTS, _cacerts),
    (Check.PROXIES, _proxies),
    (Check.REMOTE_SECRETS, _remote_secrets),
    (Check.AUTHORITY, _authority),
)


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text or ""), validate=True)
    except (binascii.Error, ValueError):
        return b""
