"""`make release` in a copy of the repository: each reason to refuse, then a release; what its changelog is read for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from changelog import sections
from meshc import __version__
from record import CASES
from sbom import pins
from support.paths import ROOT
from support.tools import find_tool, need_time

pytestmark = pytest.mark.thorough

UNRELEASED = f"## {__version__} (unreleased)\n"
DATED = f"## {__version__} (2026-12-01)\n"


class Copy:
    """A repository of its own, with what the working tree of this one holds, but for most cases."""

    def __init__(self, folder: Path) -> None:
        self.base, self.dist = folder / "copy", folder / "dist"
        self.environment = {**os.environ, "PYTHONPATH": str(self.base / "compiler")}
        for name in ("AUTHOR", "COMMITTER"):
            self.environment |= {f"GIT_{name}_NAME": "a", f"GIT_{name}_EMAIL": "a@example.com"}
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
        )
        for name in listed.stdout.splitlines():
            if ("/cases/" not in name or set(CASES) & set(Path(name).parts)) and (ROOT / name).is_file():
                (self.base / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.base / name)
        self.git("init", "-q", "-b", "main")
        self.changelog(UNRELEASED)
        self.commit()

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.base, env=self.environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("-c", "commit.gpgsign=false", "commit", "-qm", "a commit")

    def changelog(self, heading: str) -> None:
        text = f"# Changes\n\n{heading}\n### Added\n\n* Releases\n\n## 0.0.1 (2026-01-01)\n"
        (self.base / "CHANGELOG.md").write_text(text)

    def release(self, code: int) -> str:
        """What is told, on both streams."""
        command = [sys.executable, str(self.base / "release/release.py"), "--dist", str(self.dist)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


def test_a_release_is_refused_until_all_is_ready_and_then_made(tmp_path: Path) -> None:
    need_time("a release")
    for tool in ("git", "kubectl", "uv"):
        find_tool(tool)
    copy = Copy(tmp_path)

    assert "is unreleased. Write the date of today instead" in copy.release(1)
    copy.changelog(DATED)
    assert "not committed: CHANGELOG.md. Commit" in copy.release(1)
    copy.changelog("## 9.9.9 (2026-12-01)\n")
    copy.commit()
    assert f"has no section for {__version__}" in copy.release(1)
    copy.changelog("## next\n")
    copy.commit()
    assert '"## next" in CHANGELOG.md is not of the form' in copy.release(1)
    copy.changelog(DATED)
    copy.commit()
    copy.dist.mkdir()
    (copy.dist / "meshc-0.0.1.tar.gz").touch()
    assert "holds files already. Remove them" in copy.release(1)
    shutil.rmtree(copy.dist)
    shutil.rmtree(copy.base / "tests/releases")
    copy.commit()
    assert "Commit tests/releases, then run make release again" in copy.release(1)
    assert (copy.dist.exists(), copy.git("tag")) == (False, "")

    copy.commit()
    told = copy.release(0)
    assert told.endswith(f"git push origin v{__version__}\n")
    assert copy.git("status", "--porcelain") == ""
    assert copy.git("cat-file", "-t", f"v{__version__}") == "tag\n"
    assert copy.git("tag", "-l", "--format=%(contents)").strip() == f"meshc {__version__}\n\n### Added\n\n* Releases"
    lines = [line.split("  ") for line in (copy.dist / "SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, name in lines}
    assert sums == {
        path.name: sha256(path.read_bytes()).hexdigest() for path in copy.dist.iterdir() if path.name != "SHA256SUMS"
    }
    stem = f"meshc-{__version__}"
    assert sorted(sums) == [
        f"{stem}-man.tar.gz",
        f"{stem}-py3-none-any.whl",
        f"{stem}.cdx.json",
        f"{stem}.tar.gz",
    ]
    with tarfile.open(copy.dist / f"{stem}-man.tar.gz") as archive:
        pages = archive.getnames()
        compiling = archive.extractfile("man1/meshc-compile.1")
        assert compiling
        assert compiling.read().startswith(b".TH MESHC-COMPILE 1 ")
    assert {"man1/meshc.1", "man1/meshc-ca-issue.1"} <= set(pages)
    the_bill_lists_what_is_pinned(copy.dist / f"{stem}.cdx.json")

    copy.dist = tmp_path / "again"
    assert f"the tag v{__version__} exists already" in copy.release(1)


def the_bill_lists_what_is_pinned(file: Path) -> None:
    bill = json.loads(file.read_text())
    locked = list(pins((ROOT / "requirements/live.txt").read_text()))
    digests = {
        one["purl"]: {each["content"] for reference in one["externalReferences"] for each in reference["hashes"]}
        for one in bill["components"]
    }
    needed = {part for one in bill["dependencies"] for part in one.get("dependsOn", [])}

    assert digests == {f"pkg:pypi/{pin.name}@{pin.version}": set(pin.digests) for pin in locked}
    assert needed == set(digests)
    assert "timestamp" not in bill["metadata"]


def test_the_changelog_can_be_read() -> None:
    found = sections((ROOT / "CHANGELOG.md").read_text())

    assert found[0].version >= found[-1].version
    assert str(found[0].version) == __version__


def test_a_section_names_the_output_that_it_changes() -> None:
    listed = "* `output/*/a.yaml`: why\n  `not/this`: x\n* `b`: c\n"
    text = f"# C\n\n## 0.2.0 (unreleased)\n\n### Changed output\n\n{listed}\n### Fixed\n\n* `z`: y\n"

    assert [one.changed_output() for one in sections(text)] == [("output/*/a.yaml", "b")]
    with pytest.raises(ValueError, match="not of the form"):
        sections("## 0.2 (today)\n")
