"""What a newcomer meets: a first mesh, the shell's help, a terminal, and what the machine has or lacks."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from meshc import __version__
from meshc.cli.main import COMMANDS as BY_MODULE
from meshc.cli.main import HELP
from meshc.codes import every_code
from meshc.commands.first_mesh import Generation, Topology
from support.places import RECIPIENT
from support.processes import meshc
from support.tools import find_tool

pytestmark = pytest.mark.thorough

HOSTILE = 'tr$(touch${IFS}it-ran)\'`touch${IFS}it-ran`;";touch${IFS}it-ran;"'

CHOICES = [(generation, topology) for generation in Generation for topology in Topology]
CHOICES.remove((Generation.CLASSIC, Topology.MULTI_PRIMARY))


def on_a_terminal(*words: str, cwd: Path, **environment: str) -> str:
    """What a person sees whose terminal both streams go to."""
    outside, inside = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "meshc", *words],
        cwd=cwd,
        stdout=inside,
        stderr=inside,
        env={**os.environ, "TERM": "xterm", **environment},
    )
    os.close(inside)
    seen = b""
    while select.select([outside], [], [], 120)[0]:
        try:
            part = os.read(outside, 4096)
        except OSError:  # Linux tells the end of a terminal so
            break
        if not part:
            break
        seen += part
    process.wait()
    os.close(outside)
    return seen.decode()


def make_what_init_says(mesh: Path) -> None:
    """A recipient in mesh.yaml, a root outside of the repository, a CA for each primary."""
    (mesh / ".git").mkdir()
    text = (mesh / "mesh.yaml").read_text().replace("# recipients: [age1...]", f"recipients: [{RECIPIENT}]")
    (mesh / "mesh.yaml").write_text(text)
    key = mesh.parent / f"{mesh.name}.key"
    for words in (("init", "--key-out", str(key)), ("issue", "--root-key", str(key))):
        assert meshc("ca", *words, cwd=mesh).returncode == 0


def test_classic_istio_has_no_several_primaries(tmp_path: Path) -> None:
    refused = meshc("init", ".", "--generation", "classic", "--topology", "multi-primary", cwd=tmp_path)

    assert (refused.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "hint: choose --topology primary-remote" in refused.stderr


@pytest.mark.parametrize(("generation", "topology"), CHOICES)
def test_a_first_mesh_compiles_and_so_does_what_it_suggests(
    tmp_path: Path, generation: Generation, topology: Topology
) -> None:
    find_tool("kubectl")
    made = meshc("init", ".", "--generation", generation, "--topology", topology, cwd=tmp_path)
    if topology.needs_ca:
        make_what_init_says(tmp_path)
    compiled, checked = meshc("compile", cwd=tmp_path), meshc("check", cwd=tmp_path)

    assert (made.returncode, compiled.returncode, checked.returncode) == (0, 0, 0), compiled.stderr
    assert compiled.stderr == ""

    if topology is not Topology.SINGLE_CLUSTER:
        return
    text = (tmp_path / "mesh.yaml").read_text()
    suggested = re.sub(r"(?m)^    # (?=- name: edge|  \w+:)|^  # (?=services:|  )", lambda m: m[0][:-2], text)
    (tmp_path / "mesh.yaml").write_text(suggested)
    validated = meshc("validate", cwd=tmp_path)

    assert (validated.returncode, validated.stderr) == (0, "")
    assert "2 clusters, 1 service copied" in validated.stdout


def complete(cwd: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words."""
    environment = {
        "_MESHC_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["meshc", *words]),
        "COMP_CWORD": str(len(words)),
    }
    script = Path(sys.executable).parent / "meshc"
    done = subprocess.run(
        [script], cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    return done.stdout.split()


def test_the_shell_completes_clusters_and_codes(tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_text(
        "spec:\n  clusters:\n    - {name: hub, role: primary}\n    - name: edge-1\n    - {name: edge-2\n"
    )
    (tmp_path / "other.yaml").write_text("spec: {clusters: [{name: elsewhere}, {name: 7}, x]}\n")

    assert complete(tmp_path, "compile", "--cluster", "e") == []
    (tmp_path / "mesh.yaml").write_text((tmp_path / "mesh.yaml").read_text().replace("edge-2", "edge-2}"))
    assert complete(tmp_path, "compile", "--cluster", "e") == ["edge-1", "edge-2"]
    assert complete(tmp_path, "inject", "x", "-f", "other.yaml", "-c", "") == ["elsewhere"]
    assert complete(tmp_path, "inject", "x", "-f", "none.yaml", "-c", "") == []
    assert complete(tmp_path, "explain", "MESH21")[:2] == ["MESH210", "MESH211"]


def test_the_shell_completes_what_each_option_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mesh.yaml").write_text(
        "spec:\n  istio: {charts: {also: [{chart: gateway, release: ingress}]}}\n"
        "  clusters: [{name: hub, role: primary}, {name: edge-1, role: remote}]\n"
    )
    for words in (["init", "-q", "-b", "trunk"], ["commit", "-q", "--allow-empty", "-m", "x"], ["tag", "v1"]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True)
    (tmp_path / "kube").write_text("contexts: [{name: gke_hub}, {name: gke_edge}]\nusers: [{name: secret}]\n")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kube"))

    assert complete(tmp_path, "secrets", "seal", "x", "--remote", "") == ["edge-1"]
    assert complete(tmp_path, "capture", "credentials", "") == ["edge-1"]
    assert complete(tmp_path, "capture", "addresses", "") == ["hub"]
    assert complete(tmp_path, "diff", "--base", "") == ["trunk", "v1"]
    assert complete(tmp_path, "publish", "--branch", "t") == ["trunk"]
    assert complete(tmp_path, "doctor", "--context", "gke_h") == ["gke_hub"]
    assert complete(tmp_path, "doctor", "--context", "hub=gke_e") == ["hub=gke_edge"]
    assert complete(tmp_path, "values", "hub", "--chart", "i") == ["istiod", "ingress"]


def test_bash_itself_completes() -> None:
    lines = (
        'eval "$(meshc --show-completion bash)"',
        "COMP_WORDS=(meshc explain MESH21) COMP_CWORD=2",
        '_meshc_completion meshc && echo "${COMPREPLY[@]:0:2}"',
    )
    own = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    own["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    done = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, env={**os.environ, **own})
    assert done.stdout == "MESH210 MESH211\n"


FISH = """\
meshc --show-completion fish | source
complete -C "meshc explain MESH21" | string replace -r "\\t.*" ""
complete -C "meshc diff --base tr"
"""
ZSH = """\
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1="> "; TERM=dumb; autoload -Uz compinit; compinit -u -D; eval "$(meshc --show-completion zsh)"'
zpty -w shell 'echo ready'
zpty -r -m shell out '*ready*ready*'
zpty -w -n shell $'meshc explain MESH21\\t\\t'
zpty -r -m shell out '*MESH219 *' && print -r -- "$out"
zpty -w -n shell $'\\C-umeshc diff --base tr\\t\\t'
zpty -r -m shell out '*trunk*' && print -r -- "$out"
zpty -d shell
"""


@pytest.mark.parametrize(("shell", "script"), [("fish", FISH), ("zsh", ZSH)], ids=["fish", "zsh"])
def test_other_shells_complete_and_run_no_name_of_a_branch(tmp_path: Path, shell: str, script: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell} here")
    for words in (["init", "-q", "-b", "trunk"], ["commit", "-q", "--allow-empty", "-m", "x"], ["branch", HOSTILE]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True)
    own = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }
    done = subprocess.run(
        [program, "--no-config" if shell == "fish" else "-f", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, **own},
        timeout=60,
    )

    assert re.findall(r"MESH21\d", done.stdout)[:3] == ["MESH210", "MESH211", "MESH212"]
    assert "trunk" in done.stdout
    assert not (tmp_path / "it-ran").exists()


FLEET = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {{name: fleet}}
spec:
  istio: {{version: 1.29.6}}
  security: {{ca: {{type: self-signed}}}}
  clusters:
    - {{name: hub, role: primary, kubernetesVersion: "1.34", controlPlane: {{addresses: {{istiod: 10.0.5.20}}}}}}
{remotes}  acknowledge: [{{code: MESH218, reason: none of them are planned yet}}]
"""


def fleet(folder: Path, remotes: int) -> None:
    lines = "".join(f'    - {{name: e-{n}, role: remote, kubernetesVersion: "1.34"}}\n' for n in range(remotes))
    (folder / "mesh.yaml").write_text(FLEET.format(remotes=lines))


def test_a_terminal_sees_progress_and_colour(tmp_path: Path) -> None:
    find_tool("kubectl")
    fleet(tmp_path, 24)
    first = on_a_terminal("compile", cwd=tmp_path)

    assert "rendering" in first
    assert re.search(r"\d+/25", first)
    assert "\x1b[" in first

    plain = on_a_terminal("compile", cwd=tmp_path, TERM="dumb", NO_COLOR="1")

    assert "\x1b[" not in plain
    assert "rendering" not in plain


def test_elsewhere_all_is_quiet(tmp_path: Path) -> None:
    find_tool("kubectl")
    fleet(tmp_path, 24)
    done = meshc("compile", cwd=tmp_path, NO_COLOR="")

    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def test_no_color_is_honoured_for_problems(tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_text("apiVersion: nonsense\n")

    assert "\x1b[31" in on_a_terminal("validate", cwd=tmp_path).replace("\x1b[0", "")
    assert "\x1b" not in on_a_terminal("validate", cwd=tmp_path, NO_COLOR="1")


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)
    return folder / name


def test_doctor_tells_what_it_found_and_why_it_passed_others_over(tmp_path: Path) -> None:
    path = tmp_path / "bin"
    wrapper = program(path, "kustomize", "#!/usr/bin/env python3\nprint('downloading')\n")
    kubectl = program(path, "kubectl", "#!/bin/sh\necho 'Kustomize Version: v5.5.0'\n")
    program(path, "helm", "#!/bin/sh\necho 'v4.3.1+gabc'\n")
    program(path, "git", "#!/bin/sh\necho broken >&2; exit 1\n")
    done = meshc("doctor", "--local", "--format", "json", cwd=tmp_path, PATH=f"{path}:/bin", MESHC_KUSTOMIZE="")
    found = json.loads(done.stdout)
    tools = {tool["name"]: tool for tool in found["tools"]}

    assert (done.returncode, found["meshc"]) == (0, __version__)
    assert f"{wrapper} is a Python script, not kustomize" in tools["kustomize"]["passedOver"]
    assert tools["helm"]["version"] == "4.3.1"
    assert tools["git"]["passedOver"] == [f"{path}/git doesn't tell its version: broken"]
    assert tools["istioctl"]["version"] == ""

    named = meshc("doctor", "--local", cwd=tmp_path, MESHC_KUSTOMIZE=str(kubectl))

    assert re.search(rf"kustomize +5\.5\.0 +{kubectl} kustomize", named.stdout)


def test_doctor_fails_where_there_is_no_kustomize(tmp_path: Path) -> None:
    done = meshc("doctor", "--local", cwd=tmp_path, MESHC_KUSTOMIZE="true")

    assert done.returncode == 4
    assert "ignored: true answers neither as kustomize nor as kubectl" in done.stdout


GROUPS = ["ca", "secrets", "capture"]
COMMANDS = [name for names in HELP.values() for name in names if name not in GROUPS]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_examples(tmp_path: Path, command: str) -> None:
    said = meshc(command, "--help", cwd=tmp_path).stdout

    assert f"Examples: meshc {command}" in " ".join(said.split())


def test_help_lists_every_command(tmp_path: Path) -> None:
    said = meshc("--help", cwd=tmp_path).stdout

    listed = [name for names in HELP.values() for name in names]
    assert re.findall(r"(?m)^  ([a-z]+)  ", said) == listed
    assert sorted(listed) == sorted(name for names in BY_MODULE.values() for name in names)
    assert "..." not in said.replace("[ARGS]...", "")


def test_explain_searches_the_pages_for_words(tmp_path: Path) -> None:
    found, nothing = meshc("explain", "remote", "Secret", cwd=tmp_path), meshc("explain", "qqqq", cwd=tmp_path)
    listed = found.stdout.splitlines()

    assert [line for line in listed if line.startswith("MESH401  ")]
    assert 1 < len(listed) < len(every_code())
    assert (nothing.returncode, nothing.stderr[:30]) == (2, "error: no page contains qqqq\n ")


def test_quiet_and_colours(tmp_path: Path) -> None:
    text = FLEET.format(remotes="").partition("  acknowledge")[0] + "  namespaces: [{name: shop, clusters: []}]\n"
    (tmp_path / "mesh.yaml").write_text(text)
    loud, quiet = meshc("validate", cwd=tmp_path), meshc("--quiet", "validate", cwd=tmp_path)
    painted, plain = (
        meshc("--color", "always", "validate", cwd=tmp_path),
        meshc("--color", "never", "validate", cwd=tmp_path),
    )

    assert "warning MESH" in loud.stderr
    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert quiet.stdout == loud.stdout
    assert "\x1b[33m" in painted.stderr
    assert plain.stderr == loud.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("{meshc} plan >&-", 0),
        ("{meshc} plan >&- 2>&- <&-", 0),
        ("{meshc} plan > /dev/full", 4),
        ("{meshc} schema > /dev/full", 4),
        ("{meshc} plan --format json | true; exit ${{PIPESTATUS[0]}}", 141),
    ],
)
def test_a_closed_or_full_output_is_no_bug_of_ours(tmp_path: Path, command: str, code: int) -> None:
    if "/dev/full" in command and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    fleet(tmp_path, 40)
    done = subprocess.run(
        ["bash", "-c", command.format(meshc=f"{sys.executable} -m meshc")], cwd=tmp_path, capture_output=True, text=True
    )

    assert (done.returncode, "Traceback" in done.stderr, "bug" in done.stderr) == (code, False, False), done.stderr


def test_nothing_of_a_tool_or_an_argument_steers_the_terminal(tmp_path: Path) -> None:
    fleet(tmp_path, 1)
    evil = program(tmp_path, "kustomize", "#!/bin/sh\nprintf '\\033]0;pwn\\007' >&2; exit 1\n")
    done = meshc("compile", cwd=tmp_path, MESHC_KUSTOMIZE=str(evil))
    named = meshc("compile", "-c", "\x1b[31m", cwd=tmp_path)

    assert (done.returncode, named.returncode) == (4, 2)
    assert "\x1b" not in done.stderr + named.stderr
    assert "\x07" not in done.stderr


def test_init_leaves_git_settings_of_others_alone(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("node_modules\n")
    (tmp_path / ".gitattributes").write_text("* text=auto\n")
    done = meshc("init", ".", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / ".gitattributes").read_text() == "* text=auto\n"
    assert "there is a .gitattributes; add to it:\n  # merge=meshc: " in done.stdout
    assert "\n  overlays/** text eol=lf linguist-generated merge=meshc\n" in done.stdout


def test_the_next_step_can_be_pasted(tmp_path: Path) -> None:
    shown = [meshc("init", "--", name, cwd=tmp_path).stdout.splitlines()[-1] for name in ("a b", "-x", "plain")]

    assert shown == [f"next: cd {folder} && meshc compile" for folder in ("'a b'", "./-x", "plain")]
