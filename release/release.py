"""Makes a release: make release, or make release DIST=/some/folder

It builds the source release and the wheel, installs the wheel into an empty environment and tries it there, writes the
bill of materials, the man pages and the checksums, and makes the tag. It pushes and uploads nothing. If it refuses,
there is no tag and DIST is as it was.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from gzip import GzipFile
from hashlib import sha256
from pathlib import Path

from packaging.version import Version

import record
from changelog import Section, sections
from meshc import __version__
from sbom import bill

ROOT = Path(__file__).parent.parent
TAG = f"v{__version__}"


class Refused(Exception):  # noqa: N818
    """Why there is no release, and what to do."""


def release(dist: Path) -> None:
    """Makes the files in dist and the tag. Raises Refused where something is missing."""
    _refuse_open_work()
    section = _refuse_undated_section()
    _refuse_tag()
    _refuse_full(dist)
    _refuse_old_record()
    with tempfile.TemporaryDirectory() as folder:
        files = _built(Path(folder))
        _try(Path(folder), files[1])
        files.append(Path(folder, f"meshc-{__version__}.cdx.json"))
        files[-1].write_text(bill((ROOT / "requirements/live.txt").read_text(), __version__))
        files.append(_manual(Path(folder)))
        sums = "".join(f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
        dist.mkdir(parents=True, exist_ok=True)
        for path in files:
            shutil.copy(path, dist)
    (dist / "SHA256SUMS").write_text(sums)
    _run("git", "tag", "--annotate", TAG, "--cleanup=verbatim", f"--message=meshc {__version__}\n\n{section.text}")
    print(f"released meshc {__version__} into {dist}\n{sums}")
    print(f"The tag {TAG} exists in this clone only. Look at the files, then push it:\n  git push origin {TAG}")


def _refuse_open_work() -> None:
    """What is released is what is committed."""
    changed = [line[3:] for line in _run("git", "status", "--porcelain").splitlines()]
    if changed:
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        raise Refused(f"these files are not committed: {', '.join(changed[:5])}{more}. Commit them or remove them.")


def _refuse_undated_section() -> Section:
    """The section of this version, which must have a date and stand first."""
    try:
        found = sections((ROOT / "CHANGELOG.md").read_text())
    except ValueError as error:
        raise Refused(f"{error}. Change the heading.") from None
    mine = [section for section in found if section.version == Version(__version__)]
    if not mine:
        raise Refused(
            f"CHANGELOG.md has no section for {__version__}. Write one, or change __version__ in meshc/version.py."
        )
    if mine[0].released is None:
        raise Refused(
            f"CHANGELOG.md says that {__version__} is unreleased. Write the date of today instead, and commit it."
        )
    return mine[0]


def _refuse_tag() -> None:
    if _run("git", "tag", "--list", TAG).strip():
        raise Refused(f"the tag {TAG} exists already. Give __version__ in meshc/version.py the next version.")


def _refuse_full(dist: Path) -> None:
    if dist.exists() and any(dist.iterdir()):
        raise Refused(f"{dist} holds files already. Remove them, or name another folder: make release DIST=...")


def _refuse_old_record() -> None:
    """Later versions compare what they compile with the record of this one, so the record is part of the commit."""
    record.write()
    if _run("git", "status", "--porcelain", "--", str(record.RELEASES)):
        raise Refused(
            f"tests/releases/{__version__} was made now: it records what this version compiles. "
            f"Commit tests/releases, then run make release again."
        )


def _built(folder: Path) -> list[Path]:
    """The source release, and the wheel that is built from it and from nothing else."""
    _hatchling("sdist", ROOT, folder)
    (source,) = folder.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
    _hatchling("wheel", folder / source.name.removesuffix(".tar.gz"), folder)
    return [source, *folder.glob("*.whl")]


def _hatchling(target: str, source: Path, folder: Path) -> None:
    _run(sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder), cwd=source)


def _manual(folder: Path) -> Path:
    """The man pages of all commands, in a folder man1: equal pages give equal bytes."""
    _run(sys.executable, ROOT / "tests/make_cli.py", folder / "man1")
    packed = folder / f"meshc-{__version__}-man.tar.gz"
    with (
        packed.open("wb") as file,
        GzipFile("", "wb", fileobj=file, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        for page in sorted((folder / "man1").iterdir()):
            about = tarfile.TarInfo(f"man1/{page.name}")
            about.size, about.mode = page.stat().st_size, 0o644
            with page.open("rb") as text:
                archive.addfile(about, text)
    return packed


def _try(folder: Path, wheel: Path) -> None:
    """Installs the wheel with its pins into an empty environment, and makes a mesh there."""
    uv = Path(sys.executable).with_name("uv")
    python, meshc, mesh = (folder / path for path in ("empty/bin/python", "empty/bin/meshc", "mesh"))
    install = (uv, "pip", "install", "--quiet", "--python", python)
    _run(uv, "venv", "--quiet", "--python", sys.executable, folder / "empty", cwd=folder)
    _run(*install, "--require-hashes", "--requirements", ROOT / "requirements/live.txt", cwd=folder)
    _run(*install, "--no-deps", wheel, cwd=folder)
    _run(python, "-I", "-c", "import meshc.capture.ask", cwd=folder)
    _run(meshc, "init", mesh, cwd=folder)
    _run(meshc, "compile", cwd=mesh)
    _run(meshc, "check", cwd=mesh)
    said = _run(meshc, "--version", cwd=mesh)
    if said.split()[-1:] != [__version__]:
        raise Refused(f"the wheel calls itself {said.strip()}, not {__version__}. Look at what was built.")


def _run(*command: str | Path, cwd: Path = ROOT) -> str:
    """What a program prints. Raises Refused with its last words if it fails."""
    ours = {name: value for name, value in os.environ.items() if not re.match("PYTHONPATH$|SOURCE_DATE_EPOCH$", name)}
    done = subprocess.run(command, cwd=cwd, env=ours, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip()
        raise Refused(f"{Path(command[0]).name} {command[1]} failed. Mend this, and run make release again.\n{words}")
    return done.stdout


def main() -> None:
    """Exits with 1 and the reason where something is missing."""
    parser = argparse.ArgumentParser(description="Makes a release.")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="the folder for the files")
    try:
        release(parser.parse_args().dist.absolute())
    except Refused as refusal:
        sys.exit(f"no release: {refusal}")


if __name__ == "__main__":
    main()
