"""Nothing that an address, a branch or a repository's own settings say is run; what a person's settings say holds."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from meshc.errors import Exit, MeshcError
from meshc.publish.address import Address, address, branch_name, folder_name, remote_name
from meshc.publish.git import Git
from meshc.publish.settings import own_settings
from support.paths import ROOT
from support.publishing import Ground, git_daemon, http_server, seen

pytestmark = pytest.mark.thorough

ADDRESSES = [
    "--upload-pack=touch {}",
    "-oProxyCommand=touch {}",
    "ext::sh -c 'touch {}'",
    "ext::touch% {}",
    "fd::7",
    "::x",
    "EXT::touch {}",
    "ssh://-oProxyCommand=touch {}/x",
    "ssh://-oProxyCommand=x@host/x",
    "-oProxyCommand=touch {}:x",
    "git@-oProxyCommand=touch:x",
    "host:-x",
    "host:",
    "https://-x/y",
    "https:///y",
    "https://host:port/y",
    "https://host/%0a/y",
    "https://host/x y",
    "https://host/x?token=1",
    "http://git.example.com/x",
    "git://git.example.com/x",
    "git+ssh://git.example.com/x",
    "ftp://git.example.com/x",
    "file://host/x",
    "a\nb",
    "\x1b[2J",
    "",
    "nowhere/at/all",
]
BRANCHES = [
    "-x",
    "--upload-pack=touch {}",
    "@{{-1}}",
    "a..b",
    "a b",
    "a:b",
    "HEAD",
    "refs/heads/x",
    "x.lock",
    "a\n",
    "",
]
PATHS = ["../x", "/x", "a/../b", "a\\b", ".git", "a/.GIT/hooks", "GIT~1", "a\nb", "a//b"]


@pytest.mark.parametrize(
    ("option", "text"), [("--repo", text) for text in ADDRESSES] + [("--remote", text) for text in ADDRESSES[:5]]
)
def test_addresses_that_git_never_sees(ground: Ground, option: str, text: str) -> None:
    canary = ground.folder / "canary"
    before = ground.git("for-each-ref")

    done = ground.publish("--push", f"{option}={text.format(canary)}", "--branch", "main")

    assert done.returncode in (Exit.USAGE, Exit.REFUSED, Exit.TOOL), done.stdout
    assert (canary.exists(), ground.git("for-each-ref")) == (False, before)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ADDRESSES[:-1])
def test_addresses_that_settings_may_not_name_either(text: str) -> None:
    for named in (False, True):
        with pytest.raises(MeshcError):
            address(text.format("canary"), named=named)


@pytest.mark.parametrize(
    ("text", "protocol", "shown"),
    [
        ("https://git.example.com/a/b.git", "https", "https://git.example.com/a/b.git"),
        ("https://somebody@git.example.com:8443/a", "https", "https://git.example.com:8443/a"),
        ("ssh://git@git.example.com:22/a", "ssh", "ssh://git@git.example.com:22/a"),
        ("git@git.example.com:a/b.git", "ssh", "git@git.example.com:a/b.git"),
        ("git.example.com:a", "ssh", "git.example.com:a"),
        ("git@[::1]:a", "ssh", "git@[::1]:a"),
    ],
)
def test_addresses_that_are_taken(text: str, protocol: str, shown: str) -> None:
    for named in (False, True):
        assert address(text, named=named) == Address(text, protocol, shown)


@pytest.mark.parametrize("text", ["/srv/mesh.git", "file:///srv/mesh.git", "http://127.0.0.1/x", "git://localhost/x"])
def test_addresses_that_a_person_must_name(text: str) -> None:
    assert address(text, named=True)
    with pytest.raises(MeshcError, match="name it on the command line"):
        address(text, named=False)


@pytest.mark.parametrize("text", ["https://a:s3cret@host/x", "https://:s3cret@host/x", "https://ghp_s3cret@host/x"])
def test_a_password_is_refused_and_never_shown(ground: Ground, text: str) -> None:
    done = ground.publish("--repo", text)
    ground.git("remote", "add", "origin", text)
    configured = ground.publish("--push")

    for one in (done, configured):
        assert (one.returncode, "credential helper" in one.stderr) == (Exit.REFUSED, True)
        assert "s3cret" not in one.stdout + one.stderr


@pytest.mark.parametrize("text", BRANCHES)
def test_branches_that_are_none(ground: Ground, text: str) -> None:
    canary = ground.folder / "canary"

    done = ground.publish(f"--branch={text.format(canary)}")

    assert (done.returncode, canary.exists()) == (Exit.USAGE, False), done.stdout
    assert ground.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"


@pytest.mark.parametrize("text", PATHS)
def test_folders_outside(text: str) -> None:
    with pytest.raises(MeshcError):
        folder_name(text)


def test_names_that_are_fine() -> None:
    assert [folder_name(text) for text in ("", ".", "a/", "a b/c")] == ["", "", "a", "a b/c"]
    assert [branch_name(text) for text in ("main", "deploy/prod", "ümlaut")] == ["main", "deploy/prod", "ümlaut"]
    assert [remote_name(text) for text in ("origin", "a/b", "a..b", "/srv/x", "h:x", "-x")] == ["origin", "a/b"] + [
        None
    ] * 4


@pytest.fixture
def trapped(ground: Ground) -> Path:
    """A repository in whose own settings everything that can start a program does; the canary they all leave."""
    canary = ground.folder / "canary"
    program = ground.folder / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> "{canary}"\ncat\n')
    program.chmod(0o755)
    (ground.mesh / ".gitattributes").write_text("* filter=trap diff=trap merge=trap\n")
    ground.commit("attributes")
    for hook in ("pre-commit", "pre-push", "post-index-change", "reference-transaction", "post-commit", "commit-msg"):
        (ground.mesh / ".git/hooks" / hook).write_text(program.read_text().replace("$0", hook))
        (ground.mesh / ".git/hooks" / hook).chmod(0o755)
    names = (
        *("core.fsmonitor", "core.sshCommand", "core.gitProxy", "core.askPass", "core.pager", "core.editor"),
        *("core.alternateRefsCommand", "diff.external", "diff.trap.textconv", "diff.trap.command", "merge.trap.driver"),
        *("filter.trap.clean", "filter.trap.smudge", "filter.trap.process", "gpg.program", "gpg.ssh.program"),
        *("gpg.ssh.defaultKeyCommand", "remote.origin.uploadpack", "remote.origin.receivepack"),
        *("uploadpack.packObjectsHook", "sequence.editor", "gpg.x509.program"),
    )
    for name in names:
        ground.git("config", name, str(program))
    ground.git("config", "filter.trap.required", "true")
    ground.git("config", "credential.helper", f"!{program}")
    ground.git("config", "alias.push", f"!{program}")
    ground.git("config", "url.ext::sh.insteadOf", "https://127.0.0.1:1/")
    ground.git("config", "protocol.ext.allow", "always")
    hooks = ground.folder / "hooks"
    hooks.mkdir()
    (hooks / "reference-transaction").symlink_to(program)
    included = ground.mesh / ".git/more"
    included.write_text(f"[core]\n\thooksPath = {hooks}\n")
    ground.git("config", "include.path", str(included))
    canary.unlink(missing_ok=True)
    return canary


def test_the_trap_shuts_for_git_itself(ground: Ground, trapped: Path) -> None:
    ground.git("update-ref", "refs/heads/other", "HEAD")
    (ground.mesh / "mesh.yaml").touch()
    with pytest.raises(AssertionError, match="clean filter 'trap' failed"):
        ground.git("status")

    assert "reference-transaction" in seen(trapped)
    assert len(seen(trapped).splitlines()) > 1


@pytest.mark.parametrize("arguments", [[], ["--branch", "deploy"], ["--dry-run"]])
def test_nothing_of_a_repositorys_own_settings_runs(ground: Ground, trapped: Path, arguments: list[str]) -> None:
    done = ground.publish(*arguments)

    assert done.returncode == Exit.DONE, done.stderr
    assert seen(trapped) == ""


def test_nor_when_it_is_pushed(ground: Ground, trapped: Path) -> None:
    ground.bare()
    with git_daemon(ground.folder) as daemon:
        there = ground.publish("--repo", f"{daemon}/far.git", "--branch", "main")
        both = ground.publish("--push", "--remote", f"{daemon}/far.git", "--branch", "both")
    path = ground.publish("--push", "--remote", str(ground.bare("other.git")))
    ssh = ground.publish("--repo", "ssh://git@127.0.0.1:1/x", "--branch", "main")
    rewritten = ground.publish("--repo", "https://127.0.0.1:1/;touch", "--branch", "main")

    assert [one.returncode for one in (there, both, path)] == [Exit.DONE] * 3, there.stderr + both.stderr + path.stderr
    assert [ssh.returncode, rewritten.returncode] == [Exit.TOOL] * 2
    assert "ignores these settings of a repository: core.askpass, core.gitproxy, core.sshcommand, " in path.stderr
    assert seen(trapped) == ""


def test_nor_of_a_deploy_repositorys(ground: Ground, trapped: Path) -> None:
    source = ground.folder / "source"
    ground.git("-c", "core.hooksPath=/dev/null", "clone", "--quiet", "--no-local", str(ground.mesh), str(source))
    trapped.unlink(missing_ok=True)

    done = ground.publish("--repo", str(ground.mesh), "--path", "prod", cwd=source)

    assert done.returncode == Exit.DONE, done.stderr
    assert seen(trapped) == ""


def test_a_partial_clone_fetches_nothing(ground: Ground, trapped: Path) -> None:
    far, clone = ground.bare(), ground.folder / "clone"
    ground.git("config", "uploadpack.allowFilter", "true", cwd=far)
    ground.git("-c", "core.hooksPath=/dev/null", "push", "--no-verify", "--quiet", far.as_uri(), "main")
    ground.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", far.as_uri(), str(clone))
    (clone / "mesh.yaml").write_bytes((ground.mesh / "mesh.yaml").read_bytes())
    ground.git("config", "remote.origin.uploadpack", str(ground.folder / "program"), cwd=clone)
    trapped.unlink(missing_ok=True)

    ground.publish("--branch", "main", "--allow-dirty", "--dry-run", cwd=clone)

    assert seen(trapped) == ""


def test_a_persons_settings_hold(ground: Ground) -> None:
    ground.bare()
    ground.git("config", "http.receivepack", "true", cwd=ground.folder / "far.git")
    helper = ground.folder / "helper"
    helper.write_text("#!/bin/sh\necho username=robot\necho password=s3cret\n")
    helper.chmod(0o755)
    with http_server(ground.folder, "robot", "s3cret") as http:
        ground.git("config", "--file", str(ground.person), "credential.helper", f"!{helper}")
        ground.git("config", "--file", str(ground.person), f"url.{http}/.insteadOf", "https://git.example.com/")
        ground.git("config", "user.name", "A Robot")
        rewritten = ground.publish("--repo", "https://git.example.com/far.git", "--branch", "main")
        done = ground.publish("--repo", f"{http}/far.git", "--branch", "main")

    assert (rewritten.returncode, "'http' not allowed" in rewritten.stderr) == (Exit.TOOL, True)
    assert done.returncode == Exit.DONE, done.stderr
    assert ground.git("log", "-1", "--format=%an <%ae>", "main", cwd=ground.folder / "far.git") == (
        "A Robot <person@example.com>"
    )


def test_what_of_a_repositorys_own_settings_is_followed(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(ground.person))
    token = ("http.https://git.example.com/.extraheader", "AUTHORIZATION: basic s3cret")
    for name, value in (("user.email", "robot@example.com"), token, ("http.extraheader", "X: y"), ("gpg.program", "x")):
        ground.git("config", name, value)
    ground.git("config", "url.https://s3cret@git.example.com/.insteadOf", "x")

    own = own_settings(Git(ground.mesh))

    assert own.followed == (("user.email", "robot@example.com"), token)
    assert own.passed_over == ("gpg.*.program", "url.*.insteadof")


def test_without_an_identity_git_says_what_is_missing(ground: Ground) -> None:
    ground.person.write_text("[user]\n\tuseConfigOnly = true\n")

    done = ground.publish()

    assert (done.returncode, "user.name" in done.stderr) == (Exit.TOOL, True)
    assert ground.git("rev-list", "--count", "HEAD") == "1"


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"])
def test_an_environment_that_leads_elsewhere(ground: Ground, name: str) -> None:
    done = ground.publish(cwd=None, **{name: str(ground.folder / "elsewhere")})

    assert (done.returncode, f"{name} is set" in done.stderr) == (Exit.REFUSED, True)


def test_what_a_server_says_cannot_steer_a_terminal(ground: Ground) -> None:
    far = ground.bare()
    (far / "hooks").mkdir(exist_ok=True)
    (far / "hooks/pre-receive").write_text("#!/bin/sh\nprintf '\\033[2Jno\\033]0;x\\007' >&2; exit 1\n")
    (far / "hooks/pre-receive").chmod(0o755)

    done = ground.publish("--repo", str(far), "--branch", "main")

    assert (done.returncode, "pre-receive hook declined" in done.stderr) == (Exit.TOOL, True)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.stdout + done.stderr)


def test_one_module_alone_imports_gitpython() -> None:
    importers = set()
    for file in (ROOT / "compiler").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            importers |= {file.name for name in names if name.split(".")[0] == "git"}

    assert importers == {"git.py"}
