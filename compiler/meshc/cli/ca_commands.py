"""What the commands of `meshc ca` do: they read, call `seal/`, write all or nothing, and say what they did."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from meshc.cli import at_proxies, waiting
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, count, say, show_result, tell
from meshc.cli.table import Line, show_table
from meshc.cli.trusted import of_trust
from meshc.commands.opened import Opened, opened_for_writing
from meshc.commands.tracked import uncommitted
from meshc.disk.named import read_named
from meshc.disk.private import write_key
from meshc.disk.repository import LARGEST_INPUT, Repository
from meshc.errors import Exit, RefusedError, UsageError
from meshc.hidden import Hidden
from meshc.pipeline import needs_of, plan_mesh
from meshc.plain import plain
from meshc.seal import authorities, issuing, recipients, rotating
from meshc.seal.age import check_recipients, identities_in
from meshc.seal.age_file import open_sealed, seal_for
from meshc.seal.cacerts import CA, CHAIN, KEY, ROOTS, Authority
from meshc.seal.file import target_of
from meshc.seal.verified import lasting, parts_of, stop_on_faults
from meshc.seal.work import Work
from meshc.tree import FileTree
from meshc.trust.issue import chain_of, make_root, one, summary
from meshc.trust.keys import KeyType, plain_key
from meshc.trust.rotation import Action, roots_above

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.plan.ir import Plan


def init_command(
    file: Path, key_out: Path, key_type: KeyType, days: int, seal_to: Sequence[str], certificate: Path | None
) -> None:
    """Makes a root. The key is written first: a certificate without its key is of no use."""
    work = opened_work(file, writes=True)
    path = work.certificate(ROOTS)
    if certificate is None and work.read(path) is not None:
        raise UsageError(
            f"there is a root already: {path}\n  hint: for its successor name another file: --certificate new-root.pem"
        )
    if certificate is not None and certificate.exists():
        raise UsageError(f'"{certificate}" is there already')
    if seal_to:
        check_recipients(seal_to)
    made = make_root(work.plan.mesh, key_type, _now(), days)
    key = seal_for(made.key, seal_to) if seal_to else made.key
    write_key(key_out, key, sealed=bool(seal_to), instead="name a path outside, or seal it: --seal-to age1...")
    try:
        if certificate is None:
            work.write(path, made.certificate)
            work.commit()
        else:
            Repository.around(certificate.parent).create(FileTree({certificate.name: made.certificate}))
    except BaseException:
        key_out.unlink()
        raise
    root = summary(made.certificate)
    tell(f"root {root.subject}")
    tell(f"  fingerprint {root.fingerprint}")
    tell(f"  valid until {root.not_after:%Y-%m-%d}")
    tell(f"  certificate {certificate or path}")
    tell(f"  key         {key_out}{' (sealed by age)' if seal_to else ', mode 0600: keep it offline'}")


def issue_command(
    file: Path,
    names: Sequence[str],
    root_key: Path | None,
    identity: Path | None,
    password: Path | None,
    key_type: KeyType | None,
    days: int,
    before: int,
    force: bool,
    keys_to: Path | None,
    accepted: bool,
    restarted: bool,
) -> None:
    """Issues what is due. Keys that only a store shall hold go to `keys_to`, as new files of mode 0600."""
    work = opened_work(file, writes=True)
    clusters = issuing.signing(work.plan, names)
    if root_key is None:
        raise UsageError("issuing needs the root's private key\n  hint: --root-key FILE, or - for standard input")
    for cluster in clusters if not force else ():  # by force a CA that can't be read is replaced
        authorities.stop_on_unreadable(work, cluster.name)
    recipients.stop_on_new(work, needs_of(work.plan), clusters, accepted)
    order = issuing.Order(_now(), days, before, key_type or _default(work.plan), force)
    outcomes = issuing.issue(work, clusters, _root_key(root_key, identity, password), order)
    if not restarted:
        waiting.stop_on_early_issue(work, file.name, [cluster.name for cluster in clusters], order.now)
    recipients.update_rules(work, clusters)
    handed = {_key_file(keys_to, outcome): outcome for outcome in outcomes if outcome.key}
    changed = _commit(work, handed)
    _tell(outcomes)
    _tell_keys(handed)
    tell(f"{count(len(changed), 'file')} changed" + ("; next: meshc compile" if changed else ""))


def _tell_keys(handed: Mapping[Path, issuing.Outcome]) -> None:
    for path, outcome in handed.items():
        tell(f"  put {path} into the store at {outcome.store}, property {KEY}; then delete the file")


def _key_file(folder: Path | None, outcome: issuing.Outcome) -> Path:
    if folder is None:
        raise UsageError(
            f"{outcome.cluster}: with external-secrets the key goes into the store, not into the repository\n"
            "  hint: --keys-to FOLDER, outside of it, from where you put it there"
        )
    return folder / f"{outcome.cluster}-{KEY}"


def _commit(work: Work, keys: Mapping[Path, issuing.Outcome]) -> tuple[str, ...]:
    """Keys first: a certificate whose key is lost is of no use."""
    made: list[Path] = []
    try:
        for path, outcome in keys.items():
            if outcome.key:
                write_key(path, outcome.key, sealed=False, instead="--keys-to a folder outside of it")
                made.append(path)
        return work.commit()
    except BaseException:
        for path in made:
            path.unlink()
        raise


def import_command(
    file: Path,
    name: str,
    folder: Path | None,
    certificate: Path | None,
    chain: Path | None,
    key: Path | None,
    root: Path | None,
    password: Path | None,
    accepted: bool,
    restarted: bool,
) -> None:
    """Verifies, then places and seals. Raises ProblemsError with everything that is wrong with the certificates."""
    work = opened_work(file, writes=True)
    (cluster,) = issuing.signing(work.plan, [name])
    if folder and not folder.is_dir():
        raise UsageError(f'--from "{folder}" ' + ("is a file, not a folder" if folder.exists() else "isn't there"))

    def given(path: Path | None, standard: str) -> bytes | None:
        path = path or (folder / standard if folder and (folder / standard).exists() else None)
        return read_given(path) if path else None

    found = given(certificate, CA)
    secret = given(key, KEY)
    if found is None or secret is None:
        raise UsageError(
            "a certificate and its key are needed\n  hint: --from FOLDER, or --certificate FILE --key FILE"
        )
    roots = given(root, ROOTS)
    roots = work.read(work.certificate(ROOTS)) if roots is None else roots
    if roots is None:
        raise UsageError("the root is needed\n  hint: --root FILE")
    links = given(chain, CHAIN)
    links = chain_of(found, *roots_above(found, found, roots)[:1]) if links is None else links
    authority = Authority(found, links, roots)
    stop_on_faults(work.plan, cluster, authority)
    ending = lasting(parts_of(authority), _now())
    recipients.stop_on_new(work, needs_of(work.plan), [cluster], accepted)
    opened = plain_key(Hidden(secret), _password(password) if password else None)
    issuing.place(work, cluster, authority, opened, _now())
    if not restarted:
        waiting.stop_on_early_issue(work, file.name, [name], _now())
    recipients.update_rules(work, [cluster])
    changed = work.commit()
    tell(f"imported {plain(one(found, CA).subject)} for {name}: {count(len(changed), 'file')} changed")
    for warning in ending:
        say(f"warning: {plain(warning)}")
    target = target_of(work.plan, cluster, "cacerts", None) if cluster.sealing.backend == "external-secrets" else None
    if target and target.store:
        tell(f"  put its key into the store at {target.store.key}, property {KEY}; it isn't in the file")
    tell("next: meshc compile")


def status_command(file: Path, within: int, fail: bool, form: Format) -> None:
    """The table, with CAs of clusters that have left the mesh at its end, and what a replacement of the root waits for.

    Exit 1 where something ends soon, or is no CA to go on with, and that was asked for.
    """
    work = opened_work(file, writes=False)
    found, trust = authorities.rows(work, _now(), within), of_trust(work, file.name, _now())
    end = Exit.DIFFERS if fail and any(row.expiring or row.broken for row in found) else Exit.DONE
    if form is Format.JSON:
        listed = [row.as_json() for row in found]
        show_result("ca status", {"mesh": work.plan.mesh, "authorities": listed, **trust.as_json()}, end=end)
    else:
        show_table(
            ("NAME", "STATE", "UNTIL", "FINGERPRINT", "SUBJECT"),
            (
                Line((row.name, row.state, row.until, row.fingerprint[:23], row.subject), row.notes)
                for row in (*found, *trust.gone)
            ),
        )
        for line in trust.of_rotation():
            tell(plain(line))
    if end:
        raise typer.Exit(end)


def rotate_command(
    file: Path,
    new_root: Path | None,
    root_key: Path | None,
    identity: Path | None,
    password: Path | None,
    key_type: KeyType | None,
    days: int,
    keys_to: Path | None,
    accepted: bool,
    restarted: bool,
) -> None:
    """One step. Refuses to take the next one over changes that aren't committed or compiled yet, or too soon."""
    work = opened_work(file, writes=True)
    _stop_on_uncommitted(file, work.plan)
    rotating.stop_on_uncompiled(work)
    order = issuing.Order(_now(), days, 0, key_type or _default(work.plan))
    new = read_given(new_root) if new_root else None
    ending = lasting({"the new root": new}, order.now) if new else []
    step = rotating.planned(work, new)
    wait = None if restarted else waiting.wait_before(work, step, file.name, order.now)
    if wait:
        waiting.stop_on_haste(wait, order.now)
    reissued = [cluster for cluster in work.plan.clusters if cluster.name in step.reissue]
    recipients.stop_on_new(work, needs_of(work.plan), reissued, accepted)
    key = _root_key(root_key, identity, password) if root_key and reissued else None
    outcomes = rotating.take(work, step, key, order)
    if step.action is Action.NOTHING:
        tell("one root, and every CA is under it: nothing to do; --new-root FILE begins a replacement")
        return
    recipients.update_rules(work, reissued)
    handed = {_key_file(keys_to, outcome): outcome for outcome in outcomes if outcome.key}
    changed = _commit(work, handed)
    tell(f"{step.action.value}: {count(len(changed), 'file')} changed")
    for warning in ending:
        say(f"warning: {plain(warning)}")
    _tell(outcomes)
    _tell_keys(handed)
    for line in at_proxies.after(work.plan, step.action, sent=waiting.sent_as_of(work, file.name, "HEAD")):
        tell(line)


def _tell(outcomes: Sequence[issuing.Outcome]) -> None:
    for one_outcome in outcomes:
        what = f"issued ({one_outcome.reason})" if one_outcome.reason else "unchanged"
        tell(f"  {one_outcome.cluster:<24} {what:<40} until {one_outcome.not_after:%Y-%m-%d}")


def opened_work(file: Path, *, writes: bool) -> Work:
    """The certificates and sealed files of a mesh. Raises ProblemsError where mesh.yaml has no plan.

    Where the command `writes`, what an interrupted run left is settled first; else RefusedError is raised for it.
    """
    opened = opened_for_writing(file, TERMINAL) if writes else Opened(file, listener=TERMINAL)
    return Work(opened.repository, plan_mesh(opened.source))


def _default(plan: Plan) -> KeyType:
    return "rsa-2048" if plan.generation == "classic" else "ecdsa-p256"


def _now() -> datetime:
    return datetime.now(UTC)


def _root_key(path: Path, identity: Path | None, password: Path | None) -> Hidden:
    key = open_sealed(Hidden(read_given(path)), identities_in(Hidden(read_given(identity))) if identity else ())
    return plain_key(key, _password(password)) if password else key


def _password(path: Path) -> Hidden:
    return Hidden(read_given(path).rstrip(b"\r\n"))


def read_given(path: Path) -> bytes:
    """A file that a person names; - is standard input. Raises UsageError if it can't be read."""
    if path != Path("-"):
        return read_named(path)
    data = sys.stdin.buffer.read(LARGEST_INPUT + 1)
    if len(data) > LARGEST_INPUT:
        raise UsageError(f"standard input holds more than {LARGEST_INPUT >> 20} MiB")
    return data


def _stop_on_uncommitted(file: Path, plan: Plan) -> None:
    """A step is one commit: who goes on over an uncommitted one would skip it for every cluster."""
    folders = (plan.certificates, plan.sealed)
    changed = uncommitted(file.parent, folders)
    if changed is None:
        say("  note: this is no Git repository, or there is no git: commit between the steps by other means")
    if changed:
        raise RefusedError(
            f"{' and '.join(folders)} hold changes that aren't committed\n"
            "  hint: commit them and sync every cluster first: each step must reach all clusters before the next"
        )
