"""Makes commits in a temporary repository, which only the user's own Git settings affect.

It exists for one run, and can read objects of other repositories on this machine. Its commits exist nowhere else until
they are pushed or packed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from meshc.disk.scratch import scratch
from meshc.errors import RefusedError
from meshc.publish.git import Git, GitError, Settings
from meshc.publish.message import SOURCE_PATTERN, source_in
from meshc.tree import FileTree

_PLAIN = ("100644", "100755")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a commit: `name` is the object name of its content."""

    mode: str
    kind: str
    name: str

    @property
    def is_file(self) -> bool:
        return self.mode in _PLAIN

    @property
    def is_folder(self) -> bool:
        return self.kind == "tree"


@dataclass(frozen=True, slots=True)
class Shelf:
    """The objects of another repository on this machine, and the commits where its history is cut off."""

    objects: Path
    cut_off: tuple[str, ...]
    digest: str


class Workshop:
    """Reads commits by name, their content and ancestry, and makes new commits."""

    def __init__(self, folder: Path, git: Git) -> None:
        self.git = git
        self._folder = folder

    @staticmethod
    @contextmanager
    def opened(shelves: Sequence[Shelf], digest: str, settings: Settings, protocols: str) -> Iterator[Workshop]:
        """An empty repository that can read the objects of the given repositories; removed afterwards. Raises
        ToolError."""
        usable = [shelf for shelf in shelves if shelf.digest == digest]
        files = {"objects/info/alternates": "".join(f"{shelf.objects}\n" for shelf in usable).encode()}
        cut_off = sorted({commit for shelf in usable for commit in shelf.cut_off})
        if cut_off:
            files["shallow"] = "".join(f"{commit}\n" for commit in cut_off).encode()
        with scratch(FileTree(files)) as folder:
            git = Git(folder, settings=settings, protocols=protocols, bare=True)
            git.run("init", "--quiet", "--bare", "--template=", f"--object-format={digest}")
            yield Workshop(folder, git)

    def cut_off(self) -> set[str]:
        """The commits where the history is cut off (shallow clone)."""
        file = self._folder / "shallow"
        return set(file.read_text().split()) if file.exists() else set()

    def entries(self, commit: str, *folders: str) -> dict[str, Entry]:
        """Every file of a commit, or of some folders of it. None for no commit."""
        return listed(self.git, commit, "-r", folders)

    def at(self, commit: str, path: str) -> Entry | None:
        """The entry at a path of a commit."""
        return listed(self.git, commit, "-t", (path,)).get(path)

    def contents(self, entries: Mapping[str, Entry]) -> dict[str, bytes]:
        """The bytes of files. Raises RefusedError if a partial clone doesn't have them."""
        said = self.git.run("cat-file", "--batch", stdin="".join(f"{one.name}\n" for one in entries.values()).encode())
        found: dict[str, bytes] = {}
        start = 0
        for path in entries:
            end = said.index(b"\n", start)
            header = said[start:end].split()
            if len(header) != 3 or header[1] != b"blob":
                raise RefusedError(*_PARTIAL)
            size = int(header[2])
            found[path] = said[end + 1 : end + 1 + size]
            start = end + 1 + size + 1
        return found

    def commit(self, onto: str, changes: Mapping[str, bytes | None], message: str, *, signed: bool) -> str:
        """A commit on top of another one (or without a parent), in which some files are changed, or removed (None)."""
        ref = f"refs/meshc/on-{onto or 'nothing'}"
        lines = [b"commit %s" % ref.encode(), b"committer meshc <> 0 +0000", b"data 0"]
        lines += [b"from %s" % onto.encode()] if onto else []
        stream = bytearray(b"\n".join(lines) + b"\n")
        for path, data in changes.items():
            if data is None:
                stream += b"D %s\n" % _quoted(path)
        for path, data in changes.items():
            if data is not None:
                stream += b"M 100644 inline %s\ndata %d\n%s\n" % (_quoted(path), len(data), data)
        self.git.run("fast-import", "--quiet", stdin=bytes(stream) + b"\ndone\n")
        tree = self.git.find("rev-parse", "--verify", f"{ref}^{{tree}}")
        parent = ("-p", onto) if onto else ()
        how = ("-S",) if signed else ("--no-gpg-sign",)
        return self.git.run("commit-tree", *how, *parent, "-F", "-", tree, stdin=message.encode()).decode().strip()

    def pack(self, commit: str, known: Sequence[str]) -> bytes:
        """The pack of objects that a repository with the known commits needs for this commit."""
        revisions = "".join(f"{line}\n" for line in (commit, *(f"^{one}" for one in known if one)))
        return self.git.run("pack-objects", "--quiet", "--revs", "--stdout", stdin=revisions.encode())

    def offer(self, *commits: str) -> None:
        """Adds references to known commits, so that a fetch leaves out their objects."""
        for commit in filter(None, commits):
            self.git.run("update-ref", f"refs/meshc/known-{commit}", commit)

    def knows(self, commit: str) -> bool:
        return self.git.holds("cat-file", "-e", f"{commit}^{{commit}}")

    def follows(self, later: str, earlier: str) -> bool:
        """True if a commit is the other one, or has it in its history, as far as this history is known here."""
        return later == earlier or self.git.holds("merge-base", "--is-ancestor", earlier, later)

    def last_published(self, tip: str, folders: Sequence[str]) -> tuple[str, str]:
        """The last commit that changed the folders and names a source, and this source; "" for none."""
        grep = f"--grep={SOURCE_PATTERN}"
        commit = self.git.find("rev-list", "--max-count=1", grep, tip, "--", *folders) if tip else ""
        return commit, source_in(self.git.run("cat-file", "commit", commit)) if commit else ""

    def signature(self) -> str:
        """The format of Git's signatures, if it signs: openpgp, ssh or x509."""
        return self.git.find("config", "--get", "gpg.format") or "openpgp"

    def signing_key(self) -> str:
        """The ID of the PGP key that Git signs with, as a signature shows it; empty if the signature doesn't."""
        nothing = self.git.run("mktree", stdin=b"").decode().strip()
        trial = self.git.run("commit-tree", "-S", "-F", "-", nothing, stdin=b"by which key?\n").decode().strip()
        return self.git.find("show", "--no-patch", "--format=%GK", trial)

    def signs(self) -> bool:
        """True if Git's settings ask for signed commits."""
        return self.git.find("config", "--type=bool", "--get", "commit.gpgSign") == "true"


def listed(git: Git, commit: str, how: str, paths: Sequence[str] = ()) -> dict[str, Entry]:
    """The entries of a commit, as `git ls-tree` lists them. Raises RefusedError if a partial clone doesn't have
    them."""
    if not commit:
        return {}
    try:
        said = git.run("ls-tree", how, "-z", "--full-tree", commit, "--", *paths)
    except GitError as error:
        raise RefusedError(*_PARTIAL) from error
    found: dict[str, Entry] = {}
    for line in said.decode(errors="surrogateescape").split("\0")[:-1]:
        about, _, path = line.partition("\t")
        found[path] = Entry(*about.split(" "))
    return found


_PARTIAL = (
    "this repository is a partial clone without the files of the branch, and publish doesn't fetch them",
    "git fetch --refetch --no-filter, or publish to its URL with --repo",
)


def _quoted(path: str) -> bytes:
    return b'"%s"' % path.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"')
