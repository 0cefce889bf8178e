"""`meshc diff` and `meshc check` beside commits, folders and other clones; what is compared, and what never shows."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from meshc.review.compare import edits
from meshc.review.diff import Action, Difference, compare, renames
from meshc.review.markdown import LIMIT, comment
from meshc.review.objects import Sides
from meshc.review.risks_of_objects import credentials
from meshc.review.touched import alike, touched
from meshc.tree import HEADER, FileTree
from support.places import Place
from support.processes import Run, meshc
from support.trees import REMOTE, change

pytestmark = pytest.mark.thorough

CANARY = "c3VwZXItc2VjcmV0LWNhbmFyeS1wYXNzd29yZA=="


def git(folder: Path, *words: str) -> str:
    named = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main", *words]
    return subprocess.run(named, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    """A new mesh in a Git repository, compiled and committed on main; the branch pr is checked out."""
    folder = tmp_path / "mesh"
    folder.mkdir()
    git(folder, "init", "-q", ".")
    assert meshc("init", ".", cwd=folder).returncode == 0
    assert meshc("compile", cwd=folder).returncode == 0
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    git(folder, "checkout", "-qb", "pr")
    return folder


def said(*words: str, cwd: Path, code: int = 1, **environment: str) -> str:
    done: Run = meshc(*words, cwd=cwd, **environment)

    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr

    return done.stdout if code in (0, 1) else done.stderr


def test_the_base_is_where_the_branch_left_the_default_one(mesh: Path) -> None:
    change(mesh, "  namespaces:\n", REMOTE)
    meshc("compile", cwd=mesh)
    git(mesh, "add", "-A")
    git(mesh, "commit", "-qm", "two")

    first = said("diff", cwd=mesh).splitlines()
    git(mesh, "checkout", "-q", "--detach")

    assert first[0].endswith("in 1 cluster")
    assert next(line for line in first if "edge-2" in line).startswith("+ add cluster edge-2: ")
    assert said("diff", cwd=mesh).splitlines() == first
    assert said("diff", "--base", "HEAD", cwd=mesh, code=0).startswith("0 to add, 0 to change, 0 to delete")
    assert "GitHub" not in said("diff", cwd=mesh, code=2, GITHUB_BASE_REF="release")


def test_a_pull_request_is_compared_with_the_branch_it_goes_to(mesh: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(mesh), "clone")
    clone = tmp_path / "clone"
    git(clone, "checkout", "-q", "-b", "mine", "origin/main")
    change(clone, "  namespaces:\n", REMOTE)

    assert "add cluster edge-2" in said("diff", cwd=clone, GITHUB_BASE_REF="main")
    assert "add cluster edge-2" in said("diff", cwd=clone, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")


def test_a_shallow_clone_says_what_it_lacks(mesh: Path, tmp_path: Path) -> None:
    change(mesh, "  namespaces:\n", REMOTE)
    git(mesh, "commit", "-qam", "two")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{mesh}", "clone")
    clone = tmp_path / "clone"

    assert "fetch-depth: 0" in said("diff", cwd=clone, code=2, GITHUB_BASE_REF="main")
    assert "fetch-depth: 0" in said("diff", "--base", "HEAD~1", cwd=clone, code=2)


def test_a_base_without_its_output_is_compiled(mesh: Path) -> None:
    git(mesh, "rm", "-rq", "--cached", "output", "overlays")
    git(mesh, "commit", "-qm", "without")
    before = {path for path in mesh.rglob("*") if ".meshc" not in path.parts}
    change(mesh, "  namespaces:\n", REMOTE)

    assert "add cluster edge-2" in said("diff", "--base", "HEAD", cwd=mesh)
    assert {path for path in mesh.rglob("*") if ".meshc" not in path.parts} == before

    (mesh / "mesh.yaml").write_text("spec: 1\n")
    git(mesh, "commit", "-qam", "broken")
    git(mesh, "checkout", "-q", "main", "--", "mesh.yaml")

    assert "MESH102: " in said("diff", "--base", "HEAD", cwd=mesh, code=3)


def test_a_base_without_a_mesh_has_nothing(mesh: Path) -> None:
    git(mesh, "rm", "-rq", "--cached", "output", "overlays", "mesh.yaml")
    git(mesh, "commit", "-qm", "nothing")

    first = said("diff", "--base", "HEAD", cwd=mesh).splitlines()[0]

    assert " to add, 0 to change, 0 to delete in 2 clusters" in first


def test_output_in_another_repository(mesh: Path, tmp_path: Path) -> None:
    """A folder with output/ in it, output/ itself, and a branch that holds nothing else."""
    other = tmp_path / "deploy"
    shutil.copytree(mesh / "output", other / "output")
    git(mesh, "checkout", "-q", "--orphan", "rendered")
    git(mesh, "rm", "-rqf", "--cached", ".")
    git(mesh, "add", "-f", "output")
    git(mesh, "commit", "-qm", "rendered")
    git(mesh, "checkout", "-qf", "pr")
    places = [str(other), str(other / "output"), "rendered"]

    assert [said("diff", "--against", place, cwd=mesh, code=0)[:8] for place in places] == ["0 to add"] * 3
    assert [said("check", "--against", place, cwd=mesh, code=0)[:11] for place in places] == ["up to date:"] * 3

    change(mesh, "  namespaces:\n", REMOTE)

    assert ["add cluster edge-2" in said("diff", "--against", place, cwd=mesh) for place in places] == [True] * 3
    assert ["missing: output/edge-2/" in said("check", "--against", place, cwd=mesh) for place in places] == [True] * 3


def test_nothing_of_the_repository_is_run(mesh: Path, tmp_path: Path) -> None:
    """Settings, filters and hooks of a repository that somebody else made."""
    for name in (
        "core.fsmonitor",
        "diff.external",
        "core.pager",
        "diff.x.textconv",
        "filter.x.clean",
        "filter.x.smudge",
    ):
        git(mesh, "config", name, f"touch {tmp_path}/ran-{name}; cat")
    (mesh / ".git/info/attributes").write_text("* diff=x filter=x\n")
    change(mesh, "  namespaces:\n", REMOTE)

    said("diff", cwd=mesh)
    said("check", cwd=mesh)

    assert list(tmp_path.glob("ran-*")) == []


def test_a_plain_secret_of_the_base_never_shows(mesh: Path) -> None:
    file = mesh / "output/hub/namespaces.yaml"
    plain = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x", "namespace": "y"}}
    texts = [{"data": {"password": CANARY}}, {"stringData": {"password": CANARY}}]
    note = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "n"},
        "data": {"key": f"eyJhbGciOi.eyJ{CANARY}.x"},
    }
    for number, body in enumerate([*({**plain, **text} for text in texts), note]):
        file.write_text(file.read_text() + "---\n" + yaml.safe_dump(body))
        git(mesh, "commit", "-qam", f"leak {number}")
    everything = "".join(
        said("diff", "--base", base, "--format", form, cwd=mesh)
        for base in ("HEAD", "HEAD~1", "HEAD~2")
        for form in ("text", "markdown", "json")
    )

    assert "delete ConfigMap n" in everything
    assert CANARY not in everything
    assert CANARY[:20] not in everything


def test_a_root_is_replaced_step_by_step_and_the_diff_tells_which(tmp_path: Path) -> None:
    """Trusting both adds a root, issuing anew replaces CAs, dropping the old root is dangerous only too early."""
    place = Place(tmp_path)
    key = place.root()
    place.meshc("ca", "issue", "--root-key", str(key))
    place.meshc("compile")
    place.commit()
    place.meshc("ca", "init", "--key-out", str(place.keys / "new.key"), "--certificate", str(place.keys / "new.pem"))

    def step(*words: str) -> list[str]:
        place.meshc("ca", "rotate-root", "--workloads-restarted", *words)
        place.meshc("compile")
        told = json.loads(place.meshc("diff", "--base", "HEAD", "--format", "json", code=1))
        place.commit()
        return [danger["code"] for danger in told["dangers"]]

    assert step("--new-root", str(place.keys / "new.pem")) == ["MESH821"]
    assert step("--root-key", str(place.keys / "new.key")) == ["MESH804"]
    assert step() == []

    told = json.loads(place.meshc("diff", "--base", "HEAD~2", "--format", "json", code=1))

    assert [danger["code"] for danger in told["dangers"]] == ["MESH803", "MESH804"]
    assert all("ENC[" not in json.dumps(one) and "-----BEGIN" not in json.dumps(one) for one in told["changes"])


def test_check_tells_hand_edits_from_stale_compiles(mesh: Path) -> None:
    text = (mesh / "output/edge-1/namespaces.yaml").read_text()
    (mesh / "output/edge-1/namespaces.yaml").write_text(text.replace("enabled", "disabled"))

    assert said("check", cwd=mesh).startswith("edited by hand: output/edge-1/namespaces.yaml\n")

    git(mesh, "checkout", "-q", ".")
    (mesh / "overlays/hub/namespaces.yaml").write_text((mesh / "overlays/hub/namespaces.yaml").read_text() + "# x\n")

    assert said("check", cwd=mesh).startswith("edited by hand: overlays/hub/namespaces.yaml\n")

    git(mesh, "checkout", "-q", ".")
    change(mesh, "  namespaces:", "  namespaces:\n    - {name: more}")
    (mesh / "output/edge-1/namespaces.yaml").write_text(text.replace("enabled", "disabled"))
    states = {one["file"]: one["state"] for one in json.loads(said("check", "--format", "json", cwd=mesh))["stale"]}

    assert states == {
        "output/edge-1/namespaces.yaml": "stale and edited by hand",
        "output/hub/namespaces.yaml": "stale",
        "overlays/edge-1/namespaces.yaml": "stale",
        "overlays/hub/namespaces.yaml": "stale",
    }


def test_check_tells_line_ends_from_hand_edits(mesh: Path) -> None:
    """A checkout with core.autocrlf turns every file. One of them was edited too, and that is told of it."""
    for path in (*(mesh / "output").rglob("*.yaml"), *(mesh / "overlays").rglob("*.yaml")):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    edited = mesh / "output/edge-1/namespaces.yaml"
    edited.write_bytes(edited.read_bytes().replace(b"enabled", b"disabled"))
    states = {one["file"]: one["state"] for one in json.loads(said("check", "--format", "json", cwd=mesh))["stale"]}

    assert states.pop("output/edge-1/namespaces.yaml") == "edited by hand"
    assert len(states) > 5
    assert set(states.values()) == {"line ends changed"}


def test_check_names_the_lines_behind_a_stale_file(mesh: Path) -> None:
    lines = (mesh / "mesh.yaml").read_text().splitlines()
    number = next(number for number, line in enumerate(lines, 1) if "istiod:" in line)
    change(mesh, lines[number - 1], lines[number - 1].rpartition(":")[0] + ": 203.0.113.99")
    stale = json.loads(said("check", "--format", "json", cwd=mesh))["stale"]

    assert {one["file"]: one["because"] for one in stale} == {
        "output/edge-1/istio-remote.yaml": [f"mesh.yaml:{number}"],
        "output/hub/exposure.yaml": [f"mesh.yaml:{number}"],
        "overlays/edge-1/istio-remote.yaml": [f"mesh.yaml:{number}"],
        "overlays/hub/exposure.yaml": [f"mesh.yaml:{number}"],
    }
    assert f"changed since%3A mesh.yaml%3A{number}" in said("check", "--format", "github", cwd=mesh) or (
        f"changed since: mesh.yaml:{number}" in said("check", "--format", "github", cwd=mesh)
    )
    assert "endpoints[0].addresses[0]: " in said("check", "--diff", cwd=mesh)


def test_check_tells_an_older_meshc(mesh: Path) -> None:
    versions = mesh / "output/_meshc.yaml"
    versions.write_text(versions.read_text().replace("meshc: 0", "meshc: 9.0"))
    file = mesh / "output/edge-1/namespaces.yaml"
    file.write_text(file.read_text().replace("enabled", "disabled"))

    assert said("check", cwd=mesh).startswith("written by another version: output/edge-1/namespaces.yaml\n")


# What is compared, without a repository

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(JSON, JSON)
def test_there_are_edits_exactly_where_something_differs(one: Any, other: Any) -> None:
    assert list(edits(one, one)) == []
    assert bool(list(edits({"spec": one}, {"spec": other}))) == (yaml.safe_dump(one) != yaml.safe_dump(other))


def test_lists_are_matched_by_what_tells_their_items_apart() -> None:
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    containers = [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]

    def paths(before: Any, after: Any) -> list[str]:
        return [edit.path for edit in edits(before, after)]

    assert paths({"ports": tuple(ports)}, {"ports": tuple(reversed(ports))}) == []
    assert paths({"ports": (ports[0],)}, {"ports": ({**ports[0], "name": "web"},)}) == ["ports[80/TCP].name"]
    assert paths({"containers": tuple(containers)}, {"containers": tuple(reversed(containers))}) == []
    assert paths({"initContainers": tuple(containers)}, {"initContainers": tuple(reversed(containers))}) == [
        "initContainers (order)"
    ]
    assert paths({"args": ("-a", "-b")}, {"args": ("-b", "-a")}) != []
    assert paths({"verbs": ("get", "list")}, {"verbs": ("list", "get")}) == []
    assert paths({"verbs": ("get", "list")}, {"verbs": ("list", "watch")}) == ["verbs[0]"]
    assert paths({"metadata": {"annotations": {"a.b/c": "1"}}}, {"metadata": {"annotations": {}}}) == [
        'metadata.annotations["a.b/c"]'
    ]


def service(name: str, port: int = 80) -> bytes:
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"}}
    return yaml.safe_dump({**body, "spec": {"ports": [{"name": "http", "port": port}]}}).encode()


def output(**clusters: list[bytes]) -> FileTree:
    return FileTree({f"{name}/services.yaml": HEADER + b"---\n".join(texts) for name, texts in clusters.items()})


def test_what_is_the_same_in_many_clusters_is_told_once() -> None:
    names = [f"edge{number}" for number in range(40)]
    before = output(**{name: [service("cart"), service(name)] for name in names})
    after = output(**{name: [service("cart", 81), service(name, 81)] for name in names})
    found = compare(before, after)
    cart = [entry for entry in found.entries if entry.identity.name == "cart"]

    assert found.summary == "0 to add, 80 to change, 0 to delete in 40 clusters"
    assert [entry.clusters for entry in cart] == [tuple(sorted(names))]
    assert len(found.entries) == 41


def test_an_object_in_another_file_or_order_is_the_same() -> None:
    before = output(hub=[service("a"), service("b")])
    moved = FileTree({"hub/x.yaml": HEADER + service("b"), "hub/y.yaml": HEADER + service("a")})

    assert compare(before, moved).entries == ()


def test_a_renamed_cluster_needs_evidence() -> None:
    before, after = output(one=[service("a")] * 1), output(two=[service("a")])
    others = output(two=[service("b")])

    assert renames(before, after, {}) == {"one": "two"}
    assert renames(before, others, {}) == {}
    assert renames(before, others, {"two": "one"}) == {"one": "two"}
    assert [entry.action for entry in compare(before, others).entries] == [Action.ADD, Action.DELETE]


def test_a_comment_is_never_too_long_for_one() -> None:
    names = [f"{'n' * 60}{number}" for number in range(3000)]
    before = output(hub=[service(name, number + 1) for number, name in enumerate(names)])
    after = output(hub=[service(name, number + 2) for number, name in enumerate(names)])
    text = comment(compare(before, after), [], "shop", "main")
    groups = text.count("<details>")

    assert len(text) <= LIMIT
    assert f"{3000 - groups} more groups of changes don't fit" in text
    assert text.count("</details>") == groups > 100
    assert text.startswith("<!-- meshc diff shop -->\n**0 to add, 3000 to change, 0 to delete in 1 cluster**")


def test_a_difference_of_nothing_is_none() -> None:
    assert not Difference((), (), (), {}, {"hub": Sides({}, {})})


def test_values_of_a_secret_hide_wherever_they_stand(mesh: Path, tmp_path: Path) -> None:
    """In last-applied, in other annotations and keys, in a List; and check shows no line of such a file."""
    last = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"stringData": {"p": "hunter2"}})}
    name = {"name": "x", "namespace": "y"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": name, "stringData": {"p": "hunter2"}}
    bodies: list[dict[str, Any]] = [
        {**secret, "metadata": {**name, "annotations": {**last, "note": "hunter2"}}, "binary": "hunter2"},
        {"apiVersion": "v1", "kind": "List", "metadata": {"name": "l"}, "items": [secret]},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "annotations": last}},
    ]
    before = FileTree({"hub/x.yaml": "---\n".join(yaml.safe_dump(body) for body in bodies).encode()})
    after = FileTree({"hub/x.yaml": before["hub/x.yaml"].replace(b"hunter2", b"hunter3") + b"---\nkind: More\n"})
    found = compare(before, after)

    assert len(found.entries) == 1  # what differs is hidden on both sides
    assert "hunter" not in repr(found.entries)

    file = mesh / "output/edge-1/istio-remote.yaml"
    for body in bodies[:2]:
        file.write_text(file.read_text() + "---\n" + yaml.safe_dump(body))
    for form in ("text", "json", "github"):
        assert "hunter" not in said("check", "--format", form, cwd=mesh)
    assert "hunter" not in said("check", "--diff", cwd=mesh)


def test_what_can_not_be_told_is_said(mesh: Path) -> None:
    text = (mesh / "mesh.yaml").read_text()
    (mesh / "mesh.yaml").write_text("foo: 1\n" + text)
    git(mesh, "commit", "-qam", "a mesh.yaml of another version")
    (mesh / "mesh.yaml").write_text(text)
    done = meshc("diff", "--base", "HEAD", "--fail-on", "danger", cwd=mesh)

    assert done.returncode == 1
    assert (
        "this meshc can't read its mesh.yaml, so MESH806, MESH808, MESH815, MESH850 and MESH851 aren't reported"
        in done.stderr
    )
    assert "--against names nothing" in said("diff", "--against", "", cwd=mesh, code=2)
    assert "isn't the name of a commit" in said("check", "--base", "", cwd=mesh, code=2)


def test_objects_of_the_wrong_shape_are_told_in_good_order(mesh: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(mesh / "output", other / "output")
    (other / "output/hub/odd.yaml").write_text("apiVersion: 3\nkind: [x]\nmetadata: 5\n")
    said("diff", "--against", str(other), cwd=mesh)
    (other / "output/hub/odd.yaml").write_text("a: [\n")

    assert "output/hub/odd.yaml:2:1" in said("diff", "--against", str(other), cwd=mesh, code=3)


def test_what_python_takes_for_equal_differs_to_an_api_server() -> None:
    def told(before: Any, after: Any) -> list[tuple[str | None, str | None]]:
        return [(edit.before, edit.after) for edit in edits({"spec": before}, {"spec": after})]

    assert told({"prune": True}, {"prune": 1}) == [("true", "1")]
    assert told(["1"], [1]) == [('"1"', "1")]
    assert told({"wait": True}, {"wait": "true"}) == [("true", '"true"')]
    assert told("a\nb\n", "a\nb") == [("line endings", "other line endings: nothing else differs")]
    rules = [{"alert": "a"}, {"alert": "b"}]
    assert told({"rules": rules}, {"rules": rules[::-1]}) != []


def test_clusters_that_leave_are_one_danger(mesh: Path) -> None:
    change(mesh, "  namespaces:\n", REMOTE)
    meshc("compile", cwd=mesh)
    git(mesh, "add", "-A")
    git(mesh, "commit", "-qm", "three")
    text = (mesh / "mesh.yaml").read_text()
    first, second = text.index("    - name: edge-1"), text.index("  namespaces:")
    (mesh / "mesh.yaml").write_text(text[:first] + text[second:])
    found = json.loads(said("diff", "--base", "HEAD", "--format", "json", cwd=mesh))["dangers"]
    leaving = [one for one in found if one["code"] == "MESH801"]

    assert [(one["clusters"], one["what"].split(":")[0]) for one in leaving] == [
        (["edge-1", "edge-2"], '"edge-1", "edge-2" leave the mesh')
    ]


def test_a_renamed_cluster_called_like_something_else_renames_only_itself() -> None:
    """Its old name is that of a namespace too, and of a Service in it."""
    before = output(shop=[service("cart"), service("shop")])
    found = compare(before, output(market=[service("cart"), service("shop")]), {"shop": "market"})

    assert (found.entries, found.summary) == ((), "0 to add, 0 to change, 0 to delete in 0 clusters, 1 renamed")


def test_credentials_that_go_with_a_name_are_told() -> None:
    metadata = {
        "name": "istio-remote-secret-a",
        "namespace": "istio-system",
        "labels": {"istio/multiCluster": "true"},
        "annotations": {"networking.istio.io/cluster": "a"},
    }
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    before = output(a=[service("x")], hub=[yaml.safe_dump(secret).encode(), service("x")])
    found = compare(before, output(b=[service("x")], hub=[service("x")]), {"a": "b"})

    assert [risk.what for risk in credentials(found)] == ['istiod loses the endpoints of "a"']


def test_a_change_is_summed_up_by_cluster() -> None:
    def tree(clusters: dict[str, str]) -> FileTree:
        text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: b}}\ndata: {{x: '{}'}}\n"
        return FileTree({f"{name}/x.yaml": text.format(value).encode() for name, value in clusters.items()})

    same = {f"edge-{n}": "1" for n in range(30)}
    difference = compare(
        tree({**same, "old": "1", "calm": "1"}), tree({**dict.fromkeys(same, "2"), "calm": "1", "new": "1"})
    )
    found = touched(difference, [], [])
    rows = alike(found)

    assert [
        (len(row.clusters), row.first.state, row.first.add, row.first.change, row.first.delete) for row in rows
    ] == [
        (1, "removed", 0, 0, 1),
        (1, "added", 1, 0, 0),
        (30, "changed", 0, 1, 0),
    ]
    text = comment(difference, [], "shop", "main")
    assert "<code>edge-0, edge-1, edge-10, edge-11 and 26 more</code> (30) | changed |" in text
    assert "* change <code>ConfigMap</code>: 30 objects in 30 clusters" in text
    assert "calm" not in text
