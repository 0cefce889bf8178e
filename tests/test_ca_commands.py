"""`meshc ca` as a person runs it: from an empty repository to CAs that openssl verifies and sops opens."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from cryptography import x509

from support.places import IDENTITY, LONG_AGO, RECIPIENT, SOPS, Place, sealing_pair
from support.throwaway import Authority, make_root, pem
from support.tools import find_tool
from support.unsealing import unseal

pytestmark = pytest.mark.thorough


def test_from_nothing_to_a_compiled_mesh_with_sops(tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path)
    key = place.root()
    issued = place.meshc("ca", "issue", "--root-key", str(key))
    place.meshc("compile")

    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "hub                      issued (it had none)" in issued
    assert "edge-1" not in issued  # a remote of istiod signs nothing
    place.verify("hub")
    assert place.opened("hub").startswith("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t")  # base64 of BEGIN PRIVATE KEY
    assert "meshc validate" not in place.meshc("validate")


def test_nothing_due_changes_no_byte(tmp_path: Path) -> None:
    place = Place(tmp_path)
    key = place.root()
    place.meshc("ca", "issue", "hub", "edge-1", "--root-key", str(key))
    before = place.files()

    assert "0 files changed" in place.meshc("ca", "issue", "hub", "edge-1", "--root-key", str(key))
    assert "0 files changed" in place.meshc("ca", "issue")  # nothing is signed, so no key is needed
    assert place.files() == before
    refused = place.meshc("ca", "issue", "--renew-before", "3000", code=2)
    assert "the root's private key is needed to issue 1 CA, such as that of hub (it expires within 3000" in refused

    renewed = place.meshc("ca", "issue", "hub", "--renew-before", "3000", "--root-key", str(key))

    assert "issued (it expires within 3000 days)" in renewed
    changed = {path for path, data in place.files().items() if before[path] != data}
    assert changed == {f"certificates/hub/{name}" for name in ("ca-cert.pem", "cert-chain.pem")} | {
        "sealed/hub/cacerts.yaml"
    }


def test_sealed_secrets(tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path, "{backend: sealed-secrets}")
    key = place.root()
    refused = place.meshc("ca", "issue", "--root-key", str(key), code=3)

    assert "kubeseal --fetch-cert > <ca.directory>/hub/sealing-cert.pem" in refused
    assert not (place.base / "certificates/hub").exists()

    private, certificate = sealing_pair()
    (place.base / "certificates/hub").mkdir()
    (place.base / "certificates/hub/sealing-cert.pem").write_bytes(certificate)
    place.meshc("ca", "issue", "--root-key", str(key))
    place.meshc("compile")
    opened = unseal(place.object("hub", "output"), private)

    assert opened["data"]["ca-key.pem"].startswith(b"-----BEGIN PRIVATE KEY-----")


def test_a_seal_for_the_namespace_alone(tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path, "{backend: sealed-secrets, scope: namespace-wide}")
    key = place.root()
    private, certificate = sealing_pair()
    (place.base / "certificates/hub").mkdir()
    (place.base / "certificates/hub/sealing-cert.pem").write_bytes(certificate)
    place.meshc("ca", "issue", "--root-key", str(key))

    assert "MESH" not in place.meshc("compile")
    sealed: Any = place.object("hub", "output")
    sealed["metadata"]["name"] = sealed["spec"]["template"]["metadata"]["name"] = "renamed"
    assert unseal(sealed, private)["data"]["ca-key.pem"]


def test_external_secrets_hand_the_key_over(tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path, "{backend: external-secrets, store: {name: vault}}")
    key = place.root()

    assert "--keys-to FOLDER" in place.meshc("ca", "issue", "--root-key", str(key), code=2)
    assert not (place.base / "sealed").exists()

    said = place.meshc("ca", "issue", "--root-key", str(key), "--keys-to", str(place.keys))
    place.meshc("compile")

    assert f"put {place.keys}/hub-ca-key.pem into the store at shop/hub/cacerts, property ca-key.pem" in said
    assert stat.S_IMODE((place.keys / "hub-ca-key.pem").stat().st_mode) == 0o600
    assert place.object("hub")["kind"] == "ExternalSecret"


def test_a_cluster_moves_from_sops_to_sealed_secrets(tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path)
    key = place.root()
    place.meshc("ca", "issue", "--root-key", str(key))
    private, certificate = sealing_pair()
    (place.base / "certificates/hub/sealing-cert.pem").write_bytes(certificate)
    place.write("{backend: sealed-secrets}")

    moved = place.meshc("ca", "issue", "--root-key", str(key), "--accept-recipients")
    place.meshc("compile")

    assert "issued (its backend changed)" in moved
    assert unseal(place.object("hub", "output"), private)["data"]["ca-key.pem"]


def test_classic_gets_rsa_in_every_cluster(tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path, classic=True)
    key = place.root("root", "--key-type", "rsa-2048")
    issued = place.meshc("ca", "issue", "--root-key", str(key))
    place.meshc("compile")

    assert issued.count("issued (it had none)") == 2
    for cluster in ("hub", "edge-1"):
        place.verify(cluster)
    assert "Citadel" in place.meshc(
        "ca", "issue", "--force", "--key-type", "ecdsa-p256", "--root-key", str(key), code=3
    )


def test_a_root_is_replaced_in_three_commits(tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path, classic=True)
    old = place.root("old", "--key-type", "rsa-2048")
    place.meshc("ca", "issue", "--root-key", str(old))
    place.meshc("compile")
    place.commit(LONG_AGO)
    new = place.root("new", "--key-type", "rsa-2048", "--certificate", str(place.keys / "new.pem"))
    certificates = place.base / "certificates"
    first = (certificates / "root-cert.pem").read_bytes()
    keys = {cluster: place.opened(cluster) for cluster in ("hub", "edge-1")}

    said = place.meshc("ca", "rotate-root", "--new-root", str(place.keys / "new.pem"))
    place.meshc("compile")
    both = (certificates / "root-cert.pem").read_bytes()

    assert "trust both roots: 3 files changed" in said
    assert "MESH428" not in place.meshc("check", "--base", "HEAD")
    assert both == first + (place.keys / "new.pem").read_bytes()
    assert keys == {cluster: place.opened(cluster) for cluster in ("hub", "edge-1")}
    assert "hold changes that aren't committed" in place.meshc("ca", "rotate-root", code=5)
    for cluster in ("hub", "edge-1"):
        place.verify(cluster)
    place.commit(LONG_AGO)

    assert "--root-key FILE" in place.meshc("ca", "rotate-root", code=2)
    assert "doesn't belong to the new root" in place.meshc("ca", "rotate-root", "--root-key", str(old), code=3)
    assert place.git("status", "--porcelain") == ""

    said = place.meshc("ca", "rotate-root", "--root-key", str(new))
    place.meshc("compile")

    assert "re-issue under the new root" in said
    for cluster in ("hub", "edge-1"):
        place.verify(cluster)
    assert (certificates / "root-cert.pem").read_bytes() == both
    place.commit(LONG_AGO)

    said = place.meshc("ca", "rotate-root")
    place.meshc("compile")

    assert "drop the old root" in said
    assert (certificates / "root-cert.pem").read_bytes() == (place.keys / "new.pem").read_bytes()
    for cluster in ("hub", "edge-1"):
        place.verify(cluster)
    place.commit(LONG_AGO)

    assert "nothing to do" in place.meshc("ca", "rotate-root")


def made_elsewhere(folder: Path, cluster: str) -> Path:
    """The folder that Istio's Makefile leaves for a cluster."""
    root = make_root()
    authority = root.issue(cluster)
    folder.mkdir()
    (folder / "ca-cert.pem").write_bytes(authority.cert_pem)
    (folder / "ca-key.pem").write_bytes(authority.key_pem)
    (folder / "cert-chain.pem").write_bytes(pem(authority, root))
    (folder / "root-cert.pem").write_bytes(root.cert_pem)
    return folder


def test_a_ca_made_elsewhere_is_verified_placed_and_sealed(tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path)
    folder = made_elsewhere(tmp_path / "hub", "hub")
    place.meshc("ca", "import", "hub", "--from", str(folder))
    place.meshc("compile")

    assert place.opened("hub")
    assert (place.base / "certificates/hub/ca-cert.pem").read_bytes() == (folder / "ca-cert.pem").read_bytes()


@pytest.mark.parametrize(
    ("harm", "said", "code"),
    [
        (lambda f: (f / "ca-key.pem").write_bytes(make_root().key_pem), "isn't the one of ca-cert.pem", 3),
        (lambda f: (f / "ca-key.pem").write_text("no key"), "private key", 3),
        (lambda f: (f / "root-cert.pem").write_bytes(make_root().cert_pem), "MESH31", 3),
        (lambda f: (f / "ca-cert.pem").write_text("no certificate"), "MESH301", 3),
        (lambda f: (f / "ca-key.pem").unlink(), "a certificate and its key are needed", 2),
    ],
)
def test_what_is_wrong_with_a_ca_is_told_and_nothing_written(
    tmp_path: Path, harm: object, said: str, code: int
) -> None:
    place = Place(tmp_path)
    folder = made_elsewhere(tmp_path / "hub", "hub")
    assert callable(harm)
    harm(folder)
    before = place.files()

    assert said in place.meshc("ca", "import", "hub", "--from", str(folder), code=code)
    assert place.files() == before


def imported(place: Place, folder: Path, root: Authority, hub: Authority, code: int = 0) -> str:
    """What `ca import` says of a CA that is in order but for what the test is about."""
    folder.mkdir()
    for name, data in {"ca-cert": hub.cert_pem, "ca-key": hub.key_pem, "cert-chain": pem(hub, root)}.items():
        (folder / f"{name}.pem").write_bytes(data)
    (folder / "root-cert.pem").write_bytes(root.cert_pem)
    before = place.files()
    said = place.meshc("ca", "import", "hub", "--from", str(folder), code=code)

    assert (place.files() == before) == bool(code)

    return said


YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    ("root_ends", "ca_ends", "said", "code"),
    [
        (-timedelta(minutes=1), 10 * YEAR, 'root-cert.pem: "CN=Root CA,O=Istio" expired on ', 5),
        (10 * YEAR, -timedelta(minutes=1), 'ca-cert.pem: "L=hub,CN=Intermediate CA,O=Istio" expired on ', 5),
        (timedelta(days=80), timedelta(days=95), 'warning: root-cert.pem: "CN=Root CA,O=Istio" expires on ', 0),
        (10 * YEAR, timedelta(days=80), 'warning: ca-cert.pem: "L=hub,CN=Intermediate CA,O=Istio" expires on ', 0),
    ],
)
def test_a_ca_that_has_ended_is_refused_and_one_that_ends_soon_is_told(
    tmp_path: Path, root_ends: timedelta, ca_ends: timedelta, said: str, code: int
) -> None:
    place, now = Place(tmp_path), datetime.now(UTC)
    root = make_root(start=now - 10 * YEAR, end=now + root_ends)
    hub = root.issue("hub", start=now - 10 * YEAR, end=now + ca_ends)
    day = now + min(root_ends, ca_ends)
    told = imported(place, tmp_path / "hub", root, hub, code)

    assert said in told
    assert f"{day:%Y-%m-%d}" in told
    if not code:
        place.meshc("compile")
        assert f" days ({day:%Y-%m-%d})" in place.meshc("check")


def test_a_ca_that_is_fresh_is_taken_without_a_word(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    root = make_root(start=now, end=now + 10 * YEAR)

    assert "warning" not in imported(Place(tmp_path), tmp_path / "hub", root, root.issue(start=now, end=now + YEAR))


FORBIDS = x509.NameConstraints([x509.DNSName("example.com")], None)
PERMITS = x509.NameConstraints([x509.DNSName("svc"), x509.UniformResourceIdentifier("cluster.local")], None)


def constrained(place: Place, constraints: x509.NameConstraints) -> tuple[Path, Path]:
    """The certificate and the key of a root with name constraints."""
    now = datetime.now(UTC)
    root = make_root("Corporate", start=now, end=now + 10 * YEAR, extra=((constraints, True),))
    files = place.keys / "corporate.pem", place.keys / "corporate.key"
    files[0].write_bytes(root.cert_pem)
    files[1].write_bytes(root.key_pem)
    return files


@pytest.mark.parametrize(("constraints", "code"), [(FORBIDS, 3), (PERMITS, 0)])
def test_no_ca_is_issued_that_may_not_sign(tmp_path: Path, constraints: x509.NameConstraints, code: int) -> None:
    place = Place(tmp_path)
    certificate, key = constrained(place, constraints)
    (place.base / "certificates").mkdir()
    (place.base / "certificates/root-cert.pem").write_bytes(certificate.read_bytes())
    before = place.files()
    said = place.meshc("ca", "issue", "--root-key", str(key), code=code)

    assert (place.files() == before) == bool(code)
    assert ('MESH322: the name constraints of "CN=Corporate,O=Istio" forbid the certificate of istiod' in said) == bool(
        code
    )


@pytest.mark.parametrize(("constraints", "code"), [(FORBIDS, 3), (PERMITS, 0)])
def test_no_root_is_introduced_that_forbids_what_is_signed(
    tmp_path: Path, constraints: x509.NameConstraints, code: int
) -> None:
    place = Place(tmp_path)
    place.meshc("ca", "issue", "--root-key", str(place.root()))
    place.commit()
    certificate, _ = constrained(place, constraints)
    said = place.meshc("ca", "rotate-root", "--new-root", str(certificate), code=code)

    assert ("forbid the certificate of istiod" in said) == bool(code)


def test_no_root_is_introduced_that_has_ended(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.meshc("ca", "issue", "--root-key", str(place.root()))
    place.commit()
    now = datetime.now(UTC)
    (place.keys / "old.pem").write_bytes(make_root("Old", start=now - YEAR, end=now - YEAR / 2).cert_pem)

    assert 'the new root: "CN=Old,O=Istio" expired on' in place.meshc(
        *("ca", "rotate-root", "--new-root", str(place.keys / "old.pem")), code=5
    )


def test_status_tells_what_ends_when(tmp_path: Path) -> None:
    place = Place(tmp_path)

    assert "missing" in place.meshc("ca", "status")

    key = place.root()
    place.meshc("ca", "issue", "--days", "30", "--root-key", str(key))
    found = json.loads(place.meshc("ca", "status", "--format", "json"))
    states = {row["name"]: (row["state"], row["expiring"]) for row in found["authorities"]}

    assert states == {"root": ("valid", False), "hub": ("expires in 29 days", True)}
    assert place.meshc("ca", "status", "--fail-on", "expiring", code=1)
    assert place.meshc("ca", "status", "--fail-on", "expiring", "--within", "10")


def test_a_root_key_that_is_sealed_may_lie_in_the_repository(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (place.keys / "identity").write_text(f"# a comment\n{IDENTITY}\n")
    place.meshc("ca", "init", "--key-out", "root.key", code=5)

    assert place.files().keys() == {"mesh.yaml"}

    place.meshc("ca", "init", "--key-out", "root.age", "--seal-to", RECIPIENT)

    assert (place.base / "root.age").read_bytes().startswith(b"-----BEGIN AGE ENCRYPTED FILE-----")
    assert "--identity FILE" in place.meshc("ca", "issue", "--root-key", "root.age", code=2)
    place.meshc("ca", "issue", "--root-key", "root.age", "--identity", str(place.keys / "identity"))


def test_a_recipient_that_is_new_must_be_accepted(tmp_path: Path) -> None:
    place = Place(tmp_path)
    key = place.root()
    place.meshc("ca", "issue", "--root-key", str(key))
    attacker = str(pyrage.x25519.Identity.generate().to_public())
    place.write(f"{{recipients: [{RECIPIENT}, {attacker}]}}")
    before = place.files()
    refused = place.meshc("ca", "issue", "--force", "--root-key", str(key), code=5)

    assert attacker in refused
    assert place.files() == before

    place.meshc("ca", "issue", "--force", "--accept-recipients", "--root-key", str(key))


def test_who_is_let_in_is_measured_by_what_was_sealed_for_the_cluster(tmp_path: Path) -> None:
    """One cluster's reader added to another's, and files taken away so that nothing is there to compare with."""
    place = Place(tmp_path, classic=True)
    key = place.root()
    issue = ("ca", "issue", "--root-key", str(key))
    place.meshc(*issue)
    attacker = str(pyrage.x25519.Identity.generate().to_public())
    place.write(f"{{recipients: [{RECIPIENT}, {attacker}]}}", classic=True)
    (place.base / "sealed/edge-1/cacerts.yaml").unlink()

    assert f"{attacker} (in edge-1)" in place.meshc(*issue, code=5)

    (place.base / "sealed/hub/cacerts.yaml").unlink()

    assert f"{attacker} (in hub)" in place.meshc(*issue, code=5)

    place.meshc(*issue, "hub", "--accept-recipients")
    place.write(f"{{recipients: [{RECIPIENT}]}}", classic=True)
    place.meshc(*issue, "--force")


def test_readers_are_accepted_where_a_mesh_moves_to_sops(tmp_path: Path) -> None:
    place = Place(tmp_path, "{backend: external-secrets, store: {name: vault, key: 'mesh/{cluster}'}}")
    key = place.root()
    place.meshc("ca", "issue", "--root-key", str(key), "--keys-to", str(place.keys))
    place.write(SOPS)

    assert f"{RECIPIENT} (in hub)" in place.meshc("ca", "issue", "--root-key", str(key), code=5)


def test_no_program_is_handed_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every program that meshc starts from PATH is one that writes down its words, its environment and its input."""
    place = Place(tmp_path)
    log, programs = tmp_path / "log", tmp_path / "programs"
    programs.mkdir()
    real = {"git": find_tool("git"), "kubectl": find_tool("kubectl")}
    for name, path in real.items():
        (programs / name).write_text(f'#!/bin/sh\n(echo "{name} $*"; env) >>{log}\nexec {path} "$@"\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("MESHC_KUSTOMIZE", f"{programs}/kubectl")
    key = place.root()
    place.meshc("ca", "issue", "--root-key", str(key))
    place.commit()
    place.meshc("compile", "--link", "kustomize")
    place.commit()
    place.meshc("ca", "rotate-root", "--root-key", str(key))
    written = log.read_text()

    assert "kubectl kustomize" in written
    assert "git -c" in written
    place.shows_no_key(written)


def test_no_key_lies_in_plain_text_in_the_repository(tmp_path: Path) -> None:
    place = Place(tmp_path)
    key = place.root()
    said = place.meshc("ca", "issue", "--root-key", "-", stdin=key.read_text())
    text = "".join(key.read_text().splitlines()[1:-1])

    assert text[10:50] not in said
    assert not [path for path, data in place.files().items() if text[10:50].encode() in data or b"PRIVATE" in data]


def test_nothing_is_half_written_where_one_cluster_fails(tmp_path: Path) -> None:
    """hub could be sealed, edge-1 not: neither is."""
    place = Place(tmp_path)
    key = place.root()
    text = (place.base / "mesh.yaml").read_text()
    (place.base / "mesh.yaml").write_text(
        text.replace("{name: edge-1,", "{name: edge-1, secrets: {backend: sealed-secrets},")
    )
    before = place.files()
    place.meshc("ca", "issue", "hub", "edge-1", "--root-key", str(key), code=3)

    assert place.files() == before


def test_check_tells_roots_that_jump_and_cas_that_end(tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path)
    first = place.root("first")
    place.meshc("ca", "issue", "--root-key", str(first))
    place.meshc("compile")
    place.commit()
    (place.base / "certificates/root-cert.pem").unlink()
    second = place.root("second")
    place.meshc("ca", "issue", "--root-key", str(second), "--days", "10")
    place.meshc("compile")

    assert "certificates/root-cert.pem:1:1: error MESH428" in place.meshc("check", "--base", "HEAD", code=3)
    assert "notice: hub: its CA expires in 9 days" in place.meshc("check")
    assert place.meshc("check", "--fail-on", "expiring", code=1)
    assert 'this repository has no commit "nowhere"' in place.meshc("check", "--base", "nowhere", code=2)
    assert "isn't the name of a commit" in place.meshc("check", "--base=--output=x", code=2)


def test_a_step_runs_no_program_that_the_repository_names(tmp_path: Path) -> None:
    """git runs with the folder as its HOME: a .gitconfig that is committed there may name filters, so programs."""
    place = Place(tmp_path)
    key = place.root()
    place.meshc("ca", "issue", "--root-key", str(key))
    (place.base / ".gitconfig").write_text(f'[filter "x"]\n clean = "touch {tmp_path}/it-ran; cat"\n')
    (place.base / ".gitattributes").write_text("*.pem filter=x\n")
    place.commit()
    for file in (place.base / "certificates").rglob("*.pem"):
        os.utime(file, (1, 1))  # so that git looks into it
    new = tmp_path / "new.pem"
    place.meshc("ca", "init", "--key-out", str(place.keys / "new.key"), "--certificate", str(new))
    place.meshc("ca", "rotate-root", "--new-root", str(new))

    assert not (tmp_path / "it-ran").exists()


def test_check_tells_roots_that_git_lfs_kept_out_of_the_base(tmp_path: Path) -> None:
    find_tool("kubectl")
    place = Place(tmp_path)
    place.meshc("ca", "issue", "--root-key", str(place.root()))
    roots = place.base / "certificates/root-cert.pem"
    there = roots.read_bytes()
    roots.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize {len(there)}\n")
    place.commit()
    roots.write_bytes(there)
    place.meshc("compile")

    said = place.meshc("check", "--base", "HEAD", code=2)
    assert "certificates/root-cert.pem' is a pointer of Git LFS in the commit to compare with" in said
    assert "MESH428" not in said
