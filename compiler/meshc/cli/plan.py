"""`meshc plan`: shows what mesh.yaml means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.pending import grouped
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, show_problems, show_result, tell
from meshc.commands.compiling import compiled_unrendered
from meshc.commands.focus import Focus
from meshc.commands.opened import Opened
from meshc.plain import plain
from meshc.plan.as_json import as_json
from meshc.plan.delivered import Delivery
from meshc.plan.ir import ClusterPlan, Plan
from meshc.plan.shared_values import CLUSTER_LOCAL
from meshc.plan.unknown import some
from meshc.sealing.sources import ca_sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from meshc.commands.clusters import Choice


def plan_command(file: Path, choice: Choice, form: Format) -> None:
    """Prints the plan, as text or as JSON."""
    compiled = compiled_unrendered(Opened(file, listener=TERMINAL))
    focus = Focus.on(compiled.plan, choice)
    plan, pending, problems = (
        focus.plan(compiled.plan),
        focus.pending(compiled.pending),
        focus.problems(compiled.problems),
    )
    if focus.left:
        TERMINAL.note(f"  note: {focus.left}")
    if form.is_document:
        show_result(form, "plan", {**as_json(plan), "pending": pending}, problems)
        return
    for line in lines(plan, compiled.plan):
        tell(plain(line))
    for line in grouped(pending):
        tell(f"pending: {line}")
    show_problems(problems, form, file)


def lines(plan: Plan, whole: Plan) -> Iterator[str]:
    """The plan as text: the mesh, then a paragraph for each cluster, then the shared copies and the delivery.

    `whole` is the plan with all clusters.
    """
    yield f"mesh {plan.mesh}: {plan.generation}, mesh ID {plan.mesh_id}"
    yield f"namespace {plan.istio_namespace}, trust domain {plan.trust_domain}" + (
        f" (and {', '.join(plan.trust_domain_aliases)})" if plan.trust_domain_aliases else ""
    )
    if plan.cluster_domain != CLUSTER_LOCAL:
        yield f"Services in {plan.cluster_domain}"
    yield f"mutual TLS {plan.mutual_tls}, control-plane TLS {'on' if plan.control_plane_tls else 'off'}, CA {plan.ca}"
    for network in plan.networks:
        if network.gateway:
            called = f"network {network.name}{_but(network.label, network.name)}"
            yield f"{called}, gateway{'s' * bool(network.more)} {', '.join(network.hosts)}"
    for cluster in plan.clusters:
        yield ""
        yield from _cluster(cluster, whole)
    for base in plan.bases:
        yield ""
        yield f"services {base.name}: {', '.join(f'{c.namespace}/{c.name}' for c in base.copies)}"
        yield f"  copied to  {some(base.clients)}"
    if plan.delivery:
        yield from _delivery(plan.delivery)


def _but(label: str, name: str) -> str:
    return "" if label == name else f" (label {label})"


def _cluster(cluster: ClusterPlan, plan: Plan) -> Iterator[str]:
    kubernetes = f"Kubernetes {cluster.kubernetes.major}.{cluster.kubernetes.minor}"
    yield f"{cluster.name}: {cluster.role}, Istio {cluster.istio}, {kubernetes}" + (
        f", network {cluster.network}" if cluster.network else ""
    )
    if cluster.id != cluster.name:
        yield f"  ID         {cluster.id}"
    if cluster.revision != "default" or cluster.control_planes:
        yield f"  revision   {cluster.revision}"
    for plane in cluster.control_planes:
        reached = f" ({plane.attachment.addresses['istiod']})" if plane.attachment else ""
        yield f"  also       revision {plane.revision}, Istio {plane.istio}{reached}"
    for tag, revision in cluster.revision_tags.items():
        yield f"  tag        {tag}, for revision {revision}"
    yield from _connections(cluster, plan)
    yield from _content(cluster, plan)


def _connections(cluster: ClusterPlan, plan: Plan) -> Iterator[str]:
    """How the cluster is connected with others."""
    if cluster.attachment:
        addresses = ", ".join(f"{part} {address}" for part, address in cluster.attachment.addresses.items())
        yield f"  primary    {cluster.attachment.primary} ({addresses})"
        if cluster.attachment.injection_url:
            yield f"  injector   {cluster.attachment.injection_url}"
        yield f"  injection  {cluster.injection}"
    if cluster.delivered_by and plan.delivery and cluster.delivered_by != _delivered_by(plan.delivery, cluster):
        yield f"  delivery   by {cluster.delivered_by}"
    if cluster.remotes:
        yield f"  remotes    {some(cluster.remotes)}"
    if cluster.is_external:
        yield f"  config     in {cluster.config_cluster}"
    if cluster.watched != cluster.remotes:
        yield f"  watches    {some(cluster.watched)}"
    if cluster.watched and cluster.remote_secrets != "separate":
        also = ", and a Secret for each cluster" * (cluster.remote_secrets == "both")
        yield f"  secrets    one mounted Secret with all credentials{also}"
    if exposure := cluster.exposure:
        reached = ", ".join(f"{part} {address or 'has no address yet'}" for part, address in exposure.addresses.items())
        yield f"  exposure   {exposure.kind} ({reached})"
    yield from _gateway(cluster, plan)
    if cluster.ambient:
        network = cluster.ambient.network
        yield f"  ambient    {f'gateway of network {network}' if network else 'in this cluster'}"


def _gateway(cluster: ClusterPlan, plan: Plan) -> Iterator[str]:
    """The gateway that has to run here, or in another cluster of the network; nothing if this cluster needs none."""
    gateway = cluster.gateway
    if not gateway:
        return
    network = next((one for one in plan.networks if one.name == gateway.network), None)
    elsewhere = network and network.gateway and not gateway.doors
    if elsewhere and not gateway.istiod:
        return
    others = [
        (one.name, one.gateway)
        for one in plan.clusters
        if one.name != cluster.name and one.gateway and one.gateway.doors and one.gateway.network == gateway.network
    ]
    runs_here = gateway.istiod or gateway.rendered or not others or bool(network and network.more)
    if not runs_here and any(other.istiod or other.rendered for _, other in others):
        return
    ways = [f"network {gateway.network}"] * (gateway.network is not None) + ["istiod"] * gateway.istiod
    where = "" if runs_here else f", here or in {some([name for name, _ in others])}"
    yield f"  gateway    {'ingress' if cluster.is_external else 'east-west'}, for {' and '.join(ways)}{where}"


def _content(cluster: ClusterPlan, plan: Plan) -> Iterator[str]:
    """The content of the cluster: namespaces, charts, files of the user, copies."""
    if cluster.charts:
        yield f"  charts     {', '.join(f'{one.chart} ({one.namespace}/{one.release})' for one in cluster.charts)}"
    if cluster.cacerts != "none":
        yield f"  cacerts    {cluster.cacerts}"
    for source in ca_sources(cluster, plan.istio_namespace):
        yield f"  cacerts    by {source}"
    yield f"  namespaces {', '.join(_namespace(n.name, n.labels) for n in cluster.namespaces)}"
    copies = [*cluster.bases, *(f"{c.namespace}/{c.name}" for c in cluster.copies)]
    if copies:
        yield f"  copies     {some(copies)}"
    for patch in cluster.patches:
        yield f"  patch      {patch.file.source}"
    for file in cluster.resources:
        yield f"  resource   {file.source}"
    for component in cluster.components:
        yield f"  component  {component.source}"


def _delivered_by(delivery: Delivery, cluster: ClusterPlan) -> str:
    """The engine's name or Secret for this cluster if mesh.yaml names none."""
    pattern = delivery.flux.kube_config_secret if delivery.flux else "{cluster}"
    return pattern.replace("{cluster}", cluster.name)


def _delivery(delivery: Delivery) -> Iterator[str]:
    yield ""
    where = f" in {delivery.runs_in}" if delivery.runs_in else ""
    yield f"delivery by {delivery.engine}{where}, namespace {delivery.namespace}"
    if delivery.repo_url:
        yield f"  repository {delivery.repo_url}, revision {delivery.revision}"
    yield f"  path       {delivery.path}"
    if delivery.project:
        yield f"  project    {delivery.project}"
    if delivery.signature_keys:
        yield f"  signed by  {some(delivery.signature_keys)}, which must be in ConfigMap argocd-gpg-keys-cm"
    if flux := delivery.flux:
        yield f"  source     {flux.source}" + (f" (Secret {flux.source_secret})" if flux.source_secret else "")
        yield f"  mode       {flux.mode}, every {flux.interval}"
        if flux.mode == "hub":
            yield f"  kubeconfig {flux.kube_config_secret}"
        yield f"  age key    {flux.decryption_secret}"


def _namespace(name: str, labels: object) -> str:
    marks = [f"{key.rpartition('/')[2]}={value}" for key, value in labels.items()] if isinstance(labels, dict) else []
    return f"{name} ({', '.join(marks)})" if marks else name
