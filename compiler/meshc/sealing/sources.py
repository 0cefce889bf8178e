"""Checks that the objects which decide whom istiod trusts come from the sealed files.

These objects are the CA that istiod signs with, the root that workloads trust, and the credentials of clusters that
istiod watches. meshc checks their sealed files against the common root, so no resource, chart or patch may create them.
With `ca.type: external`, a cluster's resources may contain one source of the CA.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import Body, Identity, as_list, at, identity_of, pods_in
from meshc.mesh.user_files import Manifest, objects_in
from meshc.plan.istiod_values import KUBECONFIG, MOUNTED, MOUNTED_AT, READS_FILES
from meshc.scanning.makes import Made, is_custom, made_by
from meshc.sealing.mounts import is_veiled, mounts, texts
from meshc.tree import HEADER
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.errors import Place, Problem
    from meshc.plan.files import UserFile, UserObject
    from meshc.plan.ir import ClusterPlan

LABEL = "istio/multiCluster"
"""The label by which istiod and Pilot find remote secrets."""
_CA = {"cacerts": "the CA that istiod signs with", "istiod-tls": "the certificate that istiod serves with"}
_SECRETS = {
    **_CA,
    "istio-ca-secret": "the CA that istiod makes for itself",
    KUBECONFIG: "the credentials of the config cluster",
    MOUNTED: "the credentials of other clusters",
}
_ROOTS = "istio-ca-root-cert"
_SETTINGS = {
    READS_FILES: "with which istiod 1.30 and later reads kubeconfigs only from files",
    "ROOT_CA_DIR": "with which istiod reads its CA elsewhere",
}
"""Variables of istiod."""


def reasons(body: Body, namespace: str) -> tuple[str, ...]:
    """How an object creates something that decides whom istiod in this namespace trusts; none for most objects.

    Each reason is a clause whose subject is the object: `makes the Secret istio-system/cacerts, ...`.
    """
    found = [reason for made in made_by(body) for reason in _of_made(made, namespace)]
    if is_custom(body) and _reaches(body, namespace):
        found += [f'has the text "{token}" for an operator that may make it' for token in _tokens(body)]
        if any(key == "cloneList" for key in texts(body)):
            found.append(f"copies Secrets into {namespace}, whatever their names")
    found += [f"sets {name}, {why}" for name, why in _SETTINGS.items() if _sets(body, name, namespace)]
    if is_veiled(body):
        found.append("is encrypted outside of a Secret's values, so that nobody can tell what Flux makes of it")
    found += mounts(body, namespace)
    return tuple(sorted(set(found)))


def _of_made(made: Made, namespace: str) -> Iterator[str]:
    where = f"in {made.namespace}" if made.namespace else "in every namespace"
    where += f" (by {made.by})" if made.by else ""
    here = made.namespace in (None, namespace)
    if made.kind == "Secret" and here and made.name in _SECRETS:
        yield f"makes the Secret {made.name} {where}, {_SECRETS[made.name]}"
    if made.kind == "Secret" and here and (made.labels is None or LABEL in made.labels):
        yield f"makes a remote secret {where}, whose cluster istiod watches"
    if made.kind == "ConfigMap" and made.name == _ROOTS:
        yield f"makes the ConfigMap {_ROOTS} {where}, the root that workloads trust"


def is_ca(body: Body, namespace: str) -> bool:
    """True if an object creates only the CA or the certificate of istiod: `ca.type: external` allows it."""
    made = [one for one in made_by(body) if any(_of_made(one, namespace))]
    return bool(made) and all(
        one.name in _CA and one.namespace == namespace and len([*_of_made(one, namespace)]) == 1 for one in made
    )


class Sources:
    """Finds objects that are a second source, in a mesh with this namespace of Istio and this ca.type.

    Many clusters have the same objects of charts and files, so each object is searched only once.
    """

    def __init__(self, namespace: str, ca: str) -> None:
        self._namespace, self._ca = namespace, ca
        self._known: dict[int, tuple[Body, tuple[str, ...]]] = {}

    def _reasons(self, body: Body) -> tuple[str, ...]:
        if id(body) not in self._known:
            self._known[id(body)] = body, reasons(body, self._namespace)  # the body is kept, so its id stays its own
        return self._known[id(body)][1]

    def in_resources(self, cluster: ClusterPlan) -> Iterator[Problem]:
        """Reports the user's resources that are a second source."""
        theirs = [(one, why) for _, one in _theirs(cluster) if (why := self._reasons(one.body))]
        makers = Counter(_name_of(one.body) for one, _ in theirs if is_ca(one.body, self._namespace))
        for one, why in theirs:
            what = f"{cluster.name}: {identity_of(one.body)} {why[0]}"
            hint = "remove it; what istiod trusts must come from sealed files: meshc ca, meshc secrets seal"
            if self._ca == "external" and is_ca(one.body, self._namespace):
                if makers[_name_of(one.body)] == 1:
                    continue
                hint = "keep one source for each cluster"
            elif self._ca != "external" and is_ca(one.body, self._namespace):
                hint += "; for a CA that another tool makes, write ca.type: external"
            yield codes.SECOND_SOURCE.at(one.place, what, hint, clusters=(cluster.name,))

    def in_chart(self, bodies: Iterable[Body], place: Place) -> Iterator[Problem]:
        """Reports the objects of a chart that are a second source with the given values."""
        for body in bodies:
            for reason in self._reasons(body)[:1]:
                hint = "change the values that create it"
                yield codes.SECOND_SOURCE.at(place, f"{identity_of(body)} {reason}", hint)


def ca_sources(cluster: ClusterPlan, namespace: str) -> list[str]:
    """The resources that create the cluster's CA, as `meshc plan` shows them."""
    return [
        f"{identity_of(one.body)} in {file.source}"
        for file, one in _theirs(cluster)
        if is_ca(one.body, namespace) and _name_of(one.body) == "cacerts"
    ]


_Acting = Mapping[Identity, tuple[tuple[str, ...], Any]]


class Changes:
    """Finds changes by patches of objects that decide whom istiod in this namespace trusts. Parses each text once."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._known: dict[bytes, _Acting] = {}

    def found(self, before: Iterable[bytes], after: Iterable[bytes]) -> Iterator[tuple[str, str]]:
        """The changes, each with a hint. `before` and `after` are the files of the overlay and the result of
        kustomize."""
        there, now = self._acting(before), self._acting(after)
        hint = "remove it from the patch; change the sealed file instead"
        for identity, (found, body) in now.items():
            if identity not in there:
                yield f"as patched, {identity} {found[0]}", hint
            elif there[identity] != (found, body):
                yield f"{identity}, which {found[0]}, is changed by a patch", hint
        for identity, (found, _) in there.items():
            if identity not in now:
                yield f"{identity}, which {found[0]}, is taken away by a patch", hint

    def _acting(self, files: Iterable[bytes]) -> _Acting:
        found: dict[Identity, tuple[tuple[str, ...], Any]] = {}
        for data in filter(is_telling, files):
            for text in data.split(b"\n---\n") if data.startswith(HEADER) else (data,):
                if text not in self._known:
                    self._known[text] = _acting(text, self._namespace) if is_telling(text) else {}
                found |= self._known[text]
        return found


def _acting(text: bytes, namespace: str) -> _Acting:
    """The objects with a reason, without the parts that a patch may change: labels and annotations."""
    found = {}
    for document in read(text, "")[0]:
        for _, _, body in objects_in([Manifest(document)]):
            if isinstance(body, dict) and (why := reasons(body, namespace)):
                metadata = body.get("metadata") or {}
                kept = {key: value for key, value in metadata.items() if key not in ("labels", "annotations")}
                found[identity_of(body)] = (why, {**body, "metadata": kept})
    return found


def is_telling(data: bytes) -> bool:
    """True for a file with a word that every object with a reason contains, in the style of meshc and kustomize. A
    quick check."""
    return any(word in data for word in _TELLING)


_NAMES = (*_SECRETS, _ROOTS)
_WORDS = (*_NAMES, LABEL, *_SETTINGS, "templateFrom", "cloneList", "ENC[", "sops:", "/etc", "/var/run/")
_TELLING = tuple(word.encode() for word in _WORDS)
_TOKEN = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, _NAMES))})(?![\w.-])|({re.escape(LABEL)})")


def _theirs(cluster: ClusterPlan) -> Iterator[tuple[UserFile, UserObject]]:
    for file in cluster.resources:
        for one in file.objects:
            if isinstance(one.body, dict):
                yield file, one


def _name_of(body: Body) -> str:
    """The name of the Secret that a source of the CA makes."""
    return next((made.name for made in made_by(body) if made.name in _CA), "")


def _tokens(body: Body) -> list[str]:
    return sorted({match[0] for text in texts(body) for match in _TOKEN.finditer(text)})


def _reaches(body: Body, namespace: str) -> bool:
    """True unless the object is in another namespace and doesn't name Istio's namespace."""
    return identity_of(body).namespace in ("", namespace) or any(namespace in text for text in texts(body))


def _sets(body: Body, name: str, namespace: str) -> bool:
    """True where a container, or a ConfigMap of Istio's namespace, sets a variable."""
    identity = identity_of(body)
    if identity.kind == "ConfigMap":
        data = body.get("data")
        return identity.namespace == namespace and isinstance(data, dict) and name in data
    containers = (one for pod in pods_in(body) for one in as_list(pod.get("containers")))
    variables = (variable for one in containers for variable in as_list(at(one, "env")))
    return any(at(one, "name") == name and at(one, "value") != _RIGHT.get(name, _NONE) for one in variables)


_RIGHT = {READS_FILES: MOUNTED_AT}
"""Settings by which istiod reads what meshc places, with that value."""
_NONE = object()
