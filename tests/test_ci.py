"""What is shipped for CI: the scripts of action.yml and of the GitLab template run in a repository, as hosts do it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from support.clones import Clone
from support.paths import ROOT
from support.tools import find_tool, need_time

pytestmark = pytest.mark.thorough

PROGRAM = """\
#!/bin/sh
exec {python} -m meshc "$@"
"""
HOSTILE = "$(touch it-ran)`touch it-ran`;touch it-ran;\"'"


def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return loaded


NONE: Mapping[str, str] = MappingProxyType({})


class Host:
    """GitHub, as far as a composite action sees it: contexts for expressions, files for outputs, bash for scripts."""

    def __init__(self, folder: Path, workspace: Path, target: str = "") -> None:
        self.temp, self.workspace, self.target = folder, workspace, target
        self.outputs: dict[str, dict[str, str]] = {}
        (folder / "meshc/bin").mkdir(parents=True)
        program = folder / "meshc/bin/meshc"
        program.write_text(PROGRAM.format(python=sys.executable))
        program.chmod(0o755)

    def run(self, step: str, code: int = 0, environment: Mapping[str, str] = NONE, **inputs: str) -> str:
        """Runs the script of a step; what it says on both streams."""
        described = action()
        given = {name: one.get("default", "") for name, one in described["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        (found,) = [one for one in described["runs"]["steps"] if one["id"] == step]
        place = {"env": found.get("env", {}), "cwd": found.get("working-directory", ".")}
        (self.temp / "output").write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", found["run"]],
            cwd=self.workspace / self.value(place["cwd"], given),
            env={
                **os.environ,
                **{name: self.value(text, given) for name, text in place["env"].items()},
                "RUNNER_TEMP": str(self.temp),
                "GITHUB_OUTPUT": str(self.temp / "output"),
                "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        lines = (self.temp / "output").read_text().splitlines()
        self.outputs[step] = dict(line.split("=", 1) for line in lines)
        return done.stdout + done.stderr

    def value(self, text: str, inputs: Mapping[str, str]) -> str:
        """A value with its one expression worked out."""
        found = re.fullmatch(r"\$\{\{ ([\w.-]+) \}\}", text)
        if not found:
            assert "${{" not in text
            return text
        kind, *names = found[1].split(".")
        if kind == "inputs":
            return inputs[names[0]]
        if kind == "steps":
            return self.outputs.get(names[0], {}).get(names[2], "")
        return {"github.event.pull_request.base.sha": self.target, "github.action_path": str(ROOT)}[found[1]]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    find_tool("kubectl")
    (tmp_path / "clone").mkdir()
    return Clone(tmp_path / "clone", driver=True)


def test_no_script_holds_what_comes_from_outside() -> None:
    steps = action()["runs"]["steps"]

    assert [step["id"] for step in steps if "${{" in step.get("run", "")] == []
    assert [step["uses"] for step in steps if not re.search(r"@[0-9a-f]{40}$", step.get("uses", f"@{'0' * 40}"))] == []
    assert [step["id"] for step in steps if "run" in step and step["shell"] != "bash"] == []
    job = gitlab()
    assert not [line for line in (*job["before_script"], *job["script"]) if "$[[" in line]


def test_a_pull_request_is_compared_with_what_it_is_merged_into(clone: Clone, tmp_path: Path) -> None:
    clone.branch("feature", "    - {name: shop}\n", "    - {name: shop}\n    - {name: billing}\n")
    clone.git("switch", "-q", "main")
    clone.git("merge", "-q", "--no-ff", "feature")  # what GitHub checks out
    target = clone.git("rev-parse", "HEAD^1").strip()
    host = Host(tmp_path / "temp", clone.base, target="0" * 40)

    assert "valid: shop" in host.run("validate")
    host.run("base")
    assert host.outputs["base"] == {"commit": target}
    assert host.run("check") == ""
    assert "no secret in plain text" in host.run("scan")
    host.run("diff")
    written = Path(host.outputs["diff"]["comment-file"])
    assert written == tmp_path / "temp/meshc-diff.md"
    assert written.read_text().splitlines()[1].startswith("**3 to add, 0 to change, 0 to delete in 3 clusters**")
    assert (host.temp / "summary").read_text() == written.read_text()

    host.run("diff", fail_on="expiring danger", comment_file="comment.md")
    assert (clone.base / "comment.md").read_text() == written.read_text()

    text = (clone.base / "mesh.yaml").read_text()
    (clone.base / "mesh.yaml").write_text(
        text.replace("    - {name: shop}\n    - {name: billing}", "    - {name: new}")
    )
    host.run("diff", code=1, fail_on="danger")
    assert "MESH809" in written.read_text()
    host.run("report")
    page = Path(host.outputs["report"]["report-file"])
    assert page == tmp_path / "temp/meshc-report.html"
    assert "MESH809" in page.read_text()

    (clone.base / "mesh.yaml").write_text("kind: Mesh\n")
    host.run("report")
    assert "MESH102" in page.read_text()
    assert host.run("report", file="other.yaml").startswith("error: there is no")


def test_a_commit_that_was_not_fetched_is_fetched(clone: Clone, tmp_path: Path) -> None:
    first = clone.git("rev-parse", "HEAD").strip()
    clone.git("config", "uploadpack.allowAnySHA1InWant", "true")
    clone.branch("feature", "    - {name: shop}\n", "    - {name: shop}\n    - {name: billing}\n")
    shallow = tmp_path / "shallow"
    clone.git("clone", "-q", "--depth=1", f"file://{clone.base}", str(shallow))
    host = Host(tmp_path / "temp", shallow, target=first)
    host.run("base")

    assert host.outputs["base"] == {"commit": first}


def test_a_push_has_nothing_to_compare_with(clone: Clone, tmp_path: Path) -> None:
    host = Host(tmp_path / "temp", clone.base)
    host.run("base")

    assert host.outputs["base"] == {}
    assert host.run("check") == ""


def test_a_group_of_a_merge_queue_is_compared_with_the_commit_before_it(clone: Clone, tmp_path: Path) -> None:
    before = clone.git("rev-parse", "HEAD").strip()
    clone.branch("group", "    - {name: shop}\n", "    - {name: shop}\n    - {name: billing}\n")
    host, event = Host(tmp_path / "temp", clone.base), tmp_path / "event.json"
    (host.temp / "meshc/bin/python").symlink_to(sys.executable)
    queue = {"GITHUB_EVENT_NAME": "merge_group", "GITHUB_EVENT_PATH": str(event)}
    event.write_text(json.dumps({"merge_group": {"base_sha": before}}))

    host.run("base", environment=queue)
    assert host.outputs["base"] == {"commit": before}
    host.run("check")
    host.run("diff", fail_on="danger")
    assert "billing" in Path(host.outputs["diff"]["comment-file"]).read_text()

    for said in ("--upload-pack=x", "main", before[:12], 3):
        event.write_text(json.dumps({"merge_group": {"base_sha": said}}))
        assert "names no commit as its base" in host.run("base", code=2, environment=queue)


def test_dangers_without_a_base_are_not_called_judged(clone: Clone, tmp_path: Path) -> None:
    host = Host(tmp_path / "temp", clone.base)

    assert host.run("unjudged", environment={"GITHUB_EVENT_NAME": "merge_group"}) == ""
    for name in ("merge_group", "pull_request", "issue_comment", ""):
        told = host.run("unjudged", code=1, fail_on="expiring danger", environment={"GITHUB_EVENT_NAME": name})
        assert "nothing was judged" in told
    for name in ("push", "schedule", "workflow_dispatch"):
        told = host.run("unjudged", fail_on="danger", environment={"GITHUB_EVENT_NAME": name})
        assert told.startswith("::notice")


def test_what_is_wrong_fails_the_step_with_annotations(clone: Clone, tmp_path: Path) -> None:
    host = Host(tmp_path / "temp", clone.base)
    (clone.base / "prod").mkdir()
    mesh = clone.base / "mesh.yaml"
    mesh.write_text(mesh.read_text().replace("    - {name: shop}\n", "    - {name: shop}\n    - {name: billing}\n"))
    (clone.base / "prod/key").write_text("-----BEGIN PRIVATE KEY-----\n")

    assert "::error file=overlays/edge-1/namespaces.yaml,title=stale::" in host.run("check", code=1)
    assert "::error file=prod/key,line=1,col=1,title=MESH417::" in host.run("scan", code=5, working_directory="prod")
    assert "::error title=meshc::there is no" in host.run("validate", code=2, file="other.yaml")


def test_inputs_are_words_and_never_programs(clone: Clone, tmp_path: Path) -> None:
    host = Host(tmp_path / "temp", clone.base, target=HOSTILE)
    host.run("validate", code=2, file=HOSTILE)
    host.run("check", code=2, file=HOSTILE)
    assert "base isn't the name of a commit" in host.run("base", code=2)
    assert "base isn't the name of a commit" in host.run("base", code=2, base="--upload-pack=touch it-ran")
    assert "version isn't one" in host.run("install", code=2, version=HOSTILE)
    assert "fail-on may hold" in host.run("install", code=2, fail_on="dangers")
    assert "fail-on may hold" in host.run("install", code=2, fail_on=HOSTILE)
    host.outputs["base"] = {"commit": HOSTILE}
    host.run("diff", code=2, fail_on=HOSTILE, comment_file="a file.md")

    assert (clone.base / "a file.md").read_text() == ""
    assert not list(clone.base.rglob("it-ran"))


def test_a_comment_is_not_written_through_a_link(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("as it was")
    (clone.base / "comment.md").symlink_to(tmp_path / "precious")
    host = Host(tmp_path / "temp", clone.base)
    host.outputs["base"] = {"commit": "main"}
    host.run("diff", comment_file="comment.md")

    assert (tmp_path / "precious").read_text() == "as it was"


def gitlab() -> dict[str, Any]:
    """The job of the template, its inputs at their defaults."""
    head, text = (ROOT / "ci/gitlab.yml").read_text().split("\n---\n")
    inputs = yaml.safe_load(head)["spec"]["inputs"]
    filled = re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: inputs[found[1]]["default"], text)
    loaded: dict[str, Any] = yaml.safe_load(filled)["meshc"]
    return loaded


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_job_for_gitlab(clone: Clone, tmp_path: Path, shell: str) -> None:
    if shell == "bash":
        need_time("the same job in another shell")
    host, job = Host(tmp_path / "temp", clone.base), gitlab()
    first = clone.git("rev-parse", "HEAD").strip()
    path = f"{host.temp}/meshc/bin:{os.environ['PATH']}"

    def run(**variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [shell, "-e", "-c", "\n".join(job["script"])],
            cwd=clone.base,
            env={**os.environ, **job["variables"], "PATH": path, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    pushed = run()
    assert (pushed.returncode, "up to date" in pushed.stdout) == (0, True), pushed.stderr
    assert not (clone.base / "meshc-diff.md").exists()

    merged = run(CI_MERGE_REQUEST_DIFF_BASE_SHA=first, MESHC_FAIL_ON="danger expiring")
    assert (merged.returncode, "up to date" in merged.stdout) == (0, True), merged.stderr
    assert "**0 to add, 0 to change, 0 to delete in 0 clusters**" in (clone.base / "meshc-diff.md").read_text()

    unknown = run(CI_PIPELINE_SOURCE="merge_request_event", MESHC_FAIL_ON="danger")
    assert (unknown.returncode, "nothing was judged" in unknown.stderr) == (1, True)

    clone.branch("feature", "    - {name: shop}\n", "    - {name: shop}\n    - {name: billing}\n")
    clone.git("switch", "-q", "main")
    clone.git("merge", "-q", "--no-ff", "feature")  # what a merge train checks out
    train = run(CI_MERGE_REQUEST_DIFF_BASE_SHA="0" * 40, CI_MERGE_REQUEST_TARGET_BRANCH_SHA=first)
    assert train.returncode == 0, train.stderr
    assert "billing" in (clone.base / "meshc-diff.md").read_text()

    page = (clone.base / "meshc-report.html").read_text()
    assert "<td" in page
    assert "billing" in page

    text = (clone.base / "mesh.yaml").read_text()
    (clone.base / "mesh.yaml").write_text(
        text.replace("    - {name: shop}\n    - {name: billing}", "    - {name: new}")
    )
    (clone.base / "key").write_text("-----BEGIN PRIVATE KEY-----\n")
    judged = run(CI_MERGE_REQUEST_DIFF_BASE_SHA=first, MESHC_FAIL_ON="danger")
    assert judged.returncode == 5, judged.stderr  # the first that failed
    assert "MESH809" in judged.stdout
    assert "stale: " in judged.stdout

    (clone.base / "key").unlink()
    (clone.base / "mesh.yaml").write_text("kind: Mesh\n")
    (tmp_path / "precious").write_text("as it was")
    (clone.base / "meshc-report.html").unlink()
    (clone.base / "meshc-report.html").symlink_to(tmp_path / "precious")
    assert run().returncode == 3
    assert "MESH102" in (clone.base / "meshc-report.html").read_text()
    assert (tmp_path / "precious").read_text() == "as it was"


def test_the_hooks_are_commands_of_meshc(clone: Clone) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())

    assert [hook["id"] for hook in hooks] == ["meshc-validate", "meshc-check", "meshc-scan"]
    for hook in hooks:
        files = ["mesh.yaml", ".gitattributes"] if hook["pass_filenames"] else []
        clone.meshc(*hook["entry"].split()[1:], *hook.get("args", []), *files)
