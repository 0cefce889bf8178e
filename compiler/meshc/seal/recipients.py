"""recipients turns mesh.yaml's recipients and those of the files committed so far into who would be let in anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc.errors import RefusedError
from meshc.seal import sops
from meshc.seal.contract import SealError
from meshc.seal.rewrapping import sealed_body
from meshc.seal.rules import MADE, recipients_in, rules

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan
    from meshc.plan.needs import SecretNeed
    from meshc.seal.work import Work

RULES = ".sops.yaml"


def stop_on_new(work: Work, needs: Iterable[SecretNeed], clusters: Iterable[ClusterPlan], accepted: bool) -> None:
    """Raises RefusedError if someone could open what is sealed now who could not open this cluster's before.

    A recipient that a change of mesh.yaml slips in would be given the next key that is made. A cluster's recipients so
    far are those of its sealed files; where it has none, those that .sops.yaml has for it; a new cluster's are measured
    by those of the whole mesh. Only the first files of a mesh are sealed unasked.
    """
    known: dict[str, set[str]] = {}
    sealed = False
    for need in needs:
        body = sealed_body(work.read(work.sealed(need.file)))
        sealed = sealed or body is not None
        known.setdefault(need.cluster, set()).update(_of(body))
    rule_file = work.read(RULES) or b""
    for cluster in work.plan.clusters:
        if not known.get(cluster.name) and rule_file.startswith(MADE):
            known[cluster.name] = recipients_in(rule_file, work.plan.sealed, cluster.name)
    everyone = {one for recipients in known.values() for one in recipients}
    added = [
        (one, cluster.name)
        for cluster in clusters
        for one in sorted({*cluster.sealing.recipients} - (known.get(cluster.name) or everyone))
    ]
    if added and (sealed or everyone) and not accepted:
        listed = "\n".join(f"  {one[:80]} (in {cluster})" for one, cluster in added)
        raise RefusedError(f"recipients that nothing was sealed for so far:\n{listed}\n  hint: --accept-recipients")


def update_rules(work: Work) -> None:
    """Brings .sops.yaml in step, so that people's own sops seals as meshc does. Somebody's own file is left alone."""
    wanted = {c.name: c.sealing.recipients for c in work.plan.clusters if c.sealing.recipients}
    existing = work.read(RULES)
    if wanted and (existing is None or existing.startswith(MADE)):
        work.write(RULES, rules(wanted, work.plan.sealed))


def _of(body: object) -> tuple[str, ...]:
    if not isinstance(body, dict) or body.get("kind") != "Secret":
        return ()
    try:
        return sops.recipients_of(body)
    except SealError:
        return ()
