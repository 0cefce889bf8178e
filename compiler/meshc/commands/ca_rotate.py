"""Replaces the root of a mesh, one step in each run: trust both roots, issue under the new one, drop the old one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.commands import at_proxies, root_waits
from meshc.commands.ca_issue import Issued, Issuing, committed
from meshc.commands.tracked import uncommitted
from meshc.errors import RefusedError
from meshc.issuing import recipients, rotating
from meshc.issuing.verified import lasting
from meshc.lowering import needs_of
from meshc.trust.rotation import Action

if TYPE_CHECKING:
    from meshc.commands.listener import Listener
    from meshc.issuing.work import Work


@dataclass(frozen=True, slots=True)
class Rotated:
    """The step that was taken, the issued CAs, what expires soon, and what must follow at the proxies."""

    action: Action
    issued: Issued
    ending: tuple[str, ...]
    after: tuple[str, ...]


def rotated(work: Work, mesh: str, new_root: bytes | None, how: Issuing, listener: Listener) -> Rotated | None:
    """Takes the next step; None if there is none.

    `mesh` is the name of mesh.yaml. Raises RefusedError if changes aren't committed or compiled yet, and if it is too
    soon.
    """
    _stop_on_uncommitted(work, listener)
    rotating.stop_on_uncompiled(work)
    order = how.order(work.plan)
    ending = lasting({"the new root": new_root}, order.now) if new_root else []
    step = rotating.planned(work, new_root)
    wait = None if how.restarted else root_waits.wait_before(work, step, mesh, order.now)
    if wait:
        root_waits.stop_on_haste(wait, order.now)
    reissued = [cluster for cluster in work.plan.clusters if cluster.name in step.reissue]
    recipients.stop_on_new(work, needs_of(work.plan), reissued, how.accepted)
    key = how.root_key.read() if how.root_key and reissued else None
    outcomes = rotating.take(work, step, key, order)
    if step.action is Action.NOTHING:
        return None
    recipients.update_rules(work, reissued)
    done = committed(work, outcomes, how.keys_to)
    after = at_proxies.after(work.plan, step.action, sent=root_waits.sent_as_of(work, mesh, "HEAD"))
    return Rotated(step.action, done, tuple(ending), tuple(after))


def _stop_on_uncommitted(work: Work, listener: Listener) -> None:
    """Each step must be one commit: a second step before the commit would skip the first one in every cluster."""
    folders = (work.plan.certificates, work.plan.sealed)
    changed = uncommitted(work.base, folders)
    if changed is None:
        listener.note("  note: this is no Git repository, or there is no git: commit between the steps by other means")
    if changed:
        raise RefusedError(
            f"{' and '.join(folders)} hold changes that aren't committed",
            "commit them and sync every cluster first: each step must reach all clusters before the next",
        )
