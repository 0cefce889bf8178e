"""What must happen at the proxies after each step of replacing a root, and the commands that show it.

Istio's own test waits until `istioctl proxy-config secret` shows another certificate. Its table shows only the first of
several roots, so the commands here count the roots in its JSON output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.commands.root_waits import BY, RESTARTED, span, why
from meshc.plan.lifetime import AT_ONCE, lifetime_of
from meshc.trust.rotation import Action

if TYPE_CHECKING:
    from meshc.plan.ir import Plan
    from meshc.plan.lifetime import Lifetime

_WHAT = {
    Action.TRUST_BOTH: "before the next step every proxy must trust both roots",
    Action.REISSUE: "before the next step every workload must have a certificate under the new root",
    Action.DROP_OLD: "proxies trust the old root until they have received this change",
}
_NEXT = {Action.TRUST_BOTH: Action.REISSUE, Action.REISSUE: Action.DROP_OLD}


def after(plan: Plan, action: Action, *, sent: bool) -> list[str]:
    """What to do, to wait for and to check after a step is committed.

    `sent` is true if istiod already sent roots to the pods before this step.
    """
    lifetime = lifetime_of(plan)
    sent = sent and lifetime.sent
    found = ["next: meshc compile, commit, sync every cluster"]
    if not plan.generation.reads_changed_ca:
        found += ["Citadel reads its CA when it starts: restart it in every cluster"]
    elif action is not Action.REISSUE and not sent:
        found += ["istiod takes another root at run time only with ISTIO_MULTIROOT_MESH=true: otherwise restart it"]
    found += [f"{_WHAT[action]}: {why(lifetime, at_once=sent)}"]
    found += [f"  see: {command}" for command in _shown_by(plan, lifetime, action)]
    if action in _NEXT:
        lasts = span(AT_ONCE if sent else lifetime.longest)
        found += [f"then, {lasts} after that commit: {BY[_NEXT[action]]}", f"  or sooner: {RESTARTED}"]
        found += [f"  restart them: {command}" for command in _restarts(plan)]
    return found


def _shown_by(plan: Plan, lifetime: Lifetime, action: Action) -> list[str]:
    """The commands that show the certificates of workloads."""
    if plan.generation.writes_certificate_secrets:
        return [_of_secrets(action)]
    return [_of_sidecars(action), *([_of_ztunnels(plan)] if lifetime.ambient else [])]


def _of_sidecars(action: Action) -> str:
    """A command that reads from Envoy: the roots that it trusts, or when it got its own certificate."""
    one = ".dynamicActiveSecrets[] | select(.name == "
    asked = f"istioctl proxy-config secret POD.NAMESPACE -o json | jq -r '{one}\""
    if action is Action.REISSUE:
        return f"{asked}default\").lastUpdated'   # later than the sync"
    shows = "2: both roots" if action is Action.TRUST_BOTH else "1: the new root"
    return f"{asked}ROOTCA\").secret.validationContext.trustedCa.inlineBytes' | base64 -d | grep -c BEGIN   # {shows}"


def _of_ztunnels(plan: Plan) -> str:
    return f"istioctl ztunnel-config certificates ZTUNNEL-POD.{plan.istio_namespace} -o json"


def _of_secrets(action: Action) -> str:
    part = "cert-chain" if action is Action.REISSUE else "root-cert"
    return f"kubectl get secret istio.ACCOUNT -n NAMESPACE -o jsonpath='{{.data.{part}\\.pem}}' | base64 -d"


def _restarts(plan: Plan) -> list[str]:
    """Commands that make proxies request certificates now. Citadel creates a deleted certificate Secret again."""
    if plan.generation.writes_certificate_secrets:
        return ["kubectl delete secret --all-namespaces --field-selector type=istio.io/key-and-cert, then the pods"]
    ambient = any(cluster.ambient for cluster in plan.clusters)
    found = ["kubectl rollout restart deployment,statefulset,daemonset -n NAMESPACE, gateways too"]
    return [*found, f"kubectl rollout restart daemonset ztunnel -n {plan.istio_namespace}"] if ambient else found
