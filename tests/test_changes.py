"""Files of the user's that commands change: all of them or none, and never over somebody else's edit."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from meshc.disk.repository import Repository
from meshc.disk.scratch import clear_leftovers
from meshc.disk.units import Change
from meshc.errors import RefusedError, ToolError

OLD = {"certificates/hub/ca-cert.pem": b"old", "sealed/hub/cacerts.yaml": b"old", "sealed/gone.yaml": b"old"}
NEW = {"certificates/hub/ca-cert.pem": b"new", "sealed/hub/cacerts.yaml": b"new", "certificates/edge/a.pem": b"new"}
CHANGES = {path: Change(OLD.get(path), NEW.get(path)) for path in sorted({*OLD, *NEW})}


def written(folder: Path) -> Repository:
    for path, data in OLD.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return Repository.around(folder)


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and ".meshc" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_files_come_change_and_go_together(tmp_path: Path) -> None:
    written(tmp_path).change({**CHANGES, ".sops.yaml": Change(None, b"rules")})

    assert files(tmp_path) == {**NEW, ".sops.yaml": b"rules"}
    assert not (tmp_path / ".meshc/transaction").exists()


def test_an_edit_in_the_meantime_is_kept(tmp_path: Path) -> None:
    repository = written(tmp_path)
    (tmp_path / "sealed/hub/cacerts.yaml").write_bytes(b"theirs")
    (tmp_path / "certificates/edge").mkdir()
    (tmp_path / "certificates/edge/a.pem").write_bytes(b"theirs too")
    before = files(tmp_path)

    with pytest.raises(RefusedError, match=r'"certificates/edge/a.pem", "sealed/hub/cacerts.yaml" are changed') as told:
        repository.change(CHANGES)

    assert "nothing was written" in str(told.value)
    assert files(tmp_path) == before


@pytest.mark.parametrize("path", ["../outside", "/absolute", "a/../b"])
def test_paths_outside_are_a_mistake_of_ours(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="is not a path inside the tree"):
        written(tmp_path).change({path: Change(None, b"x")})


@pytest.mark.parametrize("number", range(8))
def test_a_disk_that_fails_leaves_all_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    repository, calls, rename = written(tmp_path), iter(range(100)), os.rename

    def failing(source: str | Path, target: str | Path) -> None:
        if next(calls) == number:
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    if number < 6:  # three old files move away, three new ones into place
        with pytest.raises(ToolError, match="no space left on device"):
            repository.change(CHANGES)

        assert files(tmp_path) == OLD
    else:
        repository.change(CHANGES)

        assert files(tmp_path) == NEW


@pytest.mark.parametrize("number", range(7))
def test_a_killed_run_is_finished_by_the_next(tmp_path: Path, number: int) -> None:
    repository = written(tmp_path)
    child = os.fork()
    if not child:
        calls, rename = iter(range(100)), os.rename

        def dying(source: str | Path, target: str | Path) -> None:
            if next(calls) == number:
                os._exit(9)
            rename(source, target)

        os.rename = dying  # type: ignore[assignment]
        repository.change(CHANGES)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    killed = os.waitstatus_to_exitcode(status) == 9
    repository.recover()

    assert files(tmp_path) == NEW
    assert not (tmp_path / ".meshc/transaction").exists()
    assert killed == (number < 6)


def test_nothing_is_touched_where_nothing_changes(tmp_path: Path) -> None:
    repository = written(tmp_path)
    before = {path: (tmp_path / path).stat().st_ino for path in OLD}
    repository.change({path: Change(data, data) for path, data in OLD.items()})

    assert {path: (tmp_path / path).stat().st_ino for path in OLD} == before


def test_a_planted_transaction_brings_no_hidden_file(tmp_path: Path) -> None:
    """Whoever can commit below .meshc must not have the next command move a workflow or a hook into place."""
    repository = written(tmp_path)
    new = tmp_path / ".meshc/transaction/new"
    new.mkdir(parents=True)
    (new / ".github%2Fevil.yml").write_bytes(b"evil")
    (new.parent / "journal.json").write_bytes(b'{"generated": false, "units": {".github/evil.yml": true}}')
    with pytest.raises(RefusedError, match="isn't a folder of the current user alone"):
        repository.recover()

    assert files(tmp_path) == OLD


def test_temporary_folders_of_killed_runs_are_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left, held, link = (tmp_path / f"meshc-scratch-{name}" for name in ("left", "held", "link"))
    others = [tmp_path / "other", tmp_path / "meshc-backup"]
    for folder in (left, held, *others):
        folder.mkdir()
        (folder / "file").write_text("x")
    lock = os.open(held, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    link.symlink_to(tmp_path / "other")
    clear_leftovers()
    os.close(lock)

    assert set(tmp_path.iterdir()) == {held, link, *others}
    assert (tmp_path / "other/file").exists()
