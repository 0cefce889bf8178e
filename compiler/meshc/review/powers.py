"""Lists the powers that an object gives, as facts to compare before and after a change.

The rules search the content of an object, so they also work for kinds that meshc doesn't know: containers in every pod
spec, `repoURL` in every source. A fact is a clause whose subject is the object, with a value that changes together with
the fact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from meshc.kube import SECRETS, Body, as_list, at, identity_of, pods_in
from meshc.review.walk import Facts, texts, values_of
from meshc.scanning.makes import copies, is_custom
from meshc.sealedtext import decoded
from meshc.trust.certificates import read

_ALIASES = re.compile(r"trustDomainAliases:\s*+((?:\s*+-\s*+\S++)++|\[[^\]]++(?:\]|\Z))")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_CALLS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "APIService", "CustomResourceDefinition")
_CODE = ("EnvoyFilter", "WasmPlugin", "ProxyConfig", "MutatingAdmissionPolicy", "ValidatingAdmissionPolicy")
_ISTIO = "networking.istio.io"
_ROUTES = (_ISTIO, "gateway.networking.k8s.io", "networking.k8s.io/Ingress", "networking.k8s.io/IngressClass")


ROUTES = "decides where traffic"
SELECTS = "sends traffic to other pods than before"
"""A fact that is only reported for an object that existed before."""


def trusted(body: Body) -> Facts:
    """What others trust because of the object: certificates of CAs, issuers of tokens and certificates, trust
    domains."""
    facts: Facts = {}
    identity = identity_of(body)
    if identity.kind in _CALLS or identity.kind in SECRETS:
        return facts  # `runs` reports the servers of webhooks; CAs of clusters are compared one by one
    for text in texts(body):
        for pem in _PEM.findall(text if "BEGIN CERT" in text else decoded(text).decode("ascii", "ignore")):
            lines = "".join(f"{line.strip()}\n" for line in pem.splitlines()).encode()
            for one in read("", lines, lenient=True)[0]:
                facts[f"trusts the CA {one.subject}, sha256 {one.fingerprint[:23]}..."] = ""
        for alias in _ALIASES.findall(text):
            facts["accepts identities of other trust domains"] = " ".join(alias.split())
    for _, alias in values_of(body, "trustDomainAliases"):
        facts["accepts identities of other trust domains"] = _json(alias)
    for rule in as_list(at(body, "spec", "jwtRules")):
        facts[f"accepts tokens of {at(rule, 'issuer')}"] = _json(rule)
    if identity.kind.endswith("Issuer"):
        facts["issues certificates"] = _json(body.get("spec"))
    return facts


def runs(body: Body) -> Facts:
    """The code that the object runs, and who may change objects that others apply."""
    facts: Facts = {}
    identity = identity_of(body)
    for pod in pods_in(body):
        facts |= {f"runs a pod with {key}": "" for key in ("hostPID", "hostIPC", "hostNetwork") if pod.get(key) is True}
        if account := pod.get("serviceAccountName"):
            facts[f"runs as service account {account}"] = ""
        for field in ("containers", "initContainers", "ephemeralContainers"):
            for container in as_list(pod.get(field)):
                facts |= _container(container)
    for _, path in values_of(body, "hostPath"):
        facts[f"mounts {at(path, 'path')} of the node"] = ""
    if is_custom(body):
        for _, image in values_of(body, "image"):
            facts |= _image(image)
    if identity.kind in _CODE or "wasm" in identity.kind.lower():
        facts["changes what proxies or the API server run"] = _json(body.get("spec"))
    for where, client in values_of(body, "clientConfig"):
        if isinstance(client, Mapping):
            target = client.get("url") or "/".join(str(at(client, "service", key)) for key in ("namespace", "name"))
            facts[f"sends API objects to {target}"] = where[0] if where else ""
    if identity.kind == "APIService" and (service := at(body, "spec", "service")):
        facts[f"answers API requests with Service {at(service, 'namespace')}/{at(service, 'name')}"] = ""
    for rule in _rules(body):
        if rule.allows("pods/exec", "pods/attach", "nodes/proxy", "pods/ephemeralcontainers"):
            facts["lets somebody run commands in pods"] = ""
        if rule.allows("serviceaccounts/token") or rule.verbs & {"impersonate", "escalate", "bind"}:
            facts["lets somebody act as another account"] = ""
    return facts


def _container(container: Any) -> Facts:
    facts: Facts = {}
    context = at(container, "securityContext")
    if at(context, "privileged") is True:
        facts["runs a privileged container"] = ""
    for name in as_list(at(context, "capabilities", "add")):
        facts[f"adds the capability {name}"] = ""
    if command := at(container, "command"):
        facts["sets the command of a container"] = _json(command)
    return facts | _image(at(container, "image"))


def _image(image: Any) -> Facts:
    """The image without its tag and digest, because another version isn't reported."""
    if not isinstance(image, str) or not image:
        return {}
    repository = image.partition("@")[0]
    cut = repository.rfind(":")
    return {f"runs the image {repository[:cut] if cut > repository.rfind('/') else repository}": ""}


def reads_secrets(body: Body) -> Facts:
    """Who can read Secrets because of the object, or where it sends Secrets."""
    facts: Facts = {}
    identity = identity_of(body)
    for rule in _rules(body):
        if rule.allows("secrets") and rule.verbs & {"get", "list", "watch", "*"}:
            names = ", ".join(rule.names) or "all names"
            facts[f"lets somebody read Secrets ({names})"] = ""
    role = at(body, "roleRef", "name")
    if role in ("cluster-admin", "admin", "edit"):
        who = sorted(
            f"{at(one, 'kind')} {at(one, 'namespace') or ''}/{at(one, 'name')}" for one in as_list(body.get("subjects"))
        )
        facts[f"gives {', '.join(who)} the role {role}"] = ""
    if identity.kind.endswith("SecretStore"):
        facts["connects to a secret store"] = _json(body.get("spec"))
    if identity.kind == "PushSecret":
        facts["sends Secrets to a secret store"] = _json(body.get("spec"))
    if "ExternalSecret" in identity.kind or "Vault" in identity.kind:
        for _, key in (*values_of(body, "remoteRef"), *values_of(body, "extract"), *values_of(body, "find")):
            facts[f"reads {at(key, 'key') or 'keys that match a rule'} from a secret store"] = _json(key)
    annotations = at(body, "metadata", "annotations")
    for key, value in annotations.items() if isinstance(annotations, dict) else ():
        if copies(str(key)):
            facts[f"is copied to other namespaces because of {key}"] = str(value)
    for pod in pods_in(body):
        for name in sorted(_mounted(pod) & {"cacerts", "istio-ca-secret", "istio-kubeconfig"}):
            facts[f"reads the Secret {name}"] = ""
    return facts


def routes(body: Body, expected: frozenset[str]) -> Facts:
    """The destinations to which the object sends traffic. `expected` are the addresses in mesh.yaml, which aren't
    reported."""
    identity = identity_of(body)
    kind = f"{identity.group}/{identity.kind}"
    facts: Facts = {}
    if kind.startswith(_ROUTES) and identity.kind not in _CODE:
        hosts = at(body, "spec", "hosts") or at(body, "spec", "hostnames") or at(body, "spec", "host") or ()
        named = ", ".join(str(one) for one in as_list(hosts) or (hosts,) if one)
        facts[f"{ROUTES}{f' for {named}' if named else ''} goes"] = _json(body.get("spec"))
    for label in ("istio.io/use-waypoint", "istio.io/ingress-use-waypoint"):
        if waypoint := at(body, "metadata", "labels", label):
            facts[f"sends its traffic through the waypoint {waypoint}"] = ""
    if identity.kind in ("EndpointSlice", "Endpoints"):
        found = {str(one) for _, many in values_of(body, "addresses") for one in as_list(many)}
        found |= {str(one) for _, one in values_of(body, "ip")}
        facts |= {f"sends traffic to {address}": "" for address in sorted(found - expected)}
    if kind == "/Service":
        if name := at(body, "spec", "externalName"):
            facts[f"sends traffic to {name}"] = ""
        for address in as_list(at(body, "spec", "externalIPs")):
            facts[f"receives the traffic for {address}"] = ""
        if selector := at(body, "spec", "selector"):
            facts[SELECTS] = _json(selector)
    return facts


def syncs(body: Body) -> Facts:
    """The sources that an engine applies because of the object."""
    facts: Facts = {}
    identity = identity_of(body)
    parts = ("path", "targetRevision", "ref", "patches")
    part = [value for key in parts for _, value in values_of(body.get("spec"), key)]
    for _, url in values_of(body, "repoURL"):
        facts[f"applies objects from {url}"] = _json(part)
    for _, source in (*values_of(body, "sourceRef"), *values_of(body, "chartRef")):
        facts[f"applies objects from {at(source, 'kind')} {at(source, 'name')}"] = _json([source, part])
    for field in ("url", "endpoint", "repo"):
        if identity.group.endswith((".fluxcd.io", ".cattle.io", ".gke.io")) and (url := at(body, "spec", field)):
            facts[f"gets objects to apply from {url}"] = _json(part)
    return facts


class _Rule:
    """One rule of a role."""

    def __init__(self, rule: Mapping[str, Any]) -> None:
        self.verbs = {str(one) for one in as_list(rule.get("verbs"))}
        self.names = tuple(str(one) for one in as_list(rule.get("resourceNames")))
        self._resources = {str(one) for one in as_list(rule.get("resources"))}

    def allows(self, *resources: str) -> bool:
        """True if the rule covers one of the resources."""
        return bool(self._resources & {*resources, "*"})


def _rules(body: Body) -> Iterator[_Rule]:
    if identity_of(body).group == "rbac.authorization.k8s.io":
        for rule in as_list(body.get("rules")):
            if isinstance(rule, Mapping):
                yield _Rule(rule)


def _mounted(pod: Mapping[str, Any]) -> set[str]:
    volumes = as_list(pod.get("volumes"))
    found = [at(volume, "secret", "secretName") for volume in volumes]
    found += [at(one, "secret", "name") for volume in volumes for one in as_list(at(volume, "projected", "sources"))]
    found += [at(reference, "name") for _, reference in (*values_of(pod, "secretKeyRef"), *values_of(pod, "secretRef"))]
    return {name for name in found if isinstance(name, str)}


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
