"""Checks the annotations that sealing wrote into a file, and reports those that don't match any more. Needs no key and
no clock.

What was sealed can't be opened here, but its digests can be computed again, and a signature can be verified. Anyone can
make the annotations, except the binding. So only a missing binding is a finding; other missing annotations are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import at
from meshc.mesh.hosts import same_server, url_fault
from meshc.sealedtext import service_of
from meshc.sealing.sealed import is_mapping, path_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from meshc.errors import Code, Problem
    from meshc.plan.needs import SecretNeed
    from meshc.sealing.contract import Backend
    from meshc.yamltext.document import Document

_OURS = "meshc/"
_PATH = ("metadata", "annotations")
_NAMED, _SHOWN = 3, 16
"""How many recipients a message names at most, and how many characters of each."""


def check(need: SecretNeed, form: Backend, document: Document, certificates: Mapping[str, bytes]) -> Iterator[Problem]:
    """The problems that the annotations of a valid sealed file show.

    `certificates` is the whole folder of certificates. Never raises, whatever the annotations hold.
    """
    annotations = at(document.data, *_PATH)
    said = {k: v for k, v in annotations.items() if k.startswith(_OURS)} if is_mapping(annotations) else {}
    file = _File(need, document, said, form.blobs(document.data), certificates)
    recipients = list(_recipients(file, form.recipients(document.data)))
    yield from recipients
    yield from _unbound(file)
    if said:  # else cryptography needn't be loaded
        yield from _ciphertext(file, others=bool(recipients))
        yield from _authority(file)
        yield from _server(file)


@dataclass(frozen=True, slots=True)
class _File:
    """A sealed file, and the values to compare its annotations with."""

    need: SecretNeed
    document: Document
    said: Mapping[str, Any]
    blobs: Mapping[str, str]
    certificates: Mapping[str, bytes]

    def problem(self, code: Code, key: str, what: str, hint: str) -> Problem:
        """A problem at an annotation, or at the metadata if there is no such annotation."""
        place = self.document.place((*_PATH, key) if key else ("metadata",))
        return code.at(place, f"{self.need.kind}: {what}", hint, clusters=(self.need.cluster,))


def _recipients(file: _File, there: tuple[str, ...] | None) -> Iterator[Problem]:
    """Checks that the file's recipients are those in mesh.yaml, and that nobody was added or removed later."""
    from_mesh, cluster, key = file.need.recipients, file.need.cluster, f"{_OURS}recipients-sha256"
    if there is None:
        return
    missing, extra = sorted({*from_mesh} - {*there}), sorted({*there} - {*from_mesh})
    by_sops = any(service_of(one) != "age" for one in missing)
    first = f"sops updatekeys {file.document.file} (.sops.yaml names them), then " if by_sops else ""
    hint = f"run {first}meshc secrets rewrap, or correct the recipients of {cluster} in mesh.yaml"
    if from_mesh and (missing or extra):
        lacks = f"{_counted(missing)} of mesh.yaml missing" if missing else ""
        has = f"{_counted(extra)} too many" if extra else ""
        what = f"{file.need.kind}: its recipients aren't those of {cluster}: {', '.join(filter(None, (lacks, has)))}"
        yield codes.RECIPIENTS_DIFFER.at(file.document.place(("sops", "age")), what, hint, clusters=(cluster,))
    elif key in file.said:
        from meshc.trust.proofs import of_recipients

        if file.said[key] != of_recipients(there):
            what = f"{key} isn't the digest of its recipients, so they were changed after it was sealed"
            yield file.problem(codes.RECIPIENTS_DIFFER, key, what, hint)


def _counted(recipients: Collection[str]) -> str:
    """The number of recipients, and the beginning of some. Recipients are public."""
    shown = [one if len(one) <= _SHOWN else f"{one[:_SHOWN]}..." for one in list(recipients)[:_NAMED]]
    return f"{len(recipients)} ({', '.join([*shown, '...'] if len(recipients) > _NAMED else shown)})"


def _unbound(file: _File) -> Iterator[Problem]:
    need = file.need
    if need.binding == "none" or not file.blobs or f"{_OURS}binding" in file.said:
        return
    hint = f"seal it by meshc ca issue --force {need.cluster}, or by meshc ca import for a CA made elsewhere"
    what = f"nothing proves that its {need.keys[0]} belongs to the certificate of {need.cluster}"
    if need.binding == "required":
        what += ", which requireBinding requires"
        yield file.problem(codes.BINDING_REQUIRED, "", what, hint)
    else:
        yield file.problem(codes.BINDING_MISSING, "", what, hint)


def _ciphertext(file: _File, *, others: bool) -> Iterator[Problem]:
    """Checks that the ciphertext is unchanged, and sealed to the controller's current certificate."""
    from meshc.trust.proofs import BLOB, ENVELOPE, SEALING_CERTIFICATE, of_blobs, of_envelope

    cluster = file.need.cluster
    if BLOB in file.said and file.said[BLOB] != of_blobs(file.blobs):
        what = f"{BLOB} isn't the digest of its ciphertext: one of the two was exchanged"
        hint = "restore the file from Git, or seal it again; find out who changed it"
        taken = {
            "SealedSecret": f"; after kubeseal --re-encrypt: meshc secrets accept {file.document.file}",
            "Secret": f"; after sops rotate: meshc secrets rewrap {cluster} --identity FILE",
        }
        hint += taken.get(file.document.data["kind"], "")
        yield file.problem(codes.BLOB_EXCHANGED, BLOB, what, hint)
    block = at(file.document.data, "sops")
    is_other = ENVELOPE in file.said and is_mapping(block) and file.said[ENVELOPE] != of_envelope(block)
    if is_other and not others:  # other recipients are reported as MESH420
        what = f"{ENVELOPE} isn't the digest of its sops block: the MAC or a wrapped key is from another version"
        hint = (
            "restore the file of one branch: a mixture can't be decrypted; after sops updatekeys: meshc secrets rewrap"
        )
        yield file.problem(codes.BLOB_EXCHANGED, ENVELOPE, what, hint)
    certificate = file.certificates.get(path := f"{cluster}/sealing-cert.pem")
    if certificate is None or SEALING_CERTIFICATE not in file.said:
        return
    if file.said[SEALING_CERTIFICATE] != sha256(certificate).hexdigest():
        what = f"it was sealed to another certificate than {path} in the folder of certificates"
        hint = (
            f"seal it again, or kubeseal --re-encrypt and meshc secrets accept {file.document.file}; "
            f"the certificate of the controller in {cluster}: kubeseal --fetch-cert"
        )
        yield file.problem(codes.SEALING_CERTIFICATE_DIFFERS, SEALING_CERTIFICATE, what, hint)


def _authority(file: _File) -> Iterator[Problem]:
    """Checks that the CA's key was sealed for the certificates in the folder, by somebody who had this key."""
    from meshc.trust.issue import IssueError, one
    from meshc.trust.proofs import BINDING, CA, KEY, NOT_AFTER, ROOT, of_ca
    from meshc.trust.rotation import roots_above

    need, said = file.need, file.said
    about = [key for key in (CA, KEY, ROOT, NOT_AFTER, BINDING) if key in said]
    if need.binding == "none" or not about:
        return
    cluster, hint = need.cluster, f"restore what it was sealed for, or run meshc ca issue --force {need.cluster}"
    names = [path_of(need, name) for name in ("ca-cert.pem", "cert-chain.pem", "root-cert.pem")]
    if missing := [name for name in names if name not in file.certificates]:
        what = f"it can't be compared with {missing[0]}, which isn't in the folder of certificates"
        yield file.problem(codes.PROOF_STALE, about[0], what, hint)
        return
    ca, chain, bundle = (file.certificates[name] for name in names)
    try:
        facts = of_ca(ca, chain, bundle)
        roots = roots_above(ca, chain, bundle)
        right = {key: {value} for key, value in facts.items()} | {
            ROOT: {one(root, names[2]).fingerprint for root in roots}
        }
        bound = BINDING not in said or any(_bound(file, said[BINDING], ca, root) for root in roots)
    except (IssueError, ValueError):
        what = f"it can't be compared with {', '.join(names)}: their own problems are reported there"
        yield file.problem(codes.PROOF_STALE, about[0], what, hint)
        return
    if stale := [key for key in about if key != BINDING and not _among(said[key], right[key])]:
        what = f"{', '.join(stale)}: not from {names[0]}, so the file was sealed for another certificate"
        yield file.problem(codes.PROOF_STALE, stale[0], what, hint)
    if not bound:
        what = f"its binding isn't a signature of {cluster}'s CA over this ciphertext, certificate and root"
        moved = f"restore the file of {cluster} from Git; its author lacked the key, or moved another cluster's file"
        yield file.problem(codes.BINDING_WRONG, BINDING, what, hint if stale else moved)


def _among(value: Any, right: Iterable[str]) -> bool:
    return any(value == one for one in right)  # a list can't be looked up in a set


def _bound(file: _File, signature: Any, ca: bytes, root: bytes) -> bool:
    from meshc.trust.binding import state, verify

    blob = file.blobs.get(file.need.keys[0])
    if blob is None or not isinstance(signature, str):
        return False
    return verify(ca, state(file.need.cluster, blob, ca, root), signature)


def _server(file: _File) -> Iterator[Problem]:
    """Checks that the credentials are for the API servers in mesh.yaml."""
    from meshc.trust.proofs import REMOTES, SERVER, of_each

    key = REMOTES if file.need.grows else SERVER
    each = of_each(file.said.get(REMOTES)) if file.need.grows else {}
    for remote, wanted in file.need.servers.items():
        said = each.get(file.need.of[remote], {}) if file.need.grows else file.said
        server = said.get(SERVER)
        if SERVER not in said or _is_same(server, wanted):
            continue
        what = f"{SERVER} isn't the apiServer of {remote} in mesh.yaml, {wanted}"
        hint = f"seal credentials of {remote} itself, or correct its apiServer"
        yield file.problem(codes.SERVER_DIFFERS, key, what, hint)


def _is_same(server: Any, wanted: str) -> bool:
    return isinstance(server, str) and not url_fault(server) and same_server(server) == same_server(wanted)
