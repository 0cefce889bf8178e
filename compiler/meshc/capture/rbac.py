"""Writes manifests with the least rights that a command needs in live clusters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from meshc.capture.dry_run import RBAC
from meshc.capture.kinds import KINDS, KUBEADM
from meshc.components.contract import OURS, thing
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.kube import Body


class Asker(StrEnum):
    """The commands that read live clusters."""

    DOCTOR = "doctor"
    CAPTURE = "capture"
    ADOPT = "adopt"


@dataclass(frozen=True, slots=True)
class Right:
    """Verbs on one kind of object. `place` is a namespace, empty for all; `names`, if not empty, restricts the rule to
    these objects."""

    verbs: tuple[str, ...]
    plural: str
    place: str = ""
    group: str = ""
    names: tuple[str, ...] = ()

    def rule(self) -> dict[str, list[str]]:
        """The rule of a role."""
        rule = {"apiGroups": [self.group], "resources": [self.plural], "verbs": list(self.verbs)}
        return {**rule, "resourceNames": list(self.names)} if self.names else rule


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine that applies output/ in the mesh, and the namespace of its objects."""

    namespace: str
    plural: str
    group: str


@dataclass(frozen=True, slots=True)
class Of:
    """The settings of a mesh on which the rights depend: Istio's namespace, the engine, whether addresses belong to
    pods.

    `old` is true for clusters before Kubernetes 1.20, where only a token Secret contains the CA. `kinds` are the kinds
    of objects in output/ by group: these objects are read one by one. `tried` is true for a dry run.
    """

    istio: str
    engine: Engine | None = None
    pods: bool = False
    old: bool = False
    kinds: tuple[tuple[str, str], ...] = ()
    tried: bool = False


ARGO_CD, FLUX = ("applications", "argoproj.io"), ("kustomizations", "kustomize.toolkit.fluxcd.io")


def rights(asker: Asker, of: Of) -> list[Right]:
    """The rights of a command."""
    istio, engine = of.istio, of.engine
    if asker is Asker.ADOPT:
        return [*_of_adopt(istio), Right(("list",), "secrets", istio)]
    engines = [Right(("get",), engine.plural, engine.namespace, engine.group)] if engine else []
    both = [
        *([Right(("list",), "pods", istio)] if of.pods or of.kinds else []),
        Right(("list",), "services", istio),
        Right(("get", "list"), "secrets", istio),
        *([Right(("get",), "serviceaccounts", istio)] if of.old or asker is Asker.CAPTURE else []),
        Right(("get",), "configmaps", istio, names=("kube-root-ca.crt", "istio-ca-root-cert")),
    ]
    if asker is Asker.DOCTOR:
        return [*both, *engines, *_of_objects(of)]
    return [
        *both,
        Right(("create", "delete"), "secrets", istio),
        Right(("create",), "serviceaccounts/token", istio),
        Right(("list",), "deployments", istio, "apps"),
        Right(("get",), "namespaces", names=(istio,)),
        Right(("list",), "nodes"),
        Right(("list",), "servicecidrs", group="networking.k8s.io"),
        Right(("list",), "services"),
        Right(("get",), "services", "default", names=("kubernetes",)),
        Right(("get",), "configmaps", "kube-system", names=(KUBEADM,)),
    ]


def _of_objects(of: Of) -> Iterator[Right]:
    """Rights to read the objects of output/, and the metrics of istiod."""
    for group, kind in of.kinds:
        verbs = ("get", "patch") if of.tried and group != RBAC else ("get",)
        yield Right(verbs, _plural(kind), "", group)
    if of.kinds:
        yield Right(("get",), "pods/proxy", of.istio)


def _plural(kind: str) -> str:
    """The plural, as Kubernetes and Istio form it: endpoints, gateways, meshpolicies."""
    word = kind.lower()
    if word.endswith("s"):
        return word if word == "endpoints" else f"{word}es"
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2] not in "aeiou" else f"{word}s"


def _of_adopt(istio: str) -> Iterator[Right]:
    places = {"everywhere": "", "istio": istio, "kubeadm": "kube-system"}
    for kind in KINDS:
        names = (KUBEADM,) if kind.where == "kubeadm" else ()
        yield Right(("get",) if names else ("list",), kind.plural, places[kind.where], kind.group, names)


def manifests(asker: Asker, of: Of) -> str:
    """A ServiceAccount with exactly these rights, as YAML."""
    return account(f"meshc-{asker}", of.istio, rights(asker, of))


def account(name: str, home: str, found: Sequence[Right]) -> str:
    """A ServiceAccount in the namespace `home` with these rights, as YAML."""
    bodies = [thing("v1", "ServiceAccount", name, home, labels=OURS)]
    for place in dict.fromkeys(right.place for right in found):
        bodies += _bound(name, home, place, [right for right in found if right.place == place])
    return "---\n".join(write(body) for body in bodies)


def _bound(name: str, istio: str, place: str, found: Sequence[Right]) -> Iterator[Body]:
    """A role and its binding, in a namespace or in none."""
    kind = "Role" if place else "ClusterRole"
    rules: list[Any] = [right.rule() for right in found]
    yield thing(f"{RBAC}/v1", kind, name, place, labels=OURS, rules=rules)
    yield thing(
        f"{RBAC}/v1",
        f"{kind}Binding",
        name,
        place,
        labels=OURS,
        roleRef={"apiGroup": RBAC, "kind": kind, "name": name},
        subjects=[{"kind": "ServiceAccount", "name": name, "namespace": istio}],
    )
