"""Reads the branches of a repository on this machine, and adds commits to it.

It doesn't change uncommitted edits, staged changes, or any file outside of overlays/ and output/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from meshc.disk.repository import Repository, enclosing
from meshc.errors import RefusedError, UsageError
from meshc.publish.address import Address, address, on_disk, remote_name
from meshc.publish.git import Git
from meshc.publish.settings import Own, own_settings
from meshc.publish.workshop import Entry, Shelf

_UNDER_WAY = {"MERGE_HEAD": "merge", "CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert"}


@dataclass(frozen=True, slots=True)
class Checkout:
    """A repository with a work tree."""

    root: Path
    git: Git
    own: Own
    folder: Path
    shared: Path
    digest: str

    @staticmethod
    def at(root: Path) -> Checkout:
        """Opens the work tree whose top is `root`. Raises UsageError if this isn't the top of a work tree."""
        if enclosing(root) != root or not (root / ".git").exists():
            raise UsageError(f'"{root}" isn\'t the top of a Git work tree')
        own = own_settings(Git(root))
        git = Git(root, guards=own.silenced)
        asked = (
            "--path-format=absolute",
            "--git-dir",
            "--git-common-dir",
            "--show-object-format",
            "--is-bare-repository",
        )
        folder, shared, digest, bare = git.lines("rev-parse", *asked)
        if bare == "true":
            raise UsageError(f'"{root}" has no work tree')
        return Checkout(root, git, own, Path(folder), Path(shared), digest)

    @property
    def shelf(self) -> Shelf:
        """Its objects, for a temporary repository to read."""
        cut_off = self.shared / "shallow"
        names = cut_off.read_text().split() if cut_off.exists() else []
        return Shelf(self.shared / "objects", tuple(names), self.digest)

    def current(self) -> str:
        """The branch that is checked out, also before its first commit; "" if HEAD is detached."""
        return self.git.find("symbolic-ref", "--quiet", "HEAD").removeprefix("refs/heads/")

    def head(self) -> str:
        """The commit that is checked out; "" before the first."""
        return self.git.find("rev-parse", "--verify", "--quiet", "HEAD^{commit}")

    def tip(self, branch: str) -> str:
        """The last commit of a branch; "" if there is no such branch."""
        return self.git.find("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")

    def refuse_elsewhere(self, branch: str) -> None:
        """Raises RefusedError if the branch is checked out in another work tree, which would not follow it."""
        where = self.git.find("for-each-ref", "--format=%(worktreepath)", f"refs/heads/{branch}")
        if where and Path(where).resolve() != self.root:
            hint = "publish from there, or name that folder with --repo"
            raise RefusedError(f'branch "{branch}" is checked out in "{where}"', hint)

    def refuse_under_way(self) -> None:
        """Raises RefusedError during an unfinished merge, because it would end with another parent than it began
        with."""
        for file, name in _UNDER_WAY.items():
            if (self.folder / file).exists():
                raise RefusedError(
                    f"a {name} isn't finished here", f"finish it first: git {name} --continue or --abort"
                )

    def remote(self, text: str) -> Address:
        """The address of a remote with this name, or the given address itself."""
        name = remote_name(text)
        if name is None:
            found = address(text, named=True)
            return on_disk(found) if isinstance(found, Path) else found
        for kind in ("pushurl", "url"):
            known = self.git.values(f"remote.{name}.{kind}")
            if len(known) > 1:
                raise UsageError(f'remote "{name}" has {len(known)} addresses', "name one with --remote")
            if known:
                found = address(known[0], named=False)
                return on_disk(found) if isinstance(found, Path) else found
        raise UsageError(f'there is no remote "{name}"', "name one with --remote, or an address")

    def place(self, path: str) -> Repository:
        """A folder of the work tree, for disk/ to write in. Raises RefusedError if a link leads there."""
        base = self.root / path
        if base.resolve() != base:
            raise RefusedError(f'"{path}" is reached through a symbolic link, which meshc never follows')
        return Repository(base, self.root)

    def take(self, pack: bytes, commit: str) -> None:
        """Stores a commit, without changing a branch."""
        self.git.run("unpack-objects", "-q", stdin=pack)
        self.git.run("cat-file", "-e", commit)

    def stage(self, entries: Mapping[str, Entry], gone: Sequence[str], folders: Sequence[str]) -> None:
        """Stages exactly these files, and leaves the rest of the index alone."""
        nothing = "0" * len(next(iter(entries.values())).name)
        lines = [f"0 {nothing}\t{path}" for path in gone]
        lines += [f"{one.mode} {one.name}\t{path}" for path, one in entries.items()]
        self.git.run("update-index", "-z", "--index-info", stdin="".join(f"{line}\0" for line in lines).encode())
        self.git.holds("add", "--refresh", "--", *folders)  # otherwise `git diff-index` reports them as edited

    def move(self, branch: str, commit: str, before: str, why: str) -> bool:
        """Moves a branch from one commit ("" for none) to another; False if somebody else moved it in the meantime."""
        old = before or "0" * len(commit)
        if self.git.holds("update-ref", "-m", why, f"refs/heads/{branch}", commit, old):
            return True
        if self.tip(branch) != before:
            return False
        self.git.run("update-ref", "-m", why, f"refs/heads/{branch}", commit, old)  # to report the files in the way
        return True

    def track(self, remote: str, branch: str, commit: str) -> None:
        """Updates the remote-tracking branch, as a push would, if this repository has one."""
        if f"+refs/heads/*:refs/remotes/{remote}/*" in self.git.values(f"remote.{remote}.fetch"):
            self.git.holds("update-ref", f"refs/remotes/{remote}/{branch}", commit)
