from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshc.disk.files import IrregularError, OutsideError
from meshc.disk.journal import digest
from meshc.disk.marked import foreign
from meshc.disk.repository import LARGEST_INPUT, Repository, enclosing
from meshc.disk.scratch import scratch
from meshc.disk.units import Change, Written
from meshc.errors import Exit, MeshcError, RefusedError, ToolError
from meshc.tree import HEADER, FileTree
from support.tools import in_full

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.thorough

Units = dict[str, FileTree | bytes | None]


def made(text: str) -> bytes:
    return HEADER + text.encode()


OLD: Units = {
    "overlays/hub": FileTree({"a.yaml": made("a: 1"), "patches/same.yaml": made("same: true")}),
    "overlays/gone": FileTree({"gone.yaml": made("gone: 1")}),
    "overlays/quiet": FileTree({"quiet.yaml": made("quiet: 1")}),
    "output/_meshc.yaml": made("version: 1"),
}
NEW: Units = {
    "overlays/hub": FileTree({"b.yaml": made("b: 2"), "patches/same.yaml": made("same: true")}),
    "overlays/gone": None,
    "overlays/quiet": OLD["overlays/quiet"],
    "output/_meshc.yaml": made("version: 2"),
    "output/hub": FileTree({"a.yaml": made("rendered: 2")}),
    "output/_delivery": FileTree({"app.yaml": made("app: 2")}),
}
BACK: Units = dict.fromkeys(NEW) | OLD
RENAMES = 8  # the journal; hub, gone and _meshc.yaml aside; hub, _meshc.yaml, output/hub and output/_delivery in


def make_git(top: Path) -> None:
    """What Git takes for its own folder."""
    for part in ("objects", "refs"):
        (top / ".git" / part).mkdir(parents=True)
    (top / ".git" / "HEAD").write_text("ref: refs/heads/main\n")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "repo" / "mesh").mkdir(parents=True)
    make_git(tmp_path / "repo")
    return Repository.around(tmp_path / "repo" / "mesh")


@pytest.fixture(params=["in Git", "without Git"])
def old(repository: Repository, request: pytest.FixtureRequest) -> Repository:
    if request.param == "without Git":
        shutil.rmtree(repository.root / ".git")
        repository = Repository.around(repository.base)
    repository.replace(OLD)
    (repository.base / "overlays" / "mine").mkdir()
    (repository.base / "overlays" / "mine" / "notes.txt").write_bytes(b"mine")
    return repository


def snapshot(base: Path, *, everything: bool = False) -> dict[str, bytes]:
    """Every file below `base`; but for meshc's own folder, unless everything is asked for."""
    return {
        path.relative_to(base).as_posix(): path.read_bytes()
        for path in sorted(base.rglob("*"))
        if path.is_file() and (everything or ".meshc" not in path.relative_to(base).parts) and path.name != "lock"
    }


def expected(units: Units) -> dict[str, bytes]:
    files = {"overlays/mine/notes.txt": b"mine"}
    for unit, content in units.items():
        if isinstance(content, bytes):
            files[unit] = content
        elif content is not None:
            files |= content.at(unit)
    return files


def nothing_left(base: Path) -> bool:
    return not (base / ".meshc" / "transaction").exists()


class Faults:
    """Makes the n-th call of one of several functions of `os` fail; counts them all."""

    def __init__(self, patch: pytest.MonkeyPatch, *names: str) -> None:
        self.calls = 0
        self.at: Callable[[int], bool] = lambda _: False
        self.error: BaseException = OSError(errno.ENOSPC, "No space left on device")
        for name in names:
            patch.setattr(os, name, self._wrap(getattr(os, name)))

    def _wrap(self, real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            self.calls += 1
            if self.at(self.calls):
                raise self.error
            return real(*args, **kwargs)

        return call


# Writing.


def test_every_unit_is_brought_to_its_content(old: Repository) -> None:
    written = old.replace(NEW)

    assert snapshot(old.base) == expected(NEW)
    assert nothing_left(old.base)
    assert written == Written(
        created=("output/hub", "output/_delivery"),
        changed=("overlays/hub", "output/_meshc.yaml"),
        removed=("overlays/gone",),
    )
    assert old.replace(NEW) == Written()


def test_what_is_unchanged_is_not_touched(old: Repository) -> None:
    same, quiet = old.base / "overlays/hub/patches/same.yaml", old.base / "overlays/quiet"
    before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in (same, quiet, quiet / "quiet.yaml")]

    old.replace(NEW)

    after = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in (same, quiet, quiet / "quiet.yaml")]
    assert after == before


def test_modes_do_not_depend_on_the_umask(repository: Repository) -> None:
    before = os.umask(0o077)
    try:
        repository.replace(OLD)
    finally:
        os.umask(before)

    modes = {p: (repository.base / p).stat().st_mode & 0o777 for p in ("overlays/hub", "overlays/hub/a.yaml")}
    assert modes == {"overlays/hub": 0o755, "overlays/hub/a.yaml": 0o644}


def test_a_folder_takes_the_place_of_a_file_and_back(repository: Repository) -> None:
    folder, file = FileTree({"x.yaml": made("x")}), made("y")
    for content in (file, folder, file):
        repository.replace({"output/x": content})

        assert snapshot(repository.base) == {
            "output/x" if isinstance(content, bytes) else "output/x/x.yaml": made(
                "y" if isinstance(content, bytes) else "x"
            )
        }


def test_emptied_parents_go(repository: Repository) -> None:
    repository.replace(OLD)
    repository.replace(dict.fromkeys(OLD))

    assert [path.name for path in repository.base.iterdir() if path.name != ".meshc"] == []


def test_git_does_not_see_what_meshc_keeps(old: Repository) -> None:
    killed_in_the_middle(old)

    assert (old.base / ".meshc" / ".gitignore").read_bytes() == b"*\n"
    old.recover()
    assert (old.base / ".meshc").exists() is not old.state.in_git


def test_without_hard_links_files_are_copied(old: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = Faults(monkeypatch, "link")
    faults.at, faults.error = lambda _: True, PermissionError(errno.EPERM, "Operation not permitted")

    old.replace(NEW)

    assert faults.calls == 1
    assert snapshot(old.base) == expected(NEW)


@pytest.mark.parametrize(
    "unit",
    ["../x", "/x", "", "a/../b", ".git/hooks", "overlays/.hidden", "a\nb", "delivery/x", "output/a/b", "venv/x.pth"],
)
def test_a_unit_is_a_plain_path(old: Repository, unit: str) -> None:
    with pytest.raises(ValueError, match=r"not a path inside|not the path of"):
        old.replace({unit: made("x")})


def test_units_do_not_lie_in_each_other(old: Repository) -> None:
    with pytest.raises(ValueError, match="both a file and a folder"):
        old.replace({"output/b": made("x"), "output/b/c": made("y")})


def test_what_the_next_compile_would_refuse_is_not_written(old: Repository) -> None:
    with pytest.raises(ValueError, match=r"overlays/hub/x\.yaml"):
        old.replace({"overlays/hub": FileTree({"x.yaml": b"no header"})})


# Whole or not at all.


@pytest.mark.parametrize("at", range(1, RENAMES + 1))
@pytest.mark.parametrize("error", [OSError(errno.EROFS, "Read-only file system"), KeyboardInterrupt()])
def test_a_failed_rename_changes_nothing(
    old: Repository, monkeypatch: pytest.MonkeyPatch, at: int, error: BaseException
) -> None:
    with monkeypatch.context() as patch:
        faults = Faults(patch, "rename", "replace")
        faults.at, faults.error = lambda n: n == at, error
        with pytest.raises(ToolError if isinstance(error, OSError) else KeyboardInterrupt):
            old.replace(NEW)

    assert snapshot(old.base) == expected(OLD)
    assert nothing_left(old.base)
    assert not (old.base / "output/_delivery").exists()


def test_the_renames_are_all_tried(old: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = Faults(monkeypatch, "rename", "replace")

    old.replace(NEW)

    assert faults.calls == RENAMES


def test_a_failed_open_write_or_folder_changes_nothing(old: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = 0
    while True:
        with monkeypatch.context() as patch:
            faults = Faults(patch, "open", "fsync", "mkdir", "fchmod")
            faults.at = lambda n, last=failed + 1: n == last  # type: ignore[misc]
            try:
                old.replace(NEW)
            except ToolError:
                failed += 1
            else:
                if faults.calls <= failed:
                    break
                old.replace(BACK)
                failed += 1
                continue

        assert snapshot(old.base) == expected(OLD)
        assert nothing_left(old.base)

    assert failed > 30


def test_a_full_disk_is_told_in_a_sentence(old: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = Faults(monkeypatch, "fchmod")
    faults.at = lambda _: True

    with pytest.raises(ToolError) as caught:
        old.replace(NEW)

    assert str(caught.value) == 'cannot write "overlays/hub": no space left on device; nothing was changed'
    assert caught.value.exit == Exit.TOOL


@pytest.mark.parametrize("at", range(2, RENAMES + 1))
def test_what_cannot_be_undone_is_finished_later(old: Repository, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    with monkeypatch.context() as patch:
        faults = Faults(patch, "rename", "replace")
        faults.at = lambda n: n >= at
        with pytest.raises(ToolError, match=r"nothing was changed|the next meshc command that writes will finish this"):
            old.replace(NEW)

    if old.recover():
        assert snapshot(old.base) == expected(NEW)
    else:
        assert snapshot(old.base) == expected(OLD)
    assert nothing_left(old.base)


def test_a_failed_clean_up_is_done_at_the_next_start(old: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        Faults(patch, "rmdir", "unlink").at = lambda _: True
        assert old.replace(NEW).removed == ("overlays/gone",)
    assert not nothing_left(old.base)

    assert old.recover()
    assert snapshot(old.base) == expected(NEW)
    assert nothing_left(old.base)


# Killed.

CHANGES = ("rename", "replace", "link", "unlink", "rmdir", "mkdir", "fsync", "fchmod")


def survives(work: Callable[[], object], kill_at: int, among: tuple[str, ...] = CHANGES) -> bool:
    """Runs `work` in a child that is killed at the n-th of some calls, or reaches the end."""
    child = os.fork()
    if child == 0:

        def die(call: int) -> bool:
            if call == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return False

        try:
            with pytest.MonkeyPatch.context() as patch:
                Faults(patch, *among).at = die
                work()
        except BaseException:
            os._exit(3)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status == 0


def test_a_killed_run_is_all_or_nothing_wherever_it_dies(old: Repository) -> None:
    outcomes: list[bool] = []
    while not survives(lambda: old.replace(NEW), kill_at=len(outcomes) + 1):
        old.recover()
        now = snapshot(old.base)

        assert now in (expected(OLD), expected(NEW))
        assert nothing_left(old.base)
        outcomes.append(now == expected(NEW))
        old.replace(BACK)

    assert snapshot(old.base) == expected(NEW)
    assert outcomes == sorted(outcomes)  # nothing, until the journal is written; then everything
    assert outcomes.count(False) > RENAMES
    assert outcomes.count(True) > RENAMES


def test_undoing_may_itself_be_killed_anywhere(old: Repository) -> None:
    def fail_at_the_last_rename() -> None:
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, "rename", "replace").at = lambda n: n == RENAMES
            with pytest.raises(ToolError):
                old.replace(NEW)

    for at in itertools.count(1):
        if survives(fail_at_the_last_rename, kill_at=at):
            break
        old.recover()

        assert snapshot(old.base) in (expected(OLD), expected(NEW))
        assert nothing_left(old.base)
        old.replace(BACK)

    assert snapshot(old.base) == expected(OLD)


def test_recovery_may_itself_be_killed_anywhere(old: Repository) -> None:
    every = 1 if in_full() else 3  # on a laptop each third moment at which the run before was killed
    for at in itertools.count(1, every):
        if survives(lambda: old.replace(NEW), kill_at=at, among=("rename", "replace", "rmdir")):
            break
        done = False
        for step in itertools.count(1):
            if survives(old.recover, kill_at=step):
                break
            done = done or snapshot(old.base) == expected(NEW)
            assert step < 100

        assert snapshot(old.base) in ([expected(NEW)] if done else [expected(OLD), expected(NEW)])
        assert nothing_left(old.base)
        old.replace(BACK)


def killed_in_the_middle(old: Repository) -> None:
    """Leaves a journal, with overlays/hub moved aside and nothing in its place."""
    script = f"""
import os, signal
from pathlib import Path
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_disk import NEW
from meshc.disk.repository import Repository
real, count = os.rename, 0
def rename(*args):
    global count
    count += 1
    if count == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    real(*args)
os.rename = rename
Repository.around(Path({str(old.base)!r})).replace(NEW)
"""
    assert subprocess.run([sys.executable, "-c", script]).returncode == -signal.SIGKILL
    assert not (old.base / "overlays" / "hub").exists()


def test_the_next_write_settles_what_a_killed_run_left(old: Repository) -> None:
    killed_in_the_middle(old)

    assert old.replace(NEW) == Written()
    assert snapshot(old.base) == expected(NEW)


@pytest.mark.parametrize(
    "journal",
    [
        b"",
        b"{",
        b"[]",
        b'{"units": []}',
        b'{"generated": true, "units": {"overlays/hub": true}}',
        b'{"generated": true, "units": {"overlays/hub": {"before": null, "after": "x"}}}',
        b'{"generated": true, "units": {"../../x": {"before": null, "after": null}}}',
        b'{"generated": true, "units": {".git/hooks": {"before": null, "after": null}}}',
        b'{"generated": true, "units": {"mesh.yaml": {"before": null, "after": null}}}',
        b'{"generated": false, "units": {"/etc/x.yaml": {"before": null, "after": null}}}',
        b'{"generated": false, "units": {".github/workflows/ci.yml": {"before": null, "after": null}}}',
        b'{"generated": false, "units": {"venv/lib/x.pth": {"before": null, "after": null}}}',
        b'{"generated": 1, "units": {}}',
        b"[" * 100_000,
    ],
    ids=lambda journal: journal[:70],
)
def test_a_damaged_journal_loses_no_file(old: Repository, journal: bytes) -> None:
    killed_in_the_middle(old)
    old.state.journal.unlink()
    old.state.write_journal(journal)
    before = snapshot(old.base, everything=True)

    for use in (old.recover, lambda: old.replace(NEW)):
        with pytest.raises(
            RefusedError,
            match=r'journal\.json" is damaged.*\n  hint: copy files .* from \.meshc/transaction/old',
        ):
            use()

    assert snapshot(old.base, everything=True) == before


def test_a_lost_journal_loses_no_file(old: Repository) -> None:
    killed_in_the_middle(old)
    old.state.journal.unlink()
    before = snapshot(old.base, everything=True)

    for use in (old.recover, lambda: old.replace(NEW)):
        with pytest.raises(RefusedError, match=r'^"\.meshc/transaction/old" has files, but there is no journal'):
            use()

    assert snapshot(old.base, everything=True) == before


def plant(old: Repository, *, units: dict[str, dict[str, str | None]], mode: int = 0o644) -> None:
    """What a branch can bring: the folder of an interrupted run, with files to be put in place, and a journal."""
    new = old.base / ".meshc" / "transaction" / "new"
    new.mkdir(parents=True, exist_ok=True)
    for unit in units:
        (new / quote(unit, safe="")).write_bytes(made("planted"))
    for folder in (old.base / ".meshc", new.parent):
        journal = folder / "journal.json"
        journal.write_text(json.dumps({"generated": True, "units": units}))
        journal.chmod(mode)


PLANTED = {
    "overlays/hub": {"before": None, "after": digest({"overlays/hub": made("planted")})},
    "overlays/mine": {"before": digest({"overlays/mine/notes.txt": b"mine"}), "after": None},
}


def test_a_planted_transaction_is_never_believed(old: Repository) -> None:
    plant(old, units=PLANTED)

    assert not old.recover()
    old.refuse_interrupted()
    assert snapshot(old.base) == expected(OLD)

    old.replace(NEW)
    assert snapshot(old.base) == expected(NEW)
    assert nothing_left(old.base)


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o777])
def test_a_folder_that_somebody_else_made_is_not_believed(tmp_path: Path, mode: int) -> None:
    """Without Git, modes tell: no checkout and no archive of a branch gives a folder 0700 and a file 0400 at once."""
    old = Repository.around(tmp_path)
    (tmp_path / ".meshc").mkdir()
    plant(old, units=PLANTED, mode=0o644 if mode == 0o700 else 0o400)
    (tmp_path / ".meshc").chmod(mode)

    old.refuse_interrupted()
    if mode == 0o700:
        assert not old.recover()
    else:
        with pytest.raises(RefusedError, match=r'^"\.meshc" isn\'t a folder of the current user alone, with mode 0700'):
            old.recover()
    assert not (tmp_path / "overlays").exists()


def test_what_is_staged_is_taken_only_with_the_digest_of_the_journal(old: Repository) -> None:
    killed_in_the_middle(old)
    for staged in (old.base / ".meshc" / "transaction" / "new").rglob("b.yaml"):
        staged.write_bytes(made("planted"))

    assert old.recover()
    assert snapshot(old.base) == expected(OLD)
    assert nothing_left(old.base)


def test_what_was_set_aside_is_put_back_only_with_the_digest_of_the_journal(old: Repository) -> None:
    killed_in_the_middle(old)
    for waiting in ("new", "old"):
        for file in (old.base / ".meshc" / "transaction" / waiting).rglob("*.yaml"):
            file.write_bytes(made("planted"))

    assert old.recover()  # what was generated is generated again
    assert "planted" not in "".join(map(bytes.decode, snapshot(old.base).values()))


def test_a_reading_command_says_that_an_interrupted_run_waits(old: Repository) -> None:
    old.refuse_interrupted()
    killed_in_the_middle(old)
    before = snapshot(old.base, everything=True)

    with pytest.raises(RefusedError, match=r"interrupted while it wrote.*\n  hint: run meshc compile"):
        old.refuse_interrupted()

    assert snapshot(old.base, everything=True) == before


def test_files_of_the_user_that_changed_since_are_kept(repository: Repository) -> None:
    (repository.base / "mesh.yaml").write_bytes(b"old")
    (repository.base / "sealed.yaml").write_bytes(b"old")
    both = {name: Change(b"old", b"new") for name in ("mesh.yaml", "sealed.yaml")}
    assert not survives(lambda: repository.change(both), kill_at=4, among=("rename",))
    (repository.base / "sealed.yaml").write_bytes(b"edited since")

    with pytest.raises(RefusedError, match=r'^"sealed\.yaml" is not what an interrupted run left'):
        repository.recover()
    assert (repository.base / "sealed.yaml").read_bytes() == b"edited since"

    (repository.base / "sealed.yaml").write_bytes(b"old")
    assert repository.recover()
    assert snapshot(repository.base) == {"mesh.yaml": b"new", "sealed.yaml": b"new"}


@pytest.mark.parametrize("path", [".github/workflows/ci.yml", ".gitattributes", "bin/meshc", "x.pth", ".meshc/x.yaml"])
def test_no_command_writes_a_file_of_another_kind(repository: Repository, path: str) -> None:
    with pytest.raises(RefusedError, match="is not a place where meshc writes files"):
        repository.change({path: Change(None, b"x")})

    assert snapshot(repository.base) == {}


def test_recovery_refuses_to_run_over_a_file_made_in_the_meantime(old: Repository) -> None:
    killed_in_the_middle(old)
    mine = old.base / "overlays" / "hub" / "mine.yaml"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")

    with pytest.raises(RefusedError, match=r'"overlays/hub/mine\.yaml" is where meshc would write'):
        old.recover()
    assert mine.read_bytes() == b"mine"

    mine.rename(old.base / "mine.yaml")
    assert old.recover()
    assert snapshot(old.base) == expected(NEW) | {"mine.yaml": b"mine"}


def test_recovery_bears_with_a_unit_restored_by_hand(old: Repository) -> None:
    killed_in_the_middle(old)
    restored = old.base / "overlays" / "hub" / "a.yaml"
    restored.parent.mkdir()
    restored.write_bytes(made("a: 1"))

    assert old.recover()
    assert snapshot(old.base) == expected(NEW)


def test_without_a_leftover_recovery_writes_nothing(repository: Repository) -> None:
    assert not repository.recover()
    assert not (repository.base / ".meshc").exists()
    assert not repository.state.folder.exists()


# Files that aren't meshc's.


@pytest.mark.parametrize("content", [NEW["overlays/hub"], OLD["overlays/hub"], None])
def test_a_foreign_file_is_kept_and_named(old: Repository, content: FileTree | None) -> None:
    (old.base / "overlays/hub/patches/mine.yaml").write_bytes(b"mine")
    before = snapshot(old.base)

    with pytest.raises(RefusedError) as caught:
        old.replace(NEW | {"overlays/hub": content})

    assert str(caught.value) == (
        '"overlays/hub/patches/mine.yaml" is where meshc would write, but not made by meshc; '
        "nothing was changed; move your own files to another folder, for example to one that mesh.yaml names"
    )
    assert caught.value.exit == Exit.REFUSED
    assert snapshot(old.base) == before
    assert nothing_left(old.base)


def test_many_foreign_files_are_counted(old: Repository) -> None:
    for n in range(12):
        (old.base / f"overlays/hub/mine-{n:02}.yaml").write_bytes(b"mine")

    with pytest.raises(RefusedError, match=r'"overlays/hub/mine-09.yaml" and 2 more are where'):
        old.replace(NEW)


def test_somebodys_own_folder_is_left_alone_until_meshc_needs_the_place(old: Repository) -> None:
    assert old.replace({"overlays/mine": None}) == Written()
    with pytest.raises(RefusedError, match=r"overlays/mine/notes\.txt"):
        old.replace({"overlays/mine": FileTree({"x.yaml": made("x")})})

    assert snapshot(old.base) == expected(OLD)


def test_what_was_generated_is_read_back(old: Repository) -> None:
    (old.base / "overlays/hub/mine.yaml").write_bytes(b"mine")

    tree = old.read_generated(["overlays", "output", "nowhere"])

    of_units = {path: data for path, data in expected(OLD).items() if path != "overlays/mine/notes.txt"}
    assert tree == FileTree(of_units | {"overlays/hub/mine.yaml": b"mine"})
    assert foreign(tree) == ("overlays/hub/mine.yaml",)


# Links.


@pytest.mark.parametrize("spot", ["overlays/hub/link", "overlays/hub/patches", "overlays/hub", "overlays", ".meshc"])
@pytest.mark.parametrize("folder", [False, True])
def test_a_link_among_what_is_generated_is_refused(old: Repository, tmp_path: Path, spot: str, folder: bool) -> None:
    canary = tmp_path / "canary"
    canary.mkdir()
    (canary / "canary.yaml").write_bytes(made("canary"))
    link = old.base / spot
    if link.exists():
        link.rename(tmp_path / "aside")
    link.symlink_to(canary if folder else canary / "canary.yaml")

    with pytest.raises(RefusedError, match=f'"{spot}" is(n.t a folder| a symbolic link)'):
        old.replace(NEW)
    if spot != ".meshc":
        with pytest.raises(IrregularError, match=f'"{spot}" is a symbolic link'):
            old.read_generated(["overlays", "output"])
    assert snapshot(canary) == {"canary.yaml": made("canary")}


@pytest.mark.parametrize("spot", ["transaction", "transaction/old", "transaction/new"])
@pytest.mark.parametrize("interrupted", [True, False])
def test_a_link_in_a_leftover_is_refused(old: Repository, tmp_path: Path, spot: str, interrupted: bool) -> None:
    canary = tmp_path / "canary"
    (canary / "new").mkdir(parents=True)
    (canary / "overlays%2Fhub").write_bytes(made("canary"))
    if interrupted:
        killed_in_the_middle(old)
    before = snapshot(old.base)
    link = old.base / ".meshc" / spot
    link.parent.mkdir(exist_ok=True, parents=True)
    if link.exists():
        link.rename(tmp_path / "aside")
    link.symlink_to(canary)

    if spot == "transaction/new" and not interrupted:
        old.replace(NEW)  # the link is removed, with all that nobody claims
    else:
        with pytest.raises(IrregularError, match=f'"\\.meshc/{spot}" is a symbolic link'):
            old.recover() if interrupted else old.replace(NEW)
        assert snapshot(old.base) == before
    assert snapshot(canary) == {"overlays%2Fhub": made("canary")}


def test_a_journal_that_is_a_link_is_not_read(old: Repository, tmp_path: Path) -> None:
    (tmp_path / "canary").write_bytes(b"{}")
    old.state.journal.symlink_to(tmp_path / "canary")

    assert not old.recover()


def test_a_link_among_the_inputs_is_refused(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_bytes(b"key")
    (repository.base / "inputs").mkdir()
    (repository.base / "inputs" / "file").symlink_to(tmp_path / "secret" / "key")
    (repository.base / "folder").symlink_to(tmp_path / "secret")
    (repository.base / "dangling").symlink_to("nowhere")
    (repository.root / "shared").symlink_to(tmp_path / "secret")

    for path, link in {
        "inputs/file": "inputs/file",
        "folder/key": "folder",
        "dangling": "dangling",
        "../shared/key": "../shared",
    }.items():
        with pytest.raises(IrregularError, match=f'^"{link}" is a symbolic link'):
            repository.read_file(path)
        with pytest.raises(IrregularError, match=f'^"{link}" is a symbolic link'):
            repository.kind(path)
    for path, link in {"inputs": "inputs/file", "folder": "folder", "../shared": "../shared"}.items():
        with pytest.raises(IrregularError, match=f'^"{link}" is a symbolic link'):
            repository.list_files(path)


def test_links_above_the_repository_are_the_persons_own(repository: Repository, tmp_path: Path) -> None:
    (repository.base / "x").write_bytes(b"x")
    (tmp_path / "link").symlink_to(repository.root)

    assert Repository.around(tmp_path / "link" / "mesh") == repository
    assert Repository.around(tmp_path / "link" / "mesh").read_file("x") == b"x"


# Reading inputs.


def test_the_repository_is_the_nearest_folder_with_git(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "worktree").mkdir()
    (tmp_path / "worktree" / ".git").write_bytes(b"gitdir: elsewhere\n")

    assert repository.root == tmp_path.resolve() / "repo"
    assert enclosing(tmp_path / "worktree") == tmp_path / "worktree"
    assert enclosing(Path("/proc")) == Path("/proc")
    assert repository.from_top == "mesh"
    assert Repository.around(tmp_path / "repo").from_top == "."
    assert Repository.around(tmp_path).from_top is None


@pytest.mark.parametrize(
    ("path", "located"),
    [
        ("a", "a"),
        ("./a//b/", "a/b"),
        ("a/../b", "b"),
        ("../x", "../x"),
        ("../mesh/x", "x"),
        (".", "."),
        ("..", ".."),
    ],
)
def test_a_path_is_located(repository: Repository, path: str, located: str) -> None:
    assert repository.locate(path) == located


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "the path is empty"),
        ("/etc/passwd", '"/etc/passwd" is absolute; write it relative to the file that contains it'),
        ("//etc", '"//etc" is absolute; write it relative to the file that contains it'),
        ("../../x", '"../../x" leaves the repository'),
        ("../../repo-2/x", '"../../repo-2/x" leaves the repository'),
        ("a\nb", '"a\\nb" contains a control character'),
        ("a\x00b", '"a\\u0000b" contains a control character'),
        ("a\u202eb", '"a\\u202eb" contains a control character'),
        ("a\\b", '"a\\\\b" contains a backslash; separate folders by /'),
        ("../.git/config", '"../.git/config" belongs to Git itself'),
        ("../.GIT/config", '"../.GIT/config" belongs to Git itself'),
    ],
)
def test_a_path_that_leads_out_is_refused(repository: Repository, path: str, why: str) -> None:
    for use in (repository.locate, repository.read_file, repository.kind, repository.list_files):
        with pytest.raises(OutsideError) as caught:
            use(path)
        assert str(caught.value) == why
        assert caught.value.exit == Exit.REFUSED


@given(st.text(st.sampled_from("./ab\\\n~"), max_size=12))
def test_no_path_leads_out(path: str) -> None:
    repository = Repository(Path("/repo/ab"), Path("/repo"))
    try:
        located = repository.locate(path)
    except OutsideError:
        return

    landed = os.path.normpath(repository.base / located)
    assert landed == "/repo" or landed.startswith("/repo/")
    assert repository.locate(located) == located


def test_inputs_are_read(repository: Repository) -> None:
    (repository.base / "in" / "deep").mkdir(parents=True)
    for path in ("in/b.yaml", "in/deep/a.yaml", "in/deep.yaml", "in/.hidden", "in/deep/.keep"):
        (repository.base / path).write_bytes(path.encode())
    (repository.root / "shared").write_bytes(b"shared")

    assert repository.read_file("in/b.yaml") == b"in/b.yaml"
    assert repository.read_file("../shared") == b"shared"
    assert repository.list_files("in") == ("in/b.yaml", "in/deep.yaml", "in/deep/a.yaml")
    assert repository.list_files("..") == ("../shared", "in/b.yaml", "in/deep.yaml", "in/deep/a.yaml")
    assert [repository.kind(p) for p in ("in", "in/b.yaml", "no", "no/no", "in/b.yaml/x", "n" * 300, ".")] == [
        "folder",
        "file",
        None,
        None,
        None,
        None,
        "folder",
    ]


def test_what_cannot_be_read_as_a_file(repository: Repository) -> None:
    (repository.base / "folder").mkdir()
    (repository.base / "file").write_bytes(b"")
    with (repository.base / "large").open("wb") as file:
        file.truncate(LARGEST_INPUT + 1)

    with pytest.raises(FileNotFoundError):
        repository.read_file("no")
    with pytest.raises(FileNotFoundError):
        repository.list_files("no")
    with pytest.raises(NotADirectoryError):
        repository.list_files("file")
    with pytest.raises(IrregularError, match='"folder" is a folder, not a file'):
        repository.read_file("folder")
    with pytest.raises(IrregularError, match='"large" is larger than 16 MiB'):
        repository.read_file("large")


def test_a_pipe_is_not_waited_for(repository: Repository) -> None:
    os.mkfifo(repository.base / "pipe")
    found: list[str] = []

    def read() -> None:
        for use in (repository.read_file, repository.kind, lambda _: repository.list_files(".")):
            try:
                use("pipe")
            except IrregularError as error:
                found.append(str(error))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(5)

    assert found == ['"pipe" is neither a file nor a folder'] * 3


# Two runs at once.


def test_a_second_writer_is_refused(old: Repository) -> None:
    script = f"""
import fcntl, os
fd = os.open({str(old.state.folder / "lock")!r}, os.O_RDWR)
fcntl.flock(fd, fcntl.LOCK_EX)
os.ftruncate(fd, 0)
os.write(fd, str(os.getpid()).encode())
print("locked", flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        old.state.write_journal(b"{}")

        for use in (lambda: old.replace(NEW), old.recover):
            with pytest.raises(RefusedError) as caught:
                use()
            assert str(caught.value) == (f"another meshc is writing here (process {other.pid}); wait until it is done")
        old.state.journal.unlink()
        other.communicate("\n")

    old.replace(NEW)
    assert snapshot(old.base) == expected(NEW)


def test_of_many_writers_at_once_none_mixes(old: Repository) -> None:
    states = [NEW, BACK] * 3
    errors: list[MeshcError] = []

    def work(units: Units) -> None:
        try:
            old.replace(units)
        except MeshcError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(units,)) for units in states]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(isinstance(error, RefusedError) for error in errors)
    assert snapshot(old.base) in (expected(OLD), expected(NEW))


# Cache, scratch, new files.

KEY = "ab" * 32


def test_the_cache_gives_back_what_it_was_given(repository: Repository) -> None:
    assert repository.cache_get(KEY) is None
    for data in (b"", b"one", b"two"):
        repository.cache_put(KEY, data)

        assert repository.cache_get(KEY) == data
    assert [path.name for path in (repository.state.folder / "cache" / "a").iterdir()] == [KEY]


@pytest.mark.parametrize("harm", [lambda b: b[:-1], lambda b: b"", lambda b: b + b"x", lambda b: b"x" + b[1:]])
def test_a_damaged_entry_is_a_miss(repository: Repository, harm: Callable[[bytes], bytes]) -> None:
    repository.cache_put(KEY, b"data")
    entry = repository.state.folder / "cache" / "a" / KEY
    stored = entry.read_bytes()
    entry.unlink()
    entry.write_bytes(harm(stored))
    entry.chmod(0o400)

    assert repository.cache_get(KEY) is None


def test_an_entry_under_another_key_is_a_miss(repository: Repository) -> None:
    repository.cache_put(KEY, b"data")
    entry = repository.state.folder / "cache" / "a" / KEY
    other = "ab" * 31 + "cd"
    entry.rename(entry.with_name(other))

    assert repository.cache_get(other) is None


def test_an_entry_as_git_checks_it_out_is_a_miss(repository: Repository) -> None:
    repository.cache_put(KEY, b"data")
    (repository.state.folder / "cache" / "a" / KEY).chmod(0o644)

    assert repository.cache_get(KEY) is None


def test_a_cache_that_cannot_be_written_only_costs_time(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("replace", "fchmod", "mkdir"):
        with monkeypatch.context() as patch:
            Faults(patch, name).at = lambda _: True
            repository.cache_put(KEY, b"data")
        assert repository.cache_get(KEY) is None
        folder = repository.state.folder / "cache" / "a"
        assert not folder.exists() or list(folder.iterdir()) == []


@pytest.mark.parametrize("spot", ["", "cache", "cache/a"])
def test_a_linked_cache_is_not_used(repository: Repository, tmp_path: Path, spot: str) -> None:
    canary = tmp_path / "canary"
    (canary / "cache" / "a").mkdir(parents=True)
    link = repository.state.folder / spot
    repository.state.make()
    link.parent.mkdir(exist_ok=True)
    if not spot:
        link.rmdir()
    link.symlink_to(canary)

    repository.cache_put(KEY, b"data")
    assert repository.cache_get(KEY) is None
    assert snapshot(canary) == {}


def test_a_cache_in_the_work_tree_is_never_read(tmp_path: Path) -> None:
    plain = Repository.around(tmp_path)
    plain.cache_put(KEY, b"planted")
    assert plain.cache_get(KEY) == b"planted"
    make_git(tmp_path)

    assert Repository.around(tmp_path).cache_get(KEY) is None


@pytest.mark.parametrize("key", ["", "../../x", "AB" * 32, "abcdef12\n"])
def test_a_cache_key_is_a_digest(repository: Repository, key: str) -> None:
    with pytest.raises(ValueError, match="is not a cache key"):
        repository.cache_put(key, b"data")


def test_a_scratch_folder_is_private_and_goes() -> None:
    files = FileTree({"a.yaml": b"a", "deep/b.yaml": b"b"})
    with scratch(files) as folder:
        assert snapshot(folder) == files
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder == folder.resolve()

    assert not folder.exists()


def test_new_files_are_created(repository: Repository) -> None:
    files = FileTree({"mesh.yaml": b"mesh", "inputs/deep/x.yaml": b"x"})
    repository.create(files)

    assert snapshot(repository.base) == files


def test_what_exists_is_never_overwritten(repository: Repository) -> None:
    repository.create(FileTree({"b": b"mine", "c/c": b"mine"}))

    with pytest.raises(RefusedError) as caught:
        repository.create(FileTree({"a": b"a", "b": b"b", "c": b"c"}))
    assert str(caught.value) == '"b", "c" are already there; nothing was written'
    assert snapshot(repository.base) == {"b": b"mine", "c/c": b"mine"}


def test_new_files_are_not_created_through_a_link(repository: Repository, tmp_path: Path) -> None:
    (repository.base / "link").symlink_to(tmp_path)

    for path in ("link", "link/x"):
        with pytest.raises(IrregularError, match='"link" is a symbolic link'):
            repository.create(FileTree({"a": b"a", path: b"x"}))
    assert snapshot(repository.base) == {}
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("at", [1, 2, 3])
def test_of_new_files_none_is_left_after_a_failure(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    with monkeypatch.context() as patch:
        Faults(patch, "fchmod").at = lambda n: n == at
        with pytest.raises(ToolError, match="no space left on device; nothing was written"):
            repository.create(FileTree({"a": b"a", "d/b": b"b", "d/e/c": b"c"}))

    assert list(repository.base.iterdir()) == []
