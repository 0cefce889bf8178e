"""Fetches the last commit of a branch at an address, and pushes a commit that was made here."""

from __future__ import annotations

from dataclasses import dataclass

from meshc.errors import UsageError
from meshc.publish.address import Address, branch_name
from meshc.publish.git import GitError
from meshc.publish.workshop import Workshop

RECENT = ("--depth=50",)
ALL = ("--depth=2147483647",)
"""How much history to fetch; Git uses this number for all of it."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository at an address. None of its content is kept on this machine."""

    address: Address

    def default_branch(self, shop: Workshop) -> str:
        """The branch that HEAD names there. Raises UsageError if there is none yet."""
        for line in shop.git.lines("ls-remote", "--symref", "--end-of-options", self.address.url, "HEAD"):
            what, _, name = line.partition("\t")
            if what.startswith("ref: refs/heads/") and name == "HEAD":
                return branch_name(what.removeprefix("ref: refs/heads/"))
        raise UsageError(f"{self.address} has no default branch", "name one with --branch")

    def tip(self, shop: Workshop, branch: str) -> str:
        """The last commit of a branch; "" if there is no such branch."""
        ref = f"refs/heads/{branch}"
        for line in shop.git.lines("ls-remote", "--end-of-options", self.address.url, ref):
            commit, _, name = line.partition("\t")
            if name == ref:
                return commit
        return ""

    def fetch(self, shop: Workshop, branch: str, depth: tuple[str, ...] = ()) -> str:
        """Fetches a branch, back to a known commit or to a depth, and returns its last commit; "" for no branch."""
        tip = self.tip(shop, branch)
        if tip and (depth == ALL or not shop.knows(tip)):
            quiet = ("--quiet", "--no-tags", "--no-write-fetch-head")
            spec = f"+refs/heads/{branch}:refs/meshc/fetched"
            shop.git.run("fetch", *quiet, *depth, "--end-of-options", self.address.url, spec)
            return shop.git.find("rev-parse", "--verify", "refs/meshc/fetched")
        return tip

    def push(self, shop: Workshop, branch: str, commit: str, onto: str) -> bool:
        """Pushes a commit to the branch; False if somebody else pushed first. Never forces. Raises GitError."""
        spec = f"{commit}:refs/heads/{branch}"
        try:
            shop.git.run("push", "--quiet", "--no-verify", "--end-of-options", self.address.url, spec)
        except GitError:
            now = self.tip(shop, branch)
            if now in (commit, onto):
                if now == commit:  # the push arrived, but the answer didn't
                    return True
                raise
            return False
        return True
