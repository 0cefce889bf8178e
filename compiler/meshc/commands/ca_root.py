"""Makes a root CA: its certificate for the repository, its key for a place outside of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from meshc.disk.private import write_key
from meshc.disk.repository import Repository
from meshc.errors import UsageError
from meshc.issuing.cacerts import ROOTS
from meshc.sealing.age import check_recipients
from meshc.sealing.age_file import seal_for
from meshc.tree import FileTree
from meshc.trust.issue import make_root, summary

if TYPE_CHECKING:
    from meshc.issuing.work import Work
    from meshc.trust.issue import Summary
    from meshc.trust.keys import KeyType


@dataclass(frozen=True, slots=True)
class NewRoot:
    """The options for a new root: the file of its key, the recipients of the key (`seal_to`), and the file of its
    certificate if it isn't the mesh's own."""

    key_out: Path
    key_type: KeyType
    days: int
    seal_to: Sequence[str] = ()
    certificate: Path | None = None


@dataclass(frozen=True, slots=True)
class MadeRoot:
    """The root, and the path of its certificate."""

    root: Summary
    certificate: str


def made_root(work: Work, wanted: NewRoot) -> MadeRoot:
    """Writes key and certificate, the key first, because a certificate without its key is useless.

    Raises UsageError if one exists already, RefusedError for a plain key in a repository.
    """
    path = work.certificate(ROOTS)
    if wanted.certificate is None and work.read(path) is not None:
        raise UsageError(
            f"there is a root already: {path}", "for its successor name another file: --certificate new-root.pem"
        )
    if wanted.certificate is not None and wanted.certificate.exists():
        raise UsageError(f'"{wanted.certificate}" is there already')
    if wanted.seal_to:
        check_recipients(wanted.seal_to)
    made = make_root(work.plan.mesh, wanted.key_type, datetime.now(UTC), wanted.days)
    key = seal_for(made.key, wanted.seal_to) if wanted.seal_to else made.key
    instead = "name a path outside, or seal it: --seal-to age1..."
    write_key(wanted.key_out, key, sealed=bool(wanted.seal_to), instead=instead)
    try:
        _write(work, path, wanted.certificate, made.certificate)
    except BaseException:
        wanted.key_out.unlink()
        raise
    return MadeRoot(summary(made.certificate), str(wanted.certificate or path))


def _write(work: Work, path: str, elsewhere: Path | None, certificate: bytes) -> None:
    if elsewhere is None:
        work.write(path, certificate)
        work.commit()
    else:
        Repository.around(elsewhere.parent).create(FileTree({elsewhere.name: certificate}))
