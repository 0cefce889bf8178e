"""`meshc publish` as a person runs it: what it commits where, and what it leaves alone. Git is real."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from meshc.errors import Exit
from meshc.output.trees import VERSIONS
from meshc.publish.message import message
from meshc.tree import FileTree
from support.publishing import Ground, git_daemon, http_server, seen
from support.tools import find_tool

pytestmark = pytest.mark.thorough


def test_the_branch_that_is_checked_out_gets_both_trees(ground: Ground) -> None:
    source = ground.git("rev-parse", "HEAD")

    done = ground.publish()

    assert done.returncode == Exit.DONE, done.stderr
    assert ground.git("log", "-1", "--format=%an|%s") == (
        "A Person|meshc: my-mesh: 14 to add, 0 to change, 0 to delete in 2 clusters"
    )
    trailers = ground.git("log", "-1", "--format=%(trailers:key=Source-Commit,valueonly)")
    assert trailers == source
    assert ground.git("status", "--porcelain") == ""
    assert {"output/hub/kustomization.yaml", VERSIONS} <= ground.files("main")
    assert ground.publish().stdout == "nothing to commit: main is up to date\n"
    assert ground.git("rev-list", "--count", "main") == "2"


def test_edits_and_what_is_staged_stay_as_they_are(ground: Ground) -> None:
    (ground.mesh / "README.md").write_text("one\n")
    ground.commit("a page")
    (ground.mesh / "README.md").write_text("two\n")
    ground.git("add", "README.md")
    (ground.mesh / "README.md").write_text("three\n")
    (ground.mesh / "notes.txt").write_text("mine\n")

    done = ground.publish()

    assert done.returncode == Exit.DONE, done.stderr
    assert ground.git("status", "--porcelain").splitlines() == ["MM README.md", "?? notes.txt"]
    assert ground.git("show", "HEAD:README.md") == "one"
    assert ground.git("diff-index", "--name-only", "HEAD") == "README.md"
    assert not ground.files("HEAD") & {"notes.txt"}


def test_a_change_says_how_much_it_is_and_takes_away_what_is_left_over(ground: Ground) -> None:
    ground.publish()
    ground.change("edge-1", "branch")
    ground.commit("another name")

    done = ground.publish()

    subject = ground.git("log", "-1", "--format=%s")
    assert done.returncode == Exit.DONE, done.stderr
    assert subject == "meshc: my-mesh: 0 to add, 0 to change, 0 to delete in 0 clusters, 1 renamed"
    assert not [path for path in ground.files("HEAD") if "edge-1" in path]
    assert ground.git("status", "--porcelain") == ""


@pytest.mark.parametrize("arguments", [["--branch", "deploy"], ["--branch", "deploy/prod", "--path", "a b/c"]])
def test_another_branch_begins_with_the_trees_alone(ground: Ground, arguments: list[str]) -> None:
    branch, path = arguments[1], arguments[3] + "/" if len(arguments) > 2 else ""

    done = ground.publish(*arguments)

    assert f"to the new branch {branch}" in done.stdout, done.stderr
    assert {name.removeprefix(path).split("/")[0] for name in ground.files(branch)} == {"overlays", "output"}
    assert ground.git("rev-list", "--count", branch) == "1"
    assert not (ground.mesh / "output").exists()
    assert ground.git("status", "--porcelain") == ""


def test_what_else_is_on_the_branch_stays(ground: Ground) -> None:
    ground.git("switch", "--quiet", "--orphan", "deploy")
    for name in ("README.md", "output/mine/notes.yaml", "overlays2/x"):
        (ground.mesh / name).parent.mkdir(parents=True, exist_ok=True)
        (ground.mesh / name).write_text("mine\n")
    ground.commit("mine")
    ground.git("switch", "--quiet", "main")

    done = ground.publish("--branch", "deploy")

    assert done.returncode == Exit.DONE, done.stderr
    assert {"README.md", "output/mine/notes.yaml", "overlays2/x", "output/hub/namespaces.yaml"} <= ground.files(
        "deploy"
    )


@pytest.mark.parametrize("name", ["output/hub/notes.yaml", "overlays/edge-1", "output"])
def test_a_file_that_is_not_meshcs_is_not_replaced(ground: Ground, name: str) -> None:
    ground.git("switch", "--quiet", "--orphan", "deploy")
    (ground.mesh / name).parent.mkdir(parents=True, exist_ok=True)
    (ground.mesh / name).write_text("mine\n")
    tip = ground.commit("mine")
    ground.git("switch", "--quiet", "main")

    done = ground.publish("--branch", "deploy")

    assert (done.returncode, ground.git("rev-parse", "deploy")) == (Exit.REFUSED, tip)
    assert f'"{name}" is' in done.stderr


def test_the_trees_of_another_mesh_are_not_replaced(ground: Ground) -> None:
    ground.publish("--branch", "deploy")
    ground.change("name: my-mesh", "name: other")
    ground.commit("another mesh")

    done = ground.publish("--branch", "deploy")

    assert done.returncode == Exit.REFUSED
    assert 'those of mesh "my-mesh", not of "other"' in done.stderr


def test_inputs_that_are_not_committed_are_not_published_unless_allowed(ground: Ground) -> None:
    ground.change("edge-1", "branch")

    refused = ground.publish()
    allowed = ground.publish("--allow-dirty")

    assert (refused.returncode, "  mesh.yaml\n" in refused.stderr) == (Exit.REFUSED, True)
    assert allowed.returncode == Exit.DONE, allowed.stderr
    assert ground.git("log", "-1", "--format=%(trailers:key=Source-Commit,valueonly)").endswith("-dirty")
    assert ground.git("diff", "--name-only") == "mesh.yaml"


def test_line_ends_alone_are_no_difference(ground: Ground) -> None:
    ground.git("config", "core.autocrlf", "true")
    mesh = ground.mesh / "mesh.yaml"
    mesh.write_bytes(mesh.read_bytes().replace(b"\n", b"\r\n"))

    done = ground.publish("--branch", "deploy")

    assert done.returncode == Exit.DONE, done.stderr
    assert "-dirty" not in ground.git("log", "-1", "--format=%B", "deploy")


def test_a_dry_run_changes_nothing(ground: Ground) -> None:
    far = ground.bare()
    before = ground.git("count-objects"), ground.git("for-each-ref"), sorted(ground.mesh.iterdir())

    here = ground.publish("--dry-run")
    there = ground.publish("--dry-run", "--repo", str(far), "--branch", "main", "--format", "json")

    assert "would commit to main\n  meshc: my-mesh: 14 to add" in here.stdout
    assert {**json.loads(there.stdout), "message": ""}.items() >= {
        "differs": True,
        "commit": "",
        "dryRun": True,
    }.items()
    assert (ground.git("count-objects"), ground.git("for-each-ref"), sorted(ground.mesh.iterdir())) == before
    assert ground.git("for-each-ref", cwd=far) == ""


def test_a_detached_head_needs_a_branch(ground: Ground) -> None:
    ground.git("switch", "--quiet", "--detach")

    refused = ground.publish()
    named = ground.publish("--branch", "deploy")

    assert (refused.returncode, "detached HEAD" in refused.stderr) == (Exit.USAGE, True)
    assert named.returncode == Exit.DONE, named.stderr


def test_a_repository_before_its_first_commit(ground: Ground) -> None:
    shutil.rmtree(ground.mesh / ".git")
    nowhere = ground.publish()
    ground.git("init", "--quiet")

    refused = ground.publish()
    allowed = ground.publish("--allow-dirty")

    assert (nowhere.returncode, refused.returncode) == (Exit.USAGE, Exit.REFUSED)
    assert allowed.returncode == Exit.DONE, allowed.stderr
    assert "Source-Commit" not in ground.git("log", "-1", "--format=%B")
    assert {path.split("/")[0] for path in ground.files("main")} == {"overlays", "output"}


def test_a_linked_work_tree(ground: Ground) -> None:
    linked = ground.folder / "linked"
    ground.git("worktree", "add", "--quiet", "-b", "deploy", str(linked))

    elsewhere = ground.publish("--branch", "deploy")
    inside = ground.publish(cwd=linked)
    beside = ground.publish("--repo", str(linked), "--path", "prod")

    assert (elsewhere.returncode, "is checked out in" in elsewhere.stderr) == (Exit.REFUSED, True)
    assert [inside.returncode, beside.returncode] == [Exit.DONE, Exit.DONE], inside.stderr + beside.stderr
    assert ground.git("status", "--porcelain", cwd=linked) == ""
    assert {"output/hub/namespaces.yaml", "prod/output/hub/namespaces.yaml"} <= ground.files("deploy")


def test_a_shallow_clone(ground: Ground) -> None:
    ground.publish()
    far, clone = ground.bare(), ground.folder / "clone"
    ground.git("push", "--quiet", str(far), "main")
    ground.git("clone", "--quiet", "--depth=1", far.as_uri(), str(clone))
    ground.change("edge-1", "branch", cwd=clone)
    ground.commit("another name", cwd=clone)

    done = ground.publish("--push", "--remote", far.as_uri(), cwd=clone)

    assert done.returncode == Exit.DONE, done.stderr
    assert ground.git("rev-list", "--count", "main", cwd=far) == "4"
    assert ground.git("status", "--porcelain", cwd=clone) == ""


def test_a_submodule_is_a_repository_but_no_folder_to_write_in(ground: Ground) -> None:
    outer = ground.folder / "outer"
    ground.git("init", "--quiet", str(outer))
    ground.git("submodule", "--quiet", "add", str(ground.mesh), "mesh", cwd=outer)
    ground.commit("a submodule", cwd=outer)

    inside = ground.publish("--branch", "main", cwd=outer / "mesh")
    into = ground.publish("--repo", str(outer), "--path", "mesh/deep")

    assert inside.returncode == Exit.DONE, inside.stderr
    assert ground.git("status", "--porcelain", cwd=outer / "mesh") == ""
    assert (into.returncode, '"mesh" is a submodule' in into.stderr) == (Exit.REFUSED, True)


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_a_deploy_repository_and_its_work_tree(ground: Ground, digest: str) -> None:
    deploy = ground.folder / "deploy"
    ground.git("init", "--quiet", f"--object-format={digest}", str(deploy))
    (deploy / "README.md").write_text("what is deployed\n")
    ground.commit("begin", cwd=deploy)

    done = ground.publish("--repo", str(deploy), "--path", "prod")

    assert done.returncode == Exit.DONE, done.stderr
    assert f" to main of {deploy}, below prod/\n" in done.stdout
    assert (deploy / "prod/output/hub/namespaces.yaml").is_file()
    assert ground.git("status", "--porcelain", cwd=deploy) == ""
    assert {"README.md", "prod/output/hub/namespaces.yaml"} <= ground.files("HEAD", cwd=deploy)


def test_servers_on_loopback(ground: Ground) -> None:
    find_tool("git-daemon") if not Path(ground.git("--exec-path"), "git-daemon").exists() else None
    ground.bare()
    ground.git("config", "http.receivepack", "true", cwd=ground.folder / "far.git")
    with git_daemon(ground.folder) as daemon, http_server(ground.folder) as http:
        pushed = [
            ground.publish("--repo", f"{server}/far.git", "--branch", "main", "--path", server[:3])
            for server in (daemon, http)
        ]
        default = ground.publish("--repo", f"{http}/far.git", "--path", "git")

    assert [done.returncode for done in pushed] == [Exit.DONE] * 2, pushed[0].stderr + pushed[1].stderr
    assert default.stdout.startswith("nothing to commit: main of http://127.0.0.1"), default.stderr
    assert {"git/output/hub/namespaces.yaml", "htt/output/hub/namespaces.yaml"} <= ground.files(
        "main", cwd=ground.folder / "far.git"
    )


def test_an_older_source_does_not_replace_a_newer_one(ground: Ground) -> None:
    far = str(ground.bare())
    older = ground.git("rev-parse", "HEAD")
    ground.change("edge-1", "branch")
    ground.commit("another name")
    ground.publish("--repo", far, "--branch", "main")
    ground.git("switch", "--quiet", "--detach", older)

    refused = ground.publish("--repo", far, "--branch", "main")
    allowed = ground.publish("--repo", far, "--branch", "main", "--allow-older")

    assert (refused.returncode, "which is later than" in refused.stderr) == (Exit.REFUSED, True)
    assert allowed.returncode == Exit.DONE, allowed.stderr


def test_commits_are_signed_where_the_persons_settings_say_so(ground: Ground) -> None:
    key = ground.folder / "key"
    subprocess.run([find_tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed = ground.folder / "allowed"
    allowed.write_text(f"person@example.com {key.with_suffix('.pub').read_text()}")
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", f"{key}"), ("commit.gpgSign", "true")):
        ground.git("config", "--file", str(ground.person), name, value)
    ground.git("config", "--file", str(ground.person), "gpg.ssh.allowedSignersFile", str(allowed))

    done = ground.publish("--branch", "deploy")

    assert done.returncode == Exit.DONE, done.stderr
    assert ground.git("log", "-1", "--format=%G? %GS", "deploy") == "G person@example.com"


def test_a_merge_is_finished_first(ground: Ground) -> None:
    (ground.mesh / ".git/MERGE_HEAD").write_text(ground.git("rev-parse", "HEAD") + "\n")

    done = ground.publish()

    assert (done.returncode, "a merge isn't finished" in done.stderr) == (Exit.REFUSED, True)
    assert seen(ground.mesh / VERSIONS) == ""


def test_counts_are_of_objects_by_cluster() -> None:
    def objects(*names: str) -> bytes:
        bodies = [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": n[0]}, "data": {"x": n}} for n in names
        ]
        return "---\n".join(json.dumps(body) + "\n" for body in bodies).encode()

    before = FileTree({"output/a/x.yaml": objects("k1", "l1", "m1"), "output/b/x.yaml": objects("k1")})
    after = FileTree({"output/a/x.yaml": objects("k2", "n1", "m1"), "output/b/x.yaml": objects("k2")})
    broken = FileTree({"output/a/x.yaml": b"{"})

    assert message("shop", before, after, "", "5.8.1").splitlines()[:4] == [
        "meshc: shop: 1 to add, 2 to change, 1 to delete in 2 clusters",
        "",
        "a: 1 to add, 1 to change, 1 to delete",
        "b: 1 to change",
    ]
    assert message("shop", broken, after, "", "5.8.1").startswith("meshc: shop: the old files are replaced\n")


def test_edits_in_the_trees_that_are_not_committed_are_not_written_over(ground: Ground) -> None:
    ground.publish()
    ground.change("edge-1", "branch")
    ground.commit("another")
    edited, staged = ground.mesh / "output/hub/namespaces.yaml", ground.mesh / "overlays/hub/kustomization.yaml"
    for file in (edited, staged):
        file.write_text(file.read_text() + "# mine\n")
    ground.git("add", str(staged))

    done = ground.publish()

    assert done.returncode == Exit.REFUSED
    assert "output/hub/namespaces.yaml\n  overlays/hub/kustomization.yaml" in done.stderr
    assert [file.read_text().endswith("# mine\n") for file in (edited, staged)] == [True, True]

    ground.git("checkout", "-q", "HEAD", "--", "output", "overlays")

    assert ground.publish().returncode == Exit.DONE
