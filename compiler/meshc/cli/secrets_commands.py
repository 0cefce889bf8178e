"""What the commands of `meshc secrets` do: they read, call `seal/` and `secrets/`, write all or nothing, and tell."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshc.cli.ca_commands import opened_work, read_given
from meshc.cli.report import Format, count, say, show_result, tell, warn
from meshc.cli.table import Line, show_table
from meshc.commands.accepting import accept
from meshc.errors import RefusedError, UsageError
from meshc.hidden import Hidden
from meshc.kube import at
from meshc.pipeline import needs_of
from meshc.plain import plain
from meshc.seal import authorities, issuing, recipients
from meshc.seal.age import identities_in
from meshc.seal.cacerts import CA, CHAIN, KEY, ROOTS, Authority
from meshc.seal.ending import NEVER, expiring, note_of, time_of
from meshc.seal.given import Given, given, remote_of
from meshc.seal.remote import seal_remote, stop_on_sealed
from meshc.seal.rewrapping import rewrap, sealed_body
from meshc.seal.verified import lasting, parts_of, stop_on_faults
from meshc.sealedtext import is_encrypted
from meshc.trust import proofs
from meshc.trust.keys import IssueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan
    from meshc.plan.needs import SecretNeed
    from meshc.seal.work import Work


def seal_command(
    file: Path, source: Path, cluster: str | None, remote: str | None, replace: bool, accepted: bool
) -> None:
    """Seals what was handed over for everyone who needs it: all files, or none."""
    work = opened_work(file, writes=True)
    handed = given(Hidden(read_given(source)))
    if handed.keys is not None:
        places = _seal_cacerts(work, handed.keys, cluster, replace, accepted)
    else:
        places = _seal_remote(work, handed, cluster, remote, replace, accepted)
    recipients.update_rules(work, places)
    changed = work.commit()
    for path in changed:
        tell(f"wrote {path}")
    tell("next: meshc compile")


def _seal_remote(
    work: Work, handed: Given, primary: str | None, asked: str | None, replace: bool, accepted: bool
) -> list[ClusterPlan]:
    remote = remote_of(work.plan, handed, asked)
    outcome = seal_remote(work, needs_of(work.plan), handed, remote, primary, replace, accepted, datetime.now(UTC))
    for each in outcome.owed:
        say(f"  {each}")
    warn(outcome.warning)
    return outcome.places


def _seal_cacerts(
    work: Work, keys: Mapping[str, Hidden], cluster: str | None, replace: bool, accepted: bool
) -> list[ClusterPlan]:
    if cluster is None:
        raise UsageError("it isn't told which cluster this cacerts is of\n  hint: --cluster NAME")
    (chosen,) = issuing.signing(work.plan, [cluster])
    missing = [name for name in (CA, CHAIN, ROOTS, KEY) if name not in keys]
    if missing:
        raise UsageError(f"the cacerts has no {', '.join(missing)}")
    need = next(need for need in needs_of(work.plan) if need.cluster == cluster and need.name == "cacerts")
    stop_on_sealed(work, need, replace)
    authority = Authority(keys[CA].reveal(), keys[CHAIN].reveal(), keys[ROOTS].reveal())
    stop_on_faults(work.plan, chosen, authority)
    ending = lasting(parts_of(authority), datetime.now(UTC))
    recipients.stop_on_new(work, needs_of(work.plan), [chosen], accepted)
    issuing.place(work, chosen, authority, keys[KEY], datetime.now(UTC))
    for warning in ending:
        say(f"warning: {plain(warning)}")
    return [chosen]


def accept_command(file: Path, sealed: Path, source: Path | None) -> None:
    """Takes what `kubeseal --re-encrypt` made into one sealed file."""
    work = opened_work(file, writes=True)
    given = read_given(source) if source else None
    accepted = accept(work, sealed, given, file.parent, datetime.now(UTC))
    tell(f"wrote {accepted.path}" if accepted.changed else f"{accepted.path} has this ciphertext already")
    tell("meshc can't open it: whether it opens shows in the cluster; next: meshc compile")


def status_command(file: Path, form: Format) -> None:
    """One row a need. Nothing is opened."""
    work = opened_work(file, writes=False)
    rows = [_row(work, need) for need in needs_of(work.plan)]
    if form is Format.JSON:
        show_result("secrets status", {"mesh": work.plan.mesh, "secrets": rows})
        return
    show_table(
        ("FILE", "FORM", "STATE", "OPENED BY"),
        (Line((row["file"], row["form"], row["state"], ", ".join(row["openedBy"])), row["notes"]) for row in rows),
    )


def _row(work: Work, need: SecretNeed) -> dict[str, Any]:
    path = work.sealed(need.file)
    data = work.read(path)
    row = {"cluster": need.cluster, "file": path, "form": "-", "state": "", "openedBy": [], "notes": [], "notAfter": ""}
    if data is None:
        return row | {"state": "missing" if need.required else "pending"}
    body = sealed_body(data) or {}
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in _STANDINGS or not isinstance(body.get("metadata"), dict):
        return row | {"form": kind if isinstance(kind, str) else "-", "state": "unreadable"}
    state, opened = _STANDINGS[kind](work, need, body)
    notes = []
    if need.name == "cacerts" and state == "sealed":
        try:
            state = "stale: certificate" if _other_certificate(work, need, body) else state
        except IssueError as error:
            state, notes = "certificate unreadable", [str(error)]
    end = note_of(body)
    notes += _end_told(end, datetime.now(UTC))
    return row | {"form": kind, "state": state, "openedBy": opened, "notes": notes, "notAfter": end}


def _end_told(noted: str, now: datetime) -> list[str]:
    """What is noted of the end beside the sealed value: nobody has opened it."""
    end = time_of(noted)
    if end is None:
        return ["has no end"] if noted == NEVER else ["its end is unknown"]
    if end <= now:
        return [f"has ended ({end:%Y-%m-%d})"]
    return [f"ends in {(end - now).days} days ({end:%Y-%m-%d})" if expiring(end, now) else f"ends {end:%Y-%m-%d}"]


def _sops(work: Work, need: SecretNeed, body: Body) -> tuple[str, list[str]]:
    entries = at(body, "sops", "age")
    named = [at(one, "recipient") for one in (entries if isinstance(entries, tuple) else ())]
    readers = [one for one in named if isinstance(one, str)]
    opened = [f"{one[:16]}..." if len(one) > 24 else one for one in readers]
    if not is_encrypted(at(body, "sops", "mac")):
        return "not sealed", opened
    return "stale: recipients" if need.recipients and set(readers) != set(need.recipients) else "sealed", opened


def _sealed_secret(work: Work, need: SecretNeed, body: Body) -> tuple[str, list[str]]:
    noted = at(body, "metadata", "annotations", proofs.SEALING_CERTIFICATE)
    certificate = work.sealing_certificate(work.plan.cluster(need.cluster))
    stale = noted and certificate and sha256(certificate).hexdigest() != noted
    return "stale: sealing certificate" if stale else "sealed", [f"controller of {need.cluster}"]


def _external_secret(work: Work, need: SecretNeed, body: Body) -> tuple[str, list[str]]:
    store = at(body, "spec", "secretStoreRef", "name")
    return ("sealed", [f"store {store}"]) if isinstance(store, str) else ("unreadable", [])


_STANDINGS = {"Secret": _sops, "SealedSecret": _sealed_secret, "ExternalSecret": _external_secret}


def _other_certificate(work: Work, need: SecretNeed, body: Body) -> bool:
    """Raises IssueError where a certificate can't be read."""
    noted = at(body, "metadata", "annotations", proofs.CA)
    paths = [work.certificate(CA, need.cluster), work.certificate(CHAIN, need.cluster), work.certificate(ROOTS)]
    certificate, chain, roots = map(work.read, paths)
    if not noted or certificate is None:
        return False
    authorities.stop_on_unreadable(work, need.cluster)
    return bool(proofs.of_ca(certificate, chain or certificate, roots or b"")[proofs.CA] != noted)


def rewrap_command(file: Path, names: Sequence[str], identity: Path | None, accepted: bool) -> None:
    """Every file that is to be changed is opened first: all of them are written, or none."""
    work = opened_work(file, writes=True)
    known = [cluster.name for cluster in work.plan.clusters]
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f'there is no cluster "{unknown[0]}"\n  hint: clusters: {", ".join(known)}')
    if identity is None:
        raise UsageError("a private key is needed to let others in\n  hint: --identity FILE, as age-keygen writes it")
    needs = [need for need in needs_of(work.plan) if not names or need.cluster in names]
    done = rewrap(work, needs, identities_in(Hidden(read_given(identity))))
    added = sorted({one for each in done for one in each.added})
    if added and not accepted:
        listed = "\n".join(f"  {one[:80]}" for one in added)
        raise RefusedError(f"recipients who could not open these files so far:\n{listed}\n  hint: --accept-recipients")
    rewrapped = {each.path for each in done}
    inside = {need.cluster for need in needs if work.sealed(need.file) in rewrapped}
    recipients.update_rules(work, [cluster for cluster in work.plan.clusters if cluster.name in inside])
    work.commit()
    for each in done:
        new = ", its ciphertext is new" if each.rotated else ""
        tell(f"rewrapped {each.path}: {len(each.added)} added, {len(each.removed)} removed{new}")
    tell(f"{count(len(done), 'file')} rewrapped" + ("; next: meshc compile" if done else ""))
    if any(each.removed for each in done):
        say("who was removed can still open what Git's history keeps: issue CAs and make credentials anew")
