"""Lists every Secret that a cluster needs, and whether it is sealed, for whom, and whether it is stale. Decrypts
nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from meshc.issuing import authorities
from meshc.issuing.cacerts import CA, CHAIN, ROOTS
from meshc.issuing.ending import NEVER, UNKNOWN, expiring, note_of, notes_of, time_of
from meshc.issuing.rewrapping import sealed_body
from meshc.kube import at
from meshc.lowering import needs_of
from meshc.plain import count
from meshc.plan.unknown import some
from meshc.sealing.registry import BY_KIND
from meshc.trust import proofs
from meshc.trust.keys import IssueError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meshc.issuing.work import Work
    from meshc.kube import Body
    from meshc.plan.ir import Plan
    from meshc.plan.needs import SecretNeed


@dataclass(frozen=True, slots=True)
class Standing:
    """One needed Secret. `form` is the kind of the sealed object, "-" without one; `end` comes from its annotation.

    `of` are the clusters whose credentials it contains. An `optional` Secret doesn't exist, and nothing needs it.
    """

    cluster: str
    file: str
    state: str
    form: str = "-"
    opened_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    end: str = ""
    of: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The row as data; every key is always there."""
        return {
            "cluster": self.cluster,
            "file": self.file,
            "form": self.form,
            "state": self.state,
            "openedBy": self.opened_by,
            "notes": self.notes,
            "notAfter": self.end,
        }

    @property
    def group(self) -> object:
        """Equal for credentials, or for CAs, that a long table shows in one row."""
        return self.cluster if self.of else "", self.form, self.state, self.opened_by, self.notes


def standings(work: Work, now: datetime) -> list[Standing]:
    """One row for each needed Secret, in the order of the plan."""
    return [replace(_standing(work, need, now), of=tuple(need.of)) for need in needs_of(work.plan)]


def _standing(work: Work, need: SecretNeed, now: datetime) -> Standing:
    path = work.sealed(need.file)
    data = work.read(path)
    if data is None:
        return Standing(need.cluster, path, "missing" if need.required else "pending" if need.of else "optional")
    body = sealed_body(data) or {}
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in BY_KIND or not isinstance(body.get("metadata"), dict):
        return Standing(need.cluster, path, "unreadable", kind if isinstance(kind, str) else "-")
    sealed = BY_KIND[kind].standing(need, body, work.sealing_certificate(work.plan.cluster(need.cluster)))
    state = sealed.state
    notes = []
    if need.name == "cacerts" and state == "sealed":
        try:
            state = "stale: certificate" if _other_certificate(work, need, body) else state
        except IssueError as error:
            state, notes = "certificate unreadable", [error.what]
    end = note_of(body)
    if need.grows:
        return Standing(need.cluster, path, state, kind, sealed.opened_by, *_of_many(need, body, now))
    notes += _end_told(end, now)
    return Standing(need.cluster, path, state, kind, sealed.opened_by, tuple(notes), end)


def _of_many(need: SecretNeed, body: Body, now: datetime) -> tuple[tuple[str, ...], str]:
    """The text for credentials of many clusters: missing ones, those that expire soon, and the first expiry."""
    noted = notes_of(need, body)
    lacking = [name for name in need.of if name not in noted]
    notes = [f"holds {len(noted)} of {count(len(need.of), 'cluster')}"]
    notes += [f"lacks {some(lacking)}"] if lacking else []
    ends = {name: end for name, text in noted.items() if (end := time_of(text)) is not None}
    notes += [f"{name}: {_end_told(noted[name], now)[0]}" for name, end in ends.items() if expiring(end, now)]
    unknown = sum(text == UNKNOWN for text in noted.values())
    first = min(ends, key=ends.__getitem__, default="")
    return tuple(notes), noted[first] if first else UNKNOWN if unknown else NEVER


def _end_told(noted: str, now: datetime) -> list[str]:
    """The expiry in the annotation of the sealed file, which isn't decrypted."""
    end = time_of(noted)
    if end is None:
        return ["has no end"] if noted == NEVER else ["its expiry is unknown"]
    if end <= now:
        return [f"has ended ({end:%Y-%m-%d})"]
    return [f"ends in {(end - now).days} days ({end:%Y-%m-%d})" if expiring(end, now) else f"ends {end:%Y-%m-%d}"]


def _other_certificate(work: Work, need: SecretNeed, body: Body) -> bool:
    """True if the sealed CA isn't the cluster's certificate in Git. Raises IssueError if a certificate can't be
    read."""
    noted = at(body, "metadata", "annotations", proofs.CA)
    paths = [work.certificate(CA, need.cluster), work.certificate(CHAIN, need.cluster), work.certificate(ROOTS)]
    certificate, chain, roots = map(work.read, paths)
    if not noted or certificate is None:
        return False
    authorities.stop_on_unreadable(work, need.cluster)
    return bool(proofs.of_ca(certificate, chain or certificate, roots or b"")[proofs.CA] != noted)


def owners(plan: Plan) -> Callable[[Sequence[str]], str]:
    """A function that says who can decrypt a file: the recipients of the mesh, or those of one cluster.

    A recipient that isn't in mesh.yaml is shown in full.
    """
    lists = {cluster.name: frozenset(cluster.sealing.recipients) for cluster in plan.clusters}
    of_mesh = frozenset.intersection(*lists.values())
    own = {one: name for name, recipients in lists.items() for one in recipients - of_mesh}

    def whose(readers: Sequence[str]) -> str:
        groups = Counter("the mesh" if one in of_mesh else own.get(one, one) for one in readers)
        return ", ".join(f"{group} ({number} keys)" if number > 1 else group for group, number in groups.items())

    return whose
