"""rewrapping turns sealed files with other recipients than mesh.yaml's into ones with these. Ciphertext stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.kube import at
from meshc.seal import sops
from meshc.seal.contract import SealError
from meshc.trust import proofs
from meshc.yamltext.read import read
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.hidden import Hidden
    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed
    from meshc.seal.work import Work


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """One file: who may open it from now on, and who no longer."""

    path: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


def sealed_body(data: bytes | None) -> Body | None:
    """The one object in a sealed file; None where there is none."""
    documents, problems = read(data, "") if data else ((), ())
    body = documents[0].data if len(documents) == 1 and not problems else None
    return body if isinstance(body, dict) else None


def rewrap(work: Work, needs: Iterable[SecretNeed], identities: Sequence[Hidden]) -> list[Rewrapped]:
    """Brings every sops file to its cluster's recipients. Raises SealError where none of the identities opens one.

    Whoever was a recipient before could open the file, and can still open it in Git's history.
    """
    done = []
    for need in needs:
        path = work.sealed(need.file)
        body = sealed_body(work.read(path))
        if body is None or body.get("kind") != "Secret" or not need.recipients:
            continue
        after = tuple(sorted(need.recipients))
        try:
            before = sops.recipients_of(body)
            if before == after and _is_whole(body):
                continue
            wrapped = sops.rewrap(body, identities, after)
        except SealError as error:
            raise SealError(f"{path}: {error}") from None
        metadata = wrapped.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
        if metadata and isinstance(annotations, dict):
            envelope = proofs.of_envelope(wrapped["sops"])
            anew = {proofs.RECIPIENTS: proofs.of_recipients(after), proofs.ENVELOPE: envelope}
            annotations = {**annotations, **{key: value for key, value in anew.items() if key in annotations}}
            wrapped = {**wrapped, "metadata": {**metadata, "annotations": annotations}}
        work.write(path, write(wrapped).encode())
        done.append(Rewrapped(path, tuple(sorted({*after} - {*before})), tuple(sorted({*before} - {*after}))))
    return done


def _is_whole(body: Body) -> bool:
    """Whether the sops block is the one that was sealed, as far as an annotation tells."""
    said = at(body, "metadata", "annotations", proofs.ENVELOPE)
    return said is None or said == proofs.of_envelope(body["sops"])
