"""What stops a sealing command: readers that nobody accepted, files that disagree, steps that didn't reach anybody."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyrage
import pytest
import yaml

from support.places import LONG_AGO, RECIPIENT, SOPS, Place, sealing_pair

pytestmark = pytest.mark.thorough

ATTACKER = str(pyrage.x25519.Identity.generate().to_public())
BOTH = f"{{recipients: [{RECIPIENT}, {ATTACKER}]}}"
STORE = "{backend: external-secrets, store: {name: vault}}"


class Rotating(Place):
    """A mesh whose CAs are under one root, with another root made to take its place."""

    def __init__(self, folder: Path, secrets: str = SOPS, *, classic: bool = False) -> None:
        super().__init__(folder, secrets, classic=classic)
        kind = ("--key-type", "rsa-2048") if classic else ()
        self.old = self.root("root", *kind)
        keys_to = ("--keys-to", str(self.keys / "first")) if secrets == STORE else ()
        (self.keys / "first").mkdir()
        self.meshc("ca", "issue", "--root-key", str(self.old), *keys_to)
        self.done()
        self.new, self.certificate = self.keys / "new.key", self.keys / "new.pem"
        self.meshc("ca", "init", "--key-out", str(self.new), "--certificate", str(self.certificate), *kind)

    def done(self) -> None:
        """Compiles and commits, so long ago that nothing has to wait for it."""
        self.meshc("compile")
        self.commit(LONG_AGO)

    def step(self, *words: str, code: int = 0) -> str:
        return self.meshc("ca", "rotate-root", *words, code=code)

    def begin(self) -> None:
        self.step("--new-root", str(self.certificate))
        self.done()

    def reissue(self, *words: str, code: int = 0) -> str:
        return self.step("--root-key", str(self.new), *words, code=code)


def edge_reads(place: Place, recipients: str) -> None:
    """The edge gets recipients of its own."""
    mesh = place.base / "mesh.yaml"
    text = mesh.read_text().replace("podCIDRs: [10.11.0.0/16]}", f"podCIDRs: [10.11.0.0/16], secrets: {recipients}}}")
    mesh.write_text(text)


def test_a_root_is_never_replaced_for_somebody_new(tmp_path: Path) -> None:
    place = Rotating(tmp_path)
    place.begin()
    place.write(BOTH)
    place.commit(LONG_AGO)
    before = place.files()

    assert ATTACKER in place.reissue(code=5)
    assert place.files() == before

    place.reissue("--accept-recipients")


def test_a_key_of_a_store_is_handed_over_when_the_root_is_replaced(tmp_path: Path) -> None:
    place = Rotating(tmp_path, STORE)
    place.begin()
    before = place.files()

    assert "--keys-to FOLDER" in place.reissue(code=2)
    assert place.files() == before

    (place.keys / "second").mkdir()
    said = place.reissue("--keys-to", str(place.keys / "second"))

    assert "into the store at " in said
    assert [path.name for path in (place.keys / "second").iterdir()] == ["hub-ca-key.pem"]


def test_an_import_for_a_store_says_where_the_key_goes(tmp_path: Path) -> None:
    place = Rotating(tmp_path, STORE)
    folder = place.keys / "made"
    shutil.copytree(place.base / "certificates/hub", folder)
    shutil.copy(place.base / "certificates/root-cert.pem", folder)
    shutil.copy(place.keys / "first/hub-ca-key.pem", folder / "ca-key.pem")

    assert "put its key into the store at " in place.meshc("ca", "import", "hub", "--from", str(folder))


def test_rules_of_clusters_that_nobody_was_asked_about_stay(tmp_path: Path) -> None:
    """What .sops.yaml says of a cluster is what was accepted for it: nothing else may write it there."""
    place = Rotating(tmp_path, classic=True)
    shutil.rmtree(place.base / "sealed/edge-1")
    shutil.rmtree(place.base / "output/edge-1")
    edge_reads(place, f"{{recipients: [{ATTACKER}]}}")
    issue = ("ca", "issue", "--root-key", str(place.old))
    identity = place.keys / "identity"
    identity.write_text(str(pyrage.x25519.Identity.generate()))

    assert ATTACKER in place.meshc(*issue, "edge-1", code=5)

    place.meshc(*issue, "hub", "--force")
    place.meshc("secrets", "rewrap", "--identity", str(identity), "hub")

    assert ATTACKER not in (place.base / ".sops.yaml").read_text()
    assert ATTACKER in place.meshc(*issue, "edge-1", code=5)


@pytest.mark.parametrize("gone", [".sops.yaml", "output", ""])
def test_another_sealed_folder_forgets_nobody(tmp_path: Path, gone: str) -> None:
    place = Rotating(tmp_path)
    place.write(f"{{recipients: [{RECIPIENT}, {ATTACKER}], directory: sealed2}}")
    target = place.base / gone
    if gone:
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    assert ATTACKER in place.meshc("ca", "issue", "--root-key", str(place.old), code=5)


def test_a_sealed_file_that_can_not_be_read_is_no_missing_one(tmp_path: Path) -> None:
    place = Rotating(tmp_path)
    sealed = place.base / "sealed/hub/cacerts.yaml"
    for text in (sealed.read_text() + "---\n{}\n", "", "\0", "kind: [\n"):
        sealed.write_text(text)
        said = place.meshc("ca", "issue", "--root-key", str(place.old), code=3)

        assert "sealed/hub/cacerts.yaml isn't one sealed object" in said
        assert sealed.read_text() == text

    (place.base / ".sops.yaml").unlink()
    shutil.rmtree(place.base / "output")
    place.write(BOTH)

    assert ATTACKER in place.meshc("ca", "issue", "--force", "--root-key", str(place.old), code=5)


def test_another_certificate_of_a_controller_must_be_accepted(tmp_path: Path) -> None:
    place = Place(tmp_path, "{backend: sealed-secrets}")
    key = place.root()
    file = place.base / "certificates/hub/sealing-cert.pem"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(sealing_pair()[1])
    issue = ("ca", "issue", "--root-key", str(key))
    place.meshc(*issue)
    file.write_bytes(sealing_pair()[1])

    assert "the controller's certificate of SHA-256 " in place.meshc(*issue, "--force", code=5)

    place.meshc(*issue, "--force", "--accept-recipients")
    place.meshc(*issue, "--force")


@pytest.mark.parametrize("part", ["cert-chain.pem", "ca-cert.pem", ""])
def test_no_step_is_taken_while_a_cluster_with_a_ca_can_not_be_read(tmp_path: Path, part: str) -> None:
    place = Rotating(tmp_path, classic=True)
    place.begin()
    where = place.base / "certificates/edge-1" / part
    shutil.rmtree(where) if where.is_dir() else where.unlink()
    place.commit()

    said = place.reissue(code=3)

    missing = f"certificates/edge-1/{part or 'ca-cert.pem'} is missing"
    assert f"{missing}, so it is unknown which root edge-1 is under" in said


def test_the_old_root_stays_while_a_sealed_file_is_of_before(tmp_path: Path) -> None:
    place = Rotating(tmp_path, classic=True)
    place.begin()
    place.reissue()
    place.done()
    place.git("checkout", "-q", "HEAD~1", "--", "sealed/edge-1")
    place.commit(LONG_AGO)

    assert "sealed/edge-1/cacerts.yaml isn't sealed for certificates/edge-1/ca-cert.pem" in place.step(code=3)

    place.git("checkout", "-q", "HEAD~1", "--", "sealed/edge-1")
    (place.base / "sealed/hub/cacerts.yaml").unlink()
    place.commit()

    assert "sealed/hub/cacerts.yaml is missing" in place.step(code=3)


def test_a_step_that_was_not_compiled_has_reached_nobody(tmp_path: Path) -> None:
    place = Rotating(tmp_path)
    place.step("--new-root", str(place.certificate))
    place.commit(LONG_AGO)

    assert "output/hub/cacerts.yaml isn't the result of the last step" in place.reissue(code=5)

    place.done()
    place.reissue()


def test_a_key_that_only_yaml_spells_is_found_in_what_is_written(tmp_path: Path) -> None:
    """A folded text and an escape: neither shows in the bytes of the file that is copied in."""
    place = Rotating(tmp_path)
    mesh = place.base / "mesh.yaml"
    more = "podCIDRs: [10.11.0.0/16], resources: [extra.yaml]}"
    mesh.write_text(mesh.read_text().replace("podCIDRs: [10.11.0.0/16]}", more))
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "y"}}
    for value in ('"-----BEGIN\n    EC\n    PRIVATE\n    KEY-----\n    MHc"', '"-----BEGIN EC PRIVATE\\x20KEY-----"'):
        (place.base / "extra.yaml").write_text(yaml.safe_dump(made) + f"data:\n  a: {value}\n")

        assert "MESH417" in place.meshc("compile", code=5)

    (place.base / "extra.yaml").unlink()
    mesh.write_text(mesh.read_text().replace(more, "podCIDRs: [10.11.0.0/16]}"))
    place.meshc("check")
