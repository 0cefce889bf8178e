"""What the commands of `meshc secrets` do: they read, call `seal/` and `secrets/`, write all or nothing, and tell."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshc.cli.ca_commands import opened_work, read_given
from meshc.cli.report import Format, count, say, show_json, tell
from meshc.errors import ProblemsError, RefusedError, Severity, UsageError
from meshc.hidden import Hidden
from meshc.pipeline import needs_of
from meshc.seal import issuing, recipients
from meshc.seal.age import identities_in
from meshc.seal.cacerts import CA, CHAIN, KEY, ROOTS, Authority
from meshc.seal.given import Given, given, remote_of
from meshc.seal.remote import seal_remote, stop_on_sealed
from meshc.seal.rewrapping import rewrap, sealed_body
from meshc.trust import proofs
from meshc.trust.verify import ClusterFiles, verify

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshc.plan.ir import ClusterPlan
    from meshc.plan.needs import SecretNeed
    from meshc.seal.work import Work


def seal_command(
    file: Path, source: Path, cluster: str | None, remote: str | None, replace: bool, accepted: bool
) -> None:
    """Seals what was handed over for everyone who needs it: all files, or none."""
    work = opened_work(file)
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
    places, notes = seal_remote(
        work, needs_of(work.plan), handed, remote, primary, replace, accepted, datetime.now(UTC)
    )
    for note in notes:
        say(f"  {note}")
    return places


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
    files = ClusterFiles(cluster, (CA, authority.certificate), (CHAIN, authority.chain))
    problems = verify((ROOTS, authority.roots), [files], generation=work.plan.generation)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise ProblemsError(problems)
    recipients.stop_on_new(work, needs_of(work.plan), [chosen], accepted)
    issuing.place(work, chosen, authority, keys[KEY], datetime.now(UTC))
    return [chosen]


def status_command(file: Path, form: Format) -> None:
    """One row a need. Nothing is opened."""
    work = opened_work(file)
    rows = [_row(work, need) for need in needs_of(work.plan)]
    if form is Format.JSON:
        show_json({"mesh": work.plan.mesh, "secrets": rows})
        return
    for row in rows:
        tell(f"{row['file']:<44} {row['form']:<15} {row['state']:<28} {', '.join(row['openedBy'])}")


def _row(work: Work, need: SecretNeed) -> dict[str, Any]:
    path = work.sealed(need.file)
    data = work.read(path)
    body = sealed_body(data)
    kind = str(body.get("kind")) if body else ""
    opened: list[str] = []
    state = "sealed" if body else "unreadable" if data else "missing" if need.required else "pending"
    if body and kind == "Secret":
        entries = (body.get("sops") or {}).get("age") or ()
        readers = [str(one.get("recipient", "")) for one in entries if isinstance(one, dict)]
        opened = [f"{one[:16]}..." if len(one) > 24 else one for one in readers]
        if need.recipients and set(readers) != set(need.recipients):
            state = "stale: recipients"
    elif body and kind == "SealedSecret":
        noted = ((body.get("metadata") or {}).get("annotations") or {}).get(proofs.SEALING_CERTIFICATE, "")
        certificate = work.sealing_certificate(work.plan.cluster(need.cluster))
        opened = [f"controller of {need.cluster}"]
        if noted and certificate and sha256(certificate).hexdigest() != noted:
            state = "stale: sealing certificate"
    elif body and kind == "ExternalSecret":
        store = ((body.get("spec") or {}).get("secretStoreRef") or {}).get("name", "")
        opened = [f"store {store}"]
    if body and need.name == "cacerts" and state == "sealed" and _other_certificate(work, need, body):
        state = "stale: certificate"
    return {"cluster": need.cluster, "file": path, "form": kind or "-", "state": state, "openedBy": opened}


def _other_certificate(work: Work, need: SecretNeed, body: Mapping[str, Any]) -> bool:
    noted = ((body.get("metadata") or {}).get("annotations") or {}).get(proofs.CA)
    certificate = work.read(work.certificate(CA, need.cluster))
    chain, roots = work.read(work.certificate(CHAIN, need.cluster)), work.read(work.certificate(ROOTS))
    return bool(noted and certificate and proofs.of_ca(certificate, chain or b"", roots or b"")[proofs.CA] != noted)


def rewrap_command(file: Path, names: Sequence[str], identity: Path | None, accepted: bool) -> None:
    """Every file that is to be changed is opened first: all of them are written, or none."""
    work = opened_work(file)
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
        tell(f"rewrapped {each.path}: {len(each.added)} added, {len(each.removed)} removed")
    tell(f"{count(len(done), 'file')} rewrapped" + ("; next: meshc compile" if done else ""))
    if any(each.removed for each in done):
        say("who was removed can still open what Git's history keeps: issue CAs and make credentials anew")
