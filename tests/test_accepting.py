"""`meshc secrets accept`: what `kubeseal --re-encrypt` made is taken in, and nothing that is another Secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from meshc.hidden import Hidden
from meshc.sealing import sealed_secrets
from meshc.sealing.contract import Plain, Target
from support.credentials import CONFIG
from support.places import Place, sealing_pair
from support.tools import find_tool
from support.unsealing import unseal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

pytestmark = pytest.mark.thorough

CACERTS, REMOTE = "sealed/hub/cacerts.yaml", "sealed/hub/remote-secret-edge-1.yaml"
CONTROLLER, RENEWED = sealing_pair(), sealing_pair()


def committed(folder: Path, more: str = "") -> Place:
    """A mesh with a SealedSecret of each sort, compiled and committed; then the controller made a new key."""
    find_tool("kubectl")
    place = Place(folder, f"{{backend: sealed-secrets{more}}}")
    key = place.root()
    sealing = place.base / "certificates/hub/sealing-cert.pem"
    sealing.parent.mkdir(parents=True)
    sealing.write_bytes(CONTROLLER[1])
    place.meshc("ca", "issue", "--root-key", str(key))
    place.meshc("secrets", "seal", "-", stdin=yaml.safe_dump(CONFIG))
    place.meshc("compile")
    place.commit()
    sealing.write_bytes(RENEWED[1])
    return place


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return committed(tmp_path_factory.mktemp("re-encrypted"))


def loaded(place: Place, file: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((place.base / file).read_text())
    return found


def re_encrypted(body: dict[str, Any], old: rsa.RSAPrivateKey = CONTROLLER[0], *, since_2026: bool) -> dict[str, Any]:
    """What `kubeseal --re-encrypt` prints of a strict SealedSecret.

    The controller unseals the Secret, readable values too, and seals all of it with its newest key. A newer controller
    copies the object's metadata over that of the template first.
    """
    inner = unseal(body, old)
    metadata = body["metadata"] if since_2026 else inner["metadata"]
    values = {key: Hidden(value) for key, value in inner["data"].items()}
    plain = Plain(metadata["namespace"], metadata["name"], values)
    made = sealed_secrets.seal(plain, Target(certificate=RENEWED[1]), datetime.now(UTC))
    template = {"metadata": {**metadata, "creationTimestamp": None}, "type": "Opaque"}
    around = {"name": metadata["name"], "namespace": metadata["namespace"], "creationTimestamp": None}
    return {**made, "metadata": around, "spec": {**made["spec"], "template": template}}


@pytest.mark.parametrize(("in_place", "since_2026"), [(True, True), (False, False)])
def test_what_kubeseal_re_encrypted_is_taken_in(tmp_path: Path, in_place: bool, since_2026: bool) -> None:
    place = committed(tmp_path)
    for file in (REMOTE, CACERTS):
        assert f"kubeseal --re-encrypt and meshc secrets accept {file}" in place.meshc("validate")
    for file in (REMOTE, CACERTS):
        before = loaded(place, file)
        new = re_encrypted(before, since_2026=since_2026)
        if in_place:
            (place.base / file).write_text(yaml.safe_dump(new))
            if file == REMOTE:  # the label by which istiod finds it is lost
                assert f"after kubeseal --re-encrypt: meshc secrets accept {file}" in place.meshc("compile", code=3)
            assert f"wrote {file}" in place.meshc("secrets", "accept", file)
        else:
            assert f"wrote {file}" in place.meshc("secrets", "accept", file, "--from", "-", stdin=json.dumps(new))
        after = loaded(place, file)
        assert after["spec"]["template"] == before["spec"]["template"]
        assert after["spec"]["encryptedData"].keys() == before["spec"]["encryptedData"].keys()
        assert unseal(after, RENEWED[0]) == unseal(before, CONTROLLER[0])
    said = place.meshc("compile")
    assert [code for code in ("MESH421", "MESH424", "MESH427") if code in said] == ["MESH424"]
    assert "meshc/re-encrypted" in place.meshc("diff", "--base", "HEAD", code=1)
    again = place.meshc("secrets", "accept", REMOTE, "--from", str(place.base / REMOTE))
    assert f"{REMOTE} has this ciphertext already" in again


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("metadata", "name"), "other", "another Secret: name is 'other'"),
        (("metadata", "namespace"), "other", "namespace is 'other'"),
        (("metadata", "annotations"), {"sealedsecrets.bitnami.com/cluster-wide": "true"}, "cluster-wide is 'true'"),
        (("spec", "template", "type"), "kubernetes.io/tls", "type is 'kubernetes.io/tls'"),
        (("spec", "encryptedData"), {"another": "x"}, "the new one has the keys another, the existing file edge-1"),
        (("spec", "encryptedData"), {"edge-1": "cGxhaW4="}, "isn't sealed"),
        (("kind",), "Secret", "must be a SealedSecret"),
        (("spec", "template"), 5, None),
        (("spec",), 5, "keys none"),
        (("metadata",), 5, "name is None"),
    ],
)
def test_what_is_another_secret_is_not_taken(
    shared: Place, path: tuple[str, ...], value: object, told: str | None
) -> None:
    changed = re_encrypted(loaded(shared, REMOTE), since_2026=True)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    before = shared.files()
    accept = ("secrets", "accept", REMOTE, "--from", "-")
    if told is None:  # the template of the new one isn't taken, whatever it is
        shared.meshc(*accept, stdin=yaml.safe_dump(changed))
        shared.git("checkout", "-q", REMOTE)
    else:
        assert told in shared.meshc(*accept, stdin=yaml.safe_dump(changed), code=3)
    assert shared.files() == before


@pytest.mark.parametrize(
    "text",
    [
        "kind: Secret\n",
        "{kind: SealedSecret, metadata: 5, spec: 5}\n",
        "{kind: SealedSecret, metadata: {name: a, annotations: 5}, spec: {encryptedData: {a: b}}}\n",
        "kind: ExternalSecret\n",
        "a: [\n",
        "",
    ],
)
def test_a_file_that_is_no_sealed_secret_is_told(shared: Place, text: str) -> None:
    new = re_encrypted(loaded(shared, REMOTE), since_2026=False)
    (shared.base / REMOTE).write_text(text)
    code = 2 if text == "kind: Secret\n" else 3
    shared.meshc("secrets", "accept", REMOTE, code=code)
    shared.meshc("secrets", "accept", REMOTE, "--from", "-", stdin=yaml.safe_dump(new), code=code)
    assert (shared.base / REMOTE).read_text() == text
    shared.git("checkout", "-q", REMOTE)


def test_wrong_words_are_told(shared: Place) -> None:
    assert "is no sealed file of this mesh" in shared.meshc("secrets", "accept", "mesh.yaml", code=2)
    shared.git("mv", REMOTE, "elsewhere.yaml")
    shared.commit()
    (shared.base / REMOTE).write_bytes((shared.base / "elsewhere.yaml").read_bytes())
    assert "HEAD has no" in shared.meshc("secrets", "accept", REMOTE, code=2)


def test_where_a_binding_is_required_nothing_is_taken_in(tmp_path: Path) -> None:
    place = committed(tmp_path, ", requireBinding: true")
    before = place.files()
    new = re_encrypted(loaded(place, CACERTS), since_2026=True)
    said = place.meshc("secrets", "accept", CACERTS, "--from", "-", stdin=yaml.safe_dump(new), code=5)
    assert "meshc ca issue --force hub" in said
    assert place.files() == before
