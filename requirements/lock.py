"""Makes the lock files, and the pins of .pre-commit-hooks.yaml and ci/gitlab.yml: make lock

A version stays as it is while pyproject.toml allows it. With --upgrade every version becomes the newest that
pyproject.toml allows. Only settings of the network are taken from the environment, so that every machine makes the
same files.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
HOOKS = ROOT / ".pre-commit-hooks.yaml"
GITLAB = ROOT / "ci/gitlab.yml"

WHEELS = ("--only-binary=:all:", "--emit-build-options")
SAME = ("--constraints=requirements/dev.txt",)
RUNTIME = ROOT / "compiler/meshc/requirements.txt"
LOWEST = HERE / "lowest.txt"
LOCKS = {
    HERE / "dev.txt": ("pyproject.toml", "--extra=live", "--group=dev", *WHEELS),
    RUNTIME: ("pyproject.toml", *SAME, *WHEELS),
    HERE / "live.txt": ("pyproject.toml", "--extra=live", *SAME, *WHEELS),
    HERE / "build.txt": ("--group=build", *SAME, *WHEELS),
    HERE / "site.txt": ("--group=site", *SAME, *WHEELS),
    LOWEST: ("pyproject.toml", "--extra=live", "--group=dev", "--resolution=lowest-direct", *WHEELS),
    HERE / "downloads.txt": ("--group=downloads", "--no-deps", "--no-binary=kubernetes-validate"),
}
"""What each file locks. dev.txt comes first: where two files pin the same package, they pin the same version.

RUNTIME is in the package, so that a wheel carries the versions it was tested with.
"""

NETWORK = {"UV_CACHE_DIR", "UV_DEFAULT_INDEX", "UV_HTTP_TIMEOUT", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS"}


def lock(uv: str, *, upgrade: bool) -> None:
    """Writes every file of LOCKS. Raises CalledProcessError if uv finds no versions; some files are then still old."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_")) or name in NETWORK
    }
    with tempfile.TemporaryDirectory() as empty:
        environment = {**kept, "UV_NO_SYSTEM_CONFIG": "1", "XDG_CONFIG_HOME": empty}
        for path, what in LOCKS.items():
            command = [uv, "pip", "compile", "--quiet", "--universal", "--python-version=3.11", "--generate-hashes"]
            command += ["--custom-compile-command=make lock", f"--output-file={path.relative_to(ROOT)}", *what]
            command += ["--upgrade"] if upgrade else []
            command += [f"--upgrade-package={name}" for name in named()] if path == LOWEST else []
            subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)


def named() -> set[str]:
    """The packages that pyproject.toml names. For lowest.txt uv takes their versions anew, never those of the file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [*project["project"]["optional-dependencies"].values(), *project["dependency-groups"].values()]
    requirements = sum(groups, project["project"]["dependencies"])
    return {re.split(r"[^\w.-]", one)[0] for one in requirements if isinstance(one, str)}


def pins(text: str) -> Iterator[str]:
    """Each requirement of a lock file, with its marker and without its hashes."""
    for line in text.splitlines():
        if re.match(r"[a-z0-9]", line):
            yield line.removesuffix("\\").rstrip()


def hashed(text: str, package: str) -> str:
    """The requirement of a package in a lock file with its hashes, on one line."""
    (found,) = re.findall(rf"^{package}==(?:.*\\\n)+.*", text, re.MULTILINE)
    return " ".join(str(found).replace("\\", "").split())


def hooks_with(text: str, requirements: list[str]) -> str:
    """The hooks, with these requirements as their additional dependencies. pre-commit takes no hashes there."""
    lines = "".join(f'    - "{requirement}"\n' for requirement in requirements)
    return re.sub(r"(additional_dependencies: &pins\b.*\n)(?: {4}- .*\n)*", lambda found: found[1] + lines, text)


def job_with(text: str, pip: str, version: str) -> str:
    """The job for GitLab, with this pip, and this version of meshc by default."""
    text = re.sub(r"MESHC_PIP: .*", lambda _: f'MESHC_PIP: "{pip}"', text)
    return re.sub(r"default: meshc==.*", f"default: meshc=={version}", text)


def main() -> None:
    """Makes the files."""
    lock(str(Path(sys.executable).with_name("uv")), upgrade="--upgrade" in sys.argv[1:])
    HOOKS.write_text(hooks_with(HOOKS.read_text(), list(pins(RUNTIME.read_text()))))
    build = (HERE / "build.txt").read_text()
    (version,) = re.findall(r'__version__ = "(.+)"', (ROOT / "compiler/meshc/version.py").read_text())
    GITLAB.write_text(job_with(GITLAB.read_text(), hashed(build, "pip"), version))


if __name__ == "__main__":
    main()
