"""Changes the recipients of sealed files to those in mesh.yaml. The ciphertext stays the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.issuing.cacerts import CA, CHAIN, KEY, ROOTS
from meshc.kube import at
from meshc.sealedtext import SERVICES, listed, named, service_of
from meshc.sealing import sops, sops_file
from meshc.sealing.contract import SealError
from meshc.trust import binding, proofs
from meshc.trust.issue import key_fits
from meshc.trust.keys import IssueError
from meshc.trust.rotation import roots_above
from meshc.yamltext.read import read
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.hidden import Hidden
    from meshc.issuing.work import Work
    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """The result for one file: the added and the removed recipients, and whether its ciphertext is new (`sops
    rotate`)."""

    path: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    rotated: bool


def sealed_body(data: bytes | None) -> Body | None:
    """The one object in a sealed file; None where there is none."""
    documents, problems = read(data, "") if data else ((), ())
    body = documents[0].data if len(documents) == 1 and not problems else None
    return body if isinstance(body, dict) else None


def rewrap(work: Work, needs: Iterable[SecretNeed], identities: Sequence[Hidden]) -> list[Rewrapped]:
    """Changes every sops file to its cluster's recipients. Raises SealError if no identity opens a file.

    A file that `sops updatekeys` or `sops rotate` changed gets new annotations after meshc has decrypted it and
    verified its MAC. A former recipient could open the file, and can still open it in Git's history.
    """
    done = []
    for need in needs:
        path = work.sealed(need.file)
        body = sealed_body(work.read(path))
        if body is None or body.get("kind") != "Secret" or not need.recipients:
            continue
        try:
            before = sops_file.recipients_of(body)
            # only sops can add a key of another service than age; a compile reports missing ones (MESH420)
            after = tuple(sorted(one for one in need.recipients if service_of(one) == "age" or one in before))
            rotated = _is_rotated(body)
            if before == after and not rotated and _is_whole(body):
                continue
            wrapped = sops_file.rewrap(_without_others(body, after), identities, after)
            anew = _of_ciphertext(work, need, body, sops_file.open_(wrapped, identities, after)) if rotated else {}
        except (SealError, IssueError) as error:
            raise SealError(f"{path}: {error}") from None
        metadata = wrapped.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
        if metadata and isinstance(annotations, dict):
            envelope = proofs.of_envelope(wrapped["sops"])
            anew |= {proofs.RECIPIENTS: proofs.of_recipients(after), proofs.ENVELOPE: envelope}
            annotations = {**annotations, **{key: value for key, value in anew.items() if key in annotations}}
            wrapped = {**wrapped, "metadata": {**metadata, "annotations": annotations}}
        work.write(path, write(wrapped).encode())
        added, removed = sorted({*after} - {*before}), sorted({*before} - {*after})
        done.append(Rewrapped(path, tuple(added), tuple(removed), rotated))
    return done


def _without_others(body: Body, recipients: Collection[str]) -> Body:
    """The Secret without keys of other services than age that are no recipients any more."""
    block = dict(body["sops"])
    for service in SERVICES:
        kept = [
            one
            for one in listed(block.get(service))
            if not service_of(name := named(service, one)) or name in recipients
        ]
        if kept:
            block[service] = kept
        elif service in block:
            del block[service]
    return {**body, "sops": block}


def _is_rotated(body: Body) -> bool:
    """True if the annotation shows that the ciphertext was changed after it was sealed."""
    said = at(body, "metadata", "annotations", proofs.BLOB)
    return said is not None and isinstance(body.get("data"), dict) and said != proofs.of_blobs(sops.blobs(body))


def _of_ciphertext(work: Work, need: SecretNeed, body: Body, opened: Mapping[str, Hidden]) -> dict[str, str]:
    """The digest of the ciphertext, and for a CA also a new signature by the CA's key."""
    blobs = sops.blobs(body)
    found = {proofs.BLOB: proofs.of_blobs(blobs)}
    if need.binding == "none" or at(body, "metadata", "annotations", proofs.BINDING) is None:
        return found
    names = (work.certificate(CA, need.cluster), work.certificate(CHAIN, need.cluster), work.certificate(ROOTS))
    ca, chain, bundle = (work.read(name) or b"" for name in names)
    roots = roots_above(ca, chain, bundle)
    if not roots or KEY not in opened or not key_fits(ca, opened[KEY]):
        raise SealError(f"its key doesn't belong to {names[0]}", "restore the file from Git")
    statement = binding.state(need.cluster, blobs[KEY], ca, roots[0])
    return found | {proofs.BINDING: binding.sign(opened[KEY], statement)}


def _is_whole(body: Body) -> bool:
    """True if the annotation shows that the sops block is unchanged since it was sealed."""
    said = at(body, "metadata", "annotations", proofs.ENVELOPE)
    return said is None or said == proofs.of_envelope(body["sops"])
