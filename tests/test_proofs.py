"""What sealing commands sign and digest holds in a compile, and nothing that was changed since does."""

from __future__ import annotations

import base64
import copy
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshc.components.cacerts import PUBLIC
from meshc.kube import Body
from meshc.plan.needs import SecretNeed
from meshc.sealing import proofs
from meshc.sealing.registry import BACKENDS, BY_KIND
from meshc.trust.proofs import ALL, BINDING, BLOB, CA, NOT_AFTER, ROOT, SERVER
from meshc.trust.proofs import RECIPIENTS as RECIPIENTS_KEY
from meshc.yamltext.read import read
from meshc.yamltext.write import write
from sealed_cases.making import certificates
from sealed_cases.proofs import NAMED, RECIPIENTS, proven, proven_remote, sealing_certificate
from support.throwaway import Authority, make_root, pem

ROOT_CA = make_root()
HUB, EDGE = ROOT_CA.issue("hub"), ROOT_CA.issue("edge-1")
SEALING = sealing_certificate()
FOLDER = {
    path.removeprefix("certificates/"): data for path, data in certificates(ROOT_CA, hub=HUB, edge_1=EDGE).items()
} | {"hub/sealing-cert.pem": SEALING}
CACERTS = SecretNeed(
    "hub",
    "cacerts",
    "hub/cacerts.yaml",
    "istio-system",
    "cacerts",
    ("ca-key.pem",),
    PUBLIC,
    recipients=NAMED,
    binding="wanted",
)
REMOTE = SecretNeed(
    "hub",
    "remote secret",
    "hub/remote-secret-edge-1.yaml",
    "istio-system",
    "istio-remote-secret-edge-1",
    ("edge-1",),
    recipients=NAMED,
    servers={"edge-1": "https://edge-1.example:6443"},
    of={"edge-1": "edge-1"},
)


def body_of(data: bytes) -> dict[str, Any]:
    (document,), problems = read(data, "")
    assert not problems
    found: dict[str, Any] = copy.deepcopy(document.data)
    return found


SOPS, SEALED = body_of(proven("hub", HUB, ROOT_CA)), body_of(proven("hub", HUB, ROOT_CA, certificate=SEALING))
EDGES = body_of(proven("edge-1", EDGE, ROOT_CA))
TOKEN = body_of(proven_remote("edge-1", "https://edge-1.example:6443"))


def said(body: Body, need: SecretNeed = CACERTS, folder: Mapping[str, bytes] = FOLDER) -> list[str]:
    """The codes that the proofs of a sealed object raise, as it comes out of its file."""
    (document,), problems = read(write(body).encode(), "sealed.yaml")
    assert not problems
    found = list(proofs.check(need, BY_KIND[document.data["kind"]], document, folder))
    assert all(problem.clusters == ("hub",) and problem.place.line for problem in found)
    return sorted(problem.code.id for problem in found)


def annotated(body: Body, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The object with annotations changed."""
    made = copy.deepcopy(dict(body))
    made["metadata"]["annotations"] |= changes
    return made


def with_value(body: Body, key: str, value: str) -> dict[str, Any]:
    made = copy.deepcopy(dict(body))
    (made["data"] if "data" in made else made["spec"]["encryptedData"])[key] = value
    return made


@pytest.mark.parametrize(("body", "need"), [(SOPS, CACERTS), (SEALED, CACERTS), (TOKEN, REMOTE)])
def test_what_was_sealed_holds(body: Body, need: SecretNeed) -> None:
    assert said(body, need) == []


@pytest.mark.parametrize("body", [SOPS, SEALED, TOKEN])
def test_both_rooms_see_the_same_ciphertext(body: Body) -> None:
    """`secrets` may not import `seal`, so each has its own way to it."""
    backend = {"Secret": "sops", "SealedSecret": "sealed-secrets"}[body["kind"]]

    assert dict(BY_KIND[body["kind"]].blobs(body)) == dict(BACKENDS[backend].blobs(body))


def test_absent_annotations_say_nothing_but_for_the_binding() -> None:
    for body in (SOPS, SEALED):
        bare = {**body, "metadata": {**body["metadata"], "annotations": {"note": "meshc/binding"}}}

        assert said(bare) == ["MESH424"]
        assert said(bare, replace(CACERTS, binding="required")) == ["MESH425"]
    bare = {**TOKEN, "metadata": {"name": "x", "namespace": "y"}}
    assert said(bare, REMOTE) == []


@pytest.mark.parametrize("root", ["old", "new"])
def test_a_second_root_leaves_the_binding_valid(root: str) -> None:
    other = make_root()
    bundle = pem(ROOT_CA, other) if root == "old" else pem(other, ROOT_CA)

    assert said(SOPS, folder=FOLDER | {"root-cert.pem": bundle}) == []


def test_a_binding_names_its_root() -> None:
    """The root of the same key, renewed, is another certificate: what was signed was about the first."""
    renewed = make_root(key=ROOT_CA.key, end=datetime(2046, 1, 1, tzinfo=UTC))

    assert said(SOPS, folder=FOLDER | {"root-cert.pem": renewed.cert_pem}) == ["MESH422", "MESH423"]
    assert said(SOPS, folder=FOLDER | {"root-cert.pem": pem(renewed, ROOT_CA)}) == []


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048"])
def test_bindings_of_every_kind_of_key(kind: Any) -> None:
    hub = ROOT_CA.issue("hub", key=kind)
    folder = FOLDER | {"hub/ca-cert.pem": hub.cert_pem, "hub/cert-chain.pem": pem(hub, ROOT_CA)}
    sealed = body_of(proven("hub", hub, ROOT_CA))

    assert said(sealed, folder=folder) == []
    assert said(with_value(sealed, "ca-key.pem", SOPS["data"]["ca-key.pem"]), folder=folder) == ["MESH421", "MESH423"]


def test_a_file_of_another_cluster_is_refused() -> None:
    moved = with_value(SOPS, "ca-key.pem", EDGES["data"]["ca-key.pem"])
    theirs = EDGES["metadata"]["annotations"]

    assert said(moved) == ["MESH421", "MESH423"]
    assert said(annotated(moved, {BLOB: theirs[BLOB]})) == ["MESH423"]
    assert said(annotated(moved, {key: theirs[key] for key in (BLOB, BINDING)})) == ["MESH423"]
    assert said(EDGES) == ["MESH422", "MESH423"]


def test_a_whole_cluster_renamed_is_refused() -> None:
    """Certificates, ciphertext, binding: everything of edge-1 put where hub's was."""
    folder = FOLDER | {f"hub/{name}": FOLDER[f"edge-1/{name}"] for name in PUBLIC[:2]}

    assert said(EDGES, folder=folder) == ["MESH423"]


def test_a_key_of_ones_own_is_refused() -> None:
    own = body_of(proven("hub", Authority(HUB.cert, make_root().key), ROOT_CA))

    assert said(own) == ["MESH423"]


@pytest.mark.parametrize("missing", ["hub/ca-cert.pem", "hub/cert-chain.pem", "root-cert.pem"])
def test_proofs_without_certificates_are_not_believed(missing: str) -> None:
    assert said(SOPS, folder={k: v for k, v in FOLDER.items() if k != missing}) == ["MESH422"]
    assert said(SOPS, folder=FOLDER | {missing: b"garbage"}) == ["MESH422"]


def test_recipients() -> None:
    pgp = {**TOKEN, "sops": {**TOKEN["sops"], "pgp": [{"fp": "0" * 40}]}}
    swapped = body_of(proven_remote("edge-1", "https://edge-1.example:6443", RECIPIENTS[1:3]))

    assert said(TOKEN, replace(REMOTE, recipients=NAMED[::-1])) == []
    assert said(TOKEN, replace(REMOTE, recipients=())) == []
    assert said(swapped, replace(REMOTE, recipients=())) == []
    assert said(swapped, REMOTE) == ["MESH420"]
    assert said({**swapped, "sops": TOKEN["sops"]}, REMOTE) == ["MESH420"]  # the annotation is that of others
    assert said(pgp, REMOTE) == said(pgp, replace(REMOTE, recipients=())) == ["MESH420"]
    assert said(SEALED, replace(CACERTS, recipients=RECIPIENTS)) == []


def test_recipients_are_shortened_and_no_more_than_three() -> None:
    (document,), _ = read(write(TOKEN).encode(), "sealed.yaml")
    found = list(proofs.check(replace(REMOTE, recipients=RECIPIENTS), BY_KIND["Secret"], document, {}))
    (many,) = proofs.check(replace(REMOTE, recipients=("age1other",)), BY_KIND["Secret"], document, {})

    assert "4 (" in found[0].what
    assert found[0].what.count("age1") == 3
    assert not any(one in found[0].what for one in RECIPIENTS)
    assert "1 (age1other) of mesh.yaml missing, 2 (age1" in many.what


@pytest.mark.parametrize(
    ("server", "wanted", "same"),
    [
        ("https://edge-1.example:6443", "https://EDGE-1.example:6443/", True),
        ("https://edge-1.example:443", "https://edge-1.example", True),
        ("https://edge-1.example:6444", "https://edge-1.example:6443", False),
        ("http://edge-1.example:6443", "https://edge-1.example:6443", False),
        ("https://me@edge-1.example:6443", "https://edge-1.example:6443", False),
        ("edge-1.example:6443", "https://edge-1.example:6443", False),
        ("https://[", "https://edge-1.example:6443", False),
        (6443, "https://edge-1.example:6443", False),
        ("anything", None, True),
    ],
)
def test_servers(server: Any, wanted: str | None, same: bool) -> None:
    found = said(annotated(TOKEN, {SERVER: server}), replace(REMOTE, servers={"edge-1": wanted} if wanted else {}))

    assert found == ([] if same else ["MESH426"])


def test_sealing_certificates() -> None:
    without = {k: v for k, v in FOLDER.items() if k != "hub/sealing-cert.pem"}

    assert said(SEALED, folder=without) == []
    assert said(SEALED, folder=FOLDER | {"hub/sealing-cert.pem": SEALING + b"\n"}) == ["MESH427"]


@pytest.mark.thorough
@given(key=st.sampled_from(ALL), value=st.text() | st.integers() | st.none() | st.lists(st.text(), max_size=2))
def test_garbage_is_wrong_but_no_accident(key: str, value: Any) -> None:
    """Any annotation of any value: never an exception, and never taken for right."""
    expected = {CA: "MESH422", ROOT: "MESH422", NOT_AFTER: "MESH422", BINDING: "MESH423", BLOB: "MESH421"}
    expected |= {"meshc/spki-sha256": "MESH422", RECIPIENTS_KEY: "MESH420"}
    for body, need in ((SOPS, CACERTS), (SEALED, CACERTS), (TOKEN, REMOTE)):
        made = copy.deepcopy(dict(body))
        about = made["metadata"]["annotations"]
        there, about[key] = key in about, value
        (document,), problems = read(write({**made, "metadata": {**made["metadata"], "annotations": {}}}).encode(), "x")
        assert not problems
        document = replace(document, data=made)  # as values are, whatever YAML could write
        found = [problem.code.id for problem in proofs.check(need, BY_KIND[made["kind"]], document, FOLDER)]

        if there and key in expected:
            assert expected[key] in found


@pytest.mark.thorough
@given(st.integers(0, 10_000), st.sampled_from("ABCxyz019+/"))
def test_no_character_of_ciphertext_or_binding_can_be_changed(position: int, character: str) -> None:
    blob, signature = SOPS["data"]["ca-key.pem"], SOPS["metadata"]["annotations"][BINDING]
    start = blob.index("data:") + 5
    spot = start + position % (blob.index(",iv") - start - 4)
    changed = with_value(SOPS, "ca-key.pem", blob[:spot] + character + blob[spot + 1 :])
    spot = position % len(signature)
    other = annotated(SOPS, {BINDING: signature[:spot] + character + signature[spot + 1 :]})

    assert changed == SOPS or said(changed) == ["MESH421", "MESH423"]
    assert other == SOPS or said(other) == ["MESH423"]


def test_no_message_holds_a_value() -> None:
    canary = base64.b64encode(b"canary-of-a-private-key").decode()
    for key in ALL:
        for body, need in ((SOPS, CACERTS), (TOKEN, REMOTE)):
            (document,), _ = read(write(annotated(body, {key: canary})).encode(), "sealed.yaml")
            for problem in proofs.check(need, BY_KIND["Secret"], document, FOLDER):
                assert canary not in problem.what + problem.hint


def test_files_without_proofs_need_no_cryptography() -> None:
    code = "import sys; import meshc.sealing.proofs, meshc.sealing.registry; sys.exit('cryptography' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
