"""Replaces the ciphertext of a sealed file by the output of `kubeseal --re-encrypt`."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meshc.errors import UsageError
from meshc.issuing.accepting import accept_re_encrypted
from meshc.issuing.rewrapping import sealed_body
from meshc.lowering import needs_of
from meshc.review.committed import Commits
from meshc.sealing.contract import SealError
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from datetime import datetime

    from meshc.issuing.work import Work
    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed


@dataclass(frozen=True, slots=True)
class Accepted:
    """The sealed file, and whether its bytes changed."""

    path: str
    changed: bool


def accept(work: Work, sealed: Path, given: bytes | None, folder: Path, now: datetime) -> Accepted:
    """Writes the file, or nothing.

    `folder` is the folder of mesh.yaml, but `sealed` is relative to the current folder. Without `given`, the file
    itself has the new ciphertext, and HEAD the old one. Raises UsageError if a file is missing, SealError for a
    re-encryption of another Secret, and RefusedError.
    """
    need = _need(work, sealed, folder)
    path = work.sealed(need.file)
    there = _body(work.read(path), path)
    if there.get("kind") == "Secret":
        hint = "meshc secrets rewrap takes what sops updatekeys or sops rotate changed"
        raise UsageError(f'"{path}" isn\'t a SealedSecret', hint)
    before = there if given is not None else _committed(work, path)
    new = there if given is None else _body(given, "the new one")
    work.write(path, write(accept_re_encrypted(work, need, new, before, now)).encode())
    return Accepted(path, bool(work.commit()))


def _need(work: Work, sealed: Path, folder: Path) -> SecretNeed:
    for need in needs_of(work.plan):
        if _absolute(folder / work.sealed(need.file)) == _absolute(sealed):
            return need
    raise UsageError(f'"{sealed}" is no sealed file of this mesh', "meshc secrets status lists them")


def _absolute(path: Path) -> str:
    return posixpath.normpath(path.absolute().as_posix())


def _committed(work: Work, path: str) -> Body:
    commits = Commits(work.base)
    data = commits.file(commits.commit("HEAD"), path)
    if data is None:
        raise UsageError(
            f"HEAD has no {path} to compare with", "keep the file of before, and name the new one: --from FILE"
        )
    return _body(data, f"{path} in HEAD")


def _body(data: bytes | None, shown: str) -> Body:
    body = sealed_body(data)
    if body is None:
        raise SealError(f"{shown} isn't one sealed object")
    return body
