"""place turns a need and the committed file for it into the object to lay out, or into problems. It needs no key."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc import codes
from meshc.errors import Place, Problem, Severity
from meshc.secrets.contract import with_annotations
from meshc.secrets.guard import plaintext_in
from meshc.yamltext import read

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed
    from meshc.secrets.contract import Form


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of one need: its object, or the text of what is waited for, or neither."""

    body: Body | None = None
    pending: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Sealed:
    """The committed material: sealed files, public certificates, how to show a path, where mesh.yaml names the folder."""

    files: Mapping[str, bytes]
    certificates: Mapping[str, bytes]
    folder: str
    named: Place


def place(need: SecretNeed, sealed: Sealed, forms: Mapping[str, Form]) -> Placed:
    """The sealed object for a need, verbatim but for annotations that meshc adds. Never holds or prints a plain value."""
    data = sealed.files.get(need.file)
    shown = posixpath.join(sealed.folder, need.file)
    if data is None:
        if not need.required:
            return Placed(pending=need.pending)
        what = f"{need.cluster} has no sealed {need.kind}: {shown} is missing"
        hint = f"seal a Secret {need.namespace}/{need.name} with {', '.join(sorted((*need.keys, *need.public)))} into that file"
        return Placed(problems=(codes.CACERTS_MISSING.at(sealed.named, what, hint, clusters=(need.cluster,)),))
    if leaks := tuple(plaintext_in(data, shown, codes.PLAINTEXT, (need.cluster,))):
        return Placed(problems=leaks)
    documents, problems = read(data, shown)
    if problems:
        return Placed(problems=problems)
    if len(documents) != 1 or not isinstance(documents[0].data, dict):
        what = f"{need.kind}: {len(documents)} documents where one sealed Secret is expected"
        return Placed(problems=(codes.SEALED_UNREADABLE.at(Place(shown, 1, 1), what, "seal one Secret a file", clusters=(need.cluster,)),))
    document = documents[0]
    kind = document.data.get("kind")
    form = forms.get(kind) if isinstance(kind, str) else None
    if form is None or not isinstance(document.data.get("metadata"), dict):
        what = f"{need.kind}: this is no {', '.join(forms)} with metadata"
        return Placed(problems=(codes.SEALED_UNREADABLE.at(document.place(("kind",)), what, "seal it again", clusters=(need.cluster,)),))
    certificates = {key: sealed.certificates[path] for key in need.public if (path := _public_path(need, key)) in sealed.certificates}
    found = tuple(form.check(need, document, certificates))
    if any(problem.severity is Severity.ERROR for problem in found):
        return Placed(problems=found)
    return Placed(body=with_annotations(document.data, need.added), problems=found)


def _public_path(need: SecretNeed, key: str) -> str:
    return key if key == "root-cert.pem" else f"{need.cluster}/{key}"


def unused(needs: Iterable[SecretNeed], sealed: Sealed, primaries: Iterable[str]) -> Iterable[Problem]:
    """Sealed files that no cluster needs: of a removed cluster, under a wrong name, or of the primary itself."""
    wanted = {need.file for need in needs}
    local = {f"{primary}/remote-secret-{primary}.yaml": primary for primary in primaries}
    for file in sealed.files.keys() - wanted:
        place = Place(posixpath.join(sealed.folder, file), 1, 1)
        if file in local:
            what = f"a remote secret for {local[file]} in {local[file]} itself: Istio always knows its own cluster"
            hint = "delete the file; classic Istio's pilot would list every service twice, or crash"
            yield codes.LOCAL_REMOTE_SECRET.at(place, what, hint, clusters=(local[file],))
        else:
            what = "nothing in this mesh needs this file, so it isn't placed"
            hint = "delete it if its cluster is gone; names are <cluster>/cacerts.yaml and <primary>/remote-secret-<remote>.yaml"
            yield codes.SEALED_UNUSED.at(place, what, hint)
