"""Finds out whether istiod reads the Secrets of a remote, which a Helm value can turn off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.kube import at

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan


def secrets_are_read(plan: Plan, remote: ClusterPlan) -> bool:
    """True if some istiod reads the Secrets of a remote, which it does for the certificates of gateways there.

    Since Istio 1.31, PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER can turn this off: istio/istio#59874.
    """
    readers = plan.planes_watching.get(remote.name, ())
    return not readers or not all(map(_ignores_secrets_of_remotes, readers))


def _ignores_secrets_of_remotes(primary: ClusterPlan) -> bool:
    if primary.istio.line < _CAN_IGNORE_SECRETS:
        return False
    said = at(primary.values, "pilot", "env", _READS_SECRETS) or at(primary.values, "env", _READS_SECRETS)
    return str(said).lower() == "false"


_READS_SECRETS, _CAN_IGNORE_SECRETS = "PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER", (1, 31)
