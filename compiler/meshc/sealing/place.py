"""Returns the committed object for a Secret that a cluster needs, or problems. It needs no key."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc import codes
from meshc.errors import Place, Problem, Rename, Severity
from meshc.kube import at, keys_in
from meshc.nearest import slip
from meshc.scanning.guard import plaintext_in
from meshc.sealing import proofs
from meshc.sealing.registry import BY_KIND
from meshc.sealing.sealed import in_its_form, path_of, with_annotations
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set

    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed
    from meshc.scanning.guard import Search
    from meshc.yamltext.document import Document


@dataclass(frozen=True, slots=True)
class Placed:
    """The result for one need: the object, texts about what is pending, and problems."""

    bodies: tuple[Body, ...] = ()
    pending: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Sealed:
    """The sealed files and certificates, the folder's name in messages, and the function that searches them for plain
    secrets."""

    files: Mapping[str, bytes]
    certificates: Mapping[str, bytes]
    folder: str
    search: Search = plaintext_in


def place(need: SecretNeed, sealed: Sealed, cluster: Place) -> Placed:
    """The sealed object for a need, verbatim except for meshc's annotations. Never prints a value.

    `cluster` is where mesh.yaml names the cluster that needs it.
    """
    data = sealed.files.get(need.file)
    shown = posixpath.join(sealed.folder, need.file)
    if data is None:
        missing = (_missing(need, shown, cluster),) if need.required else ()
        return Placed(pending=need.waiting(), problems=missing)
    document, problems = _one_object(need, data, shown, sealed.search)
    if document is None:
        return Placed(problems=problems)
    kind = document.data.get("kind")
    form = BY_KIND.get(kind) if isinstance(kind, str) else None
    if form is None or not isinstance(document.data.get("metadata"), dict):
        what = f"{need.kind}: this is neither {' nor '.join(BY_KIND)} with metadata"
        hint = f"seal a Secret {need.namespace}/{need.name} into this file"
        return Placed(problems=(_unreadable(need, document.place(("kind",)), what, hint),))
    need = in_its_form(need, document.data)
    certificates = {
        key: sealed.certificates[path] for key in need.public if (path := path_of(need, key)) in sealed.certificates
    }
    found = tuple(form.check(need, document, certificates))
    if not _has_errors(found):
        found += tuple(proofs.check(need, form, document, sealed.certificates))
    if _has_errors(found):
        return Placed(problems=found)
    lacking = need.waiting(keys_in(document.data)) if need.grows else ()
    return Placed((with_annotations(document.data, need.added),), lacking, found)


def _missing(need: SecretNeed, shown: str, cluster: Place) -> Problem:
    what = f"{need.cluster} has no sealed {need.kind}: {shown} is missing"
    keys = ", ".join(sorted((*need.keys, *need.public)))
    hint = (
        f"make the CA: meshc ca issue {need.cluster}; or seal one that you have, a Secret "
        f"{need.namespace}/{need.name} with {keys}: meshc secrets seal FILE --cluster {need.cluster}"
    )
    return codes.CACERTS_MISSING.at(cluster, what, hint, clusters=(need.cluster,))


def _one_object(
    need: SecretNeed, data: bytes, shown: str, search: Search
) -> tuple[Document | None, tuple[Problem, ...]]:
    """The only object in a file, if the file has no plain secret; otherwise the problems."""
    if leaks := tuple(search(data, shown, codes.PLAINTEXT, (need.cluster,))):
        return None, leaks
    documents, problems = read(data, shown)
    if problems:
        return None, problems
    if len(documents) == 1 and isinstance(documents[0].data, dict):
        return documents[0], ()
    held = f"{len(documents)} documents" if len(documents) > 1 else "no object" if documents else "nothing"
    what = f"{need.kind}: {held} where one sealed Secret is expected"
    return None, (_unreadable(need, Place(shown, 1, 1), what, "seal one Secret per file"),)


def _unreadable(need: SecretNeed, place: Place, what: str, hint: str) -> Problem:
    return codes.SEALED_UNREADABLE.at(place, what, hint, clusters=(need.cluster,))


def _has_errors(problems: Iterable[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)


def unused(needs: Iterable[SecretNeed], sealed: Sealed, primaries: Iterable[str]) -> Iterable[Problem]:
    """Reports sealed files that nothing needs: files of removed clusters, with wrong names, or with credentials of the
    primary itself."""
    wanted = {need.file for need in needs}
    local = {f"{primary}/remote-secret-{primary}.yaml": primary for primary in primaries}
    for file in sealed.files.keys() - wanted:
        shown = posixpath.join(sealed.folder, file)
        place = Place(shown, 1, 1)
        yield from _readable(sealed.files[file], shown)
        if file in local:
            what = f"a remote secret for {local[file]} in itself: Istio always knows its own cluster"
            hint = "delete the file; classic Istio's pilot would list every service twice, or crash"
            yield codes.LOCAL_REMOTE_SECRET.at(place, what, hint, clusters=(local[file],))
        else:
            what = "nothing in this mesh needs this file, so meshc doesn't use it"
            fix = None
            hint = "delete it, or name it <cluster>/cacerts.yaml (with ca.type plugged-in)"
            hint += (
                " or <primary>/remote-secret-<remote>.yaml, with istio.remoteSecrets <primary>/remote-kubeconfigs.yaml"
            )
            if (meant := f"{posixpath.splitext(file)[0]}.yaml") != file and meant in wanted:
                fix = Rename(posixpath.join(sealed.folder, meant)) if meant not in sealed.files else None
                hint = f"rename it to {posixpath.join(sealed.folder, meant)}"
            elif close := _meant(file, wanted - sealed.files.keys()):
                hint += f"; did you mean {posixpath.join(sealed.folder, close)}?"
            yield codes.SEALED_UNUSED.at(place, what, hint, fix=fix)


def _meant(file: str, missing: Set[str]) -> str:
    """The same name in the folder of another cluster, or a slip; never the credentials of another cluster."""
    moved = [one for one in missing if posixpath.basename(one) == posixpath.basename(file)]
    close = slip(file, missing)
    return moved[0] if len(moved) == 1 else str(close.value) if close else ""


def _readable(data: bytes, shown: str) -> Iterable[Problem]:
    """Finds plain secrets in a file that no cluster uses, because it is committed too."""
    if leaks := tuple(plaintext_in(data, shown, codes.PLAINTEXT)):
        yield from leaks
        return
    for document in read(data, shown)[0]:
        body = document.data
        if isinstance(body, dict) and body.get("kind") == "Secret" and at(body, "data") and not at(body, "sops", "mac"):
            what = "there is no sops block with a mac, so nothing here is encrypted"
            hint = "encrypt it with sops, and replace the key or token: anyone may have read what was committed"
            yield codes.NOT_SEALED.at(document.place(()), what, hint)
