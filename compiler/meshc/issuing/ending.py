"""Finds when sealed credentials expire: a token by its claims, the CA of an API server by its certificates.

It verifies no signature, because an API server also refuses a token with an expiry date in the past. The date in an
annotation of a sealed file is only a reminder: a branch can change it, so it proves nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from meshc.issuing.rewrapping import sealed_body
from meshc.kube import at, keys_in
from meshc.sealing.contract import SealError
from meshc.trust import certificates, proofs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.hidden import Hidden
    from meshc.issuing.kubeconfig import Credentials
    from meshc.issuing.work import Work
    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed

SOON = 30
"""Days: meshc warns if something expires within this time."""
NEVER, UNKNOWN = "none", "unknown"
"""The texts for a token without an expiry date, and for a token whose date is unknown."""
_FORM = "%Y-%m-%dT%H:%M:%SZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def end_of(token: Hidden) -> datetime | None:
    """The expiry date in a token; None if the token has no valid date, or one after the year 9999."""
    claims = _claims(token)
    seconds = claims.get("exp") if claims else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds != seconds:
        return None
    try:
        return _EPOCH + timedelta(seconds=max(seconds, 0))
    except OverflowError:
        return None


def _claims(token: Hidden) -> dict[str, object] | None:
    """The claims of a JWT; None for any other token."""
    parts = token.reveal().split(b".")
    if len(parts) != 3:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def noted_end(token: Hidden) -> str:
    """The annotation for a sealed token; empty if the date is unknown."""
    if end := end_of(token):
        return end.strftime(_FORM)
    claims = _claims(token)
    return NEVER if claims is not None and "exp" not in claims else ""


def stop_on_ended(remote: str, found: Credentials, now: datetime) -> str:
    """A warning if the credentials expire soon, else nothing. Raises SealError if they have expired."""
    ends = {"the token": end_of(found.token), "the CA of its API server": _ca_end(found.ca)}
    warnings = []
    for what, end in ends.items():
        if end is not None and end <= now:
            raise SealError(
                f"{remote}: {what} expired on {_shown(end)}; nothing was sealed",
                f"make new credentials: meshc capture credentials {remote} --rotate, or istioctl create-remote-secret",
            )
        if end is not None and expiring(end, now):
            warnings.append(f"{remote}: {what} expires on {_shown(end)}")
    return "; ".join(warnings)


def _ca_end(pem: bytes) -> datetime | None:
    """When the last certificate of a bundle ends."""
    return max((one.not_after for one in certificates.read("", pem)[0]), default=None)


def expiring(end: datetime, now: datetime) -> bool:
    """True if the credentials have expired, or expire soon."""
    return end - now <= timedelta(days=SOON)


def _shown(end: datetime) -> str:
    return f"{end:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Ending:
    """The expiry date of sealed credentials, from the annotation."""

    file: str
    of: str
    end: datetime

    def line(self, now: datetime) -> str:
        ended = "have ended" if self.end <= now else f"end in {(self.end - now).days} days"
        return f"{self.of}: its credentials in {self.file} {ended} ({self.end:%Y-%m-%d})"


def endings(work: Work, needs: Iterable[SecretNeed]) -> Iterator[Ending]:
    """The known expiry dates of all sealed credentials."""
    for need in needs:
        path = work.sealed(need.file)
        for name, noted in notes_of(need, sealed_body(work.read(path)) if need.of else None).items():
            if (end := time_of(noted)) is not None:
                yield Ending(path, name, end)


def notes_of(need: SecretNeed, body: Body | None) -> dict[str, str]:
    """The expiry dates in the annotations of a sealed object, by cluster."""
    if need.grows:
        facts = proofs.of_each(at(body, "metadata", "annotations", proofs.REMOTES))
        there = keys_in(body or {})
        return {name: _note(facts.get(key, {}).get(proofs.NOT_AFTER)) for name, key in need.of.items() if key in there}
    return dict.fromkeys(need.of, note_of(body))


def note_of(body: Body | None) -> str:
    """The expiry date in the annotation of a sealed object: a time, `none` or `unknown`. Anyone can have written it."""
    return _note(at(body, "metadata", "annotations", proofs.NOT_AFTER))


def _note(noted: object) -> str:
    return noted if isinstance(noted, str) and (noted == NEVER or time_of(noted)) else UNKNOWN


def time_of(noted: object) -> datetime | None:
    """The time in an annotation; None for any other text."""
    try:
        return datetime.strptime(noted, _FORM).replace(tzinfo=UTC) if isinstance(noted, str) else None
    except ValueError:
        return None
