"""Changes the recipients of sops files to those in mesh.yaml, and keeps the ciphertext."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from meshc.commands.clusters import chosen
from meshc.errors import RefusedError, UsageError
from meshc.issuing import recipients
from meshc.issuing.rewrapping import rewrap
from meshc.lowering import needs_of
from meshc.sealing.age import identities_in

if TYPE_CHECKING:
    from meshc.hidden import Hidden
    from meshc.issuing.rewrapping import Rewrapped
    from meshc.issuing.work import Work


def rewrapped(work: Work, names: Sequence[str], identity: Hidden | None, *, accepted: bool) -> list[Rewrapped]:
    """The change of each file.

    Decrypts every file first, then writes all of them, or none. Raises UsageError without an identity, RefusedError for
    recipients who could not decrypt the files before.
    """
    clusters = chosen(work.plan, names)
    if identity is None:
        raise UsageError("a private key is needed to add recipients", "--identity FILE, as age-keygen writes it")
    needs = [need for need in needs_of(work.plan) if need.cluster in clusters]
    done = rewrap(work, needs, identities_in(identity))
    added = sorted({one for each in done for one in each.added})
    if added and not accepted:
        listed = "\n".join(f"  {one[:80]}" for one in added)
        raise RefusedError(f"recipients who could not decrypt these files before:\n{listed}", "--accept-recipients")
    paths = {each.path for each in done}
    inside = {need.cluster for need in needs if work.sealed(need.file) in paths}
    recipients.update_rules(work, [cluster for cluster in work.plan.clusters if cluster.name in inside])
    work.commit()
    return done
