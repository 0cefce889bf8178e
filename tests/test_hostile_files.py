"""Sealed files, certificates and options that somebody made to trip `meshc ca` and `meshc secrets` up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshc.commands.user_inputs import read_given
from meshc.errors import UsageError
from support.places import IDENTITY, Place
from support.throwaway import make_root
from support.tools import find_tool

pytestmark = pytest.mark.thorough

SEALED = "sealed/hub/cacerts.yaml"
ROOTS, CA, CHAIN = "certificates/root-cert.pem", "certificates/hub/ca-cert.pem", "certificates/hub/cert-chain.pem"


@pytest.fixture
def issued(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.meshc("ca", "issue", "--root-key", str(place.root()))
    return place


def status(place: Place) -> dict[str, Any]:
    """The row of hub's cacerts; the table as text is shown as well."""
    place.meshc("secrets", "status")
    rows = json.loads(place.meshc("secrets", "status", "--format", "json"))["secrets"]
    found: dict[str, Any] = next(row for row in rows if row["file"] == SEALED)
    return found


def edit(place: Place, path: tuple[str, ...], value: object) -> None:
    """One value of hub's sealed cacerts exchanged; None takes it away."""
    body: Any = yaml.safe_load((place.base / SEALED).read_text())
    inner = body
    for step in path[:-1]:
        inner = inner[step]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    (place.base / SEALED).write_text(yaml.safe_dump(body, sort_keys=False))


@pytest.mark.parametrize(
    ("path", "value", "state"),
    [
        (("metadata",), [1], "unreadable"),
        (("metadata",), "x", "unreadable"),
        (("metadata",), None, "unreadable"),
        (("metadata", "annotations"), "x", "sealed"),
        (("metadata", "annotations"), 7, "sealed"),
        (("sops",), "x", "not sealed"),
        (("sops", "age"), 5, "stale: recipients"),
        (("sops", "age"), [5, {"recipient": 6}], "stale: recipients"),
        (("kind",), ["Secret"], "unreadable"),
        (("kind",), "Deployment", "unreadable"),
    ],
)
def test_status_of_a_secret_in_which_something_is_of_another_type(
    issued: Place, path: tuple[str, ...], value: object, state: str
) -> None:
    edit(issued, path, value)

    assert status(issued)["state"] == state


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("kind: ExternalSecret\nmetadata: {name: a}\nspec: [1]\n", "unreadable"),
        ("kind: SealedSecret\nmetadata: 7\n", "unreadable"),
        ("kind: SealedSecret\nmetadata: {annotations: 7}\n", "sealed"),
        ("", "unreadable"),
        ("\udcff\udcfe", "unreadable"),
        ("a: [\n", "unreadable"),
    ],
)
def test_status_of_what_is_no_sealed_file(issued: Place, text: str, state: str) -> None:
    (issued.base / SEALED).write_bytes(text.encode(errors="surrogateescape"))

    assert status(issued)["state"] == state


def test_nothing_of_a_sealed_file_steers_the_terminal(issued: Place) -> None:
    for text in (
        'kind: "\\e[31mSecret"\nmetadata: {}\n',
        'kind: ExternalSecret\nmetadata: {}\nspec: {secretStoreRef: {name: "a\\e]0;x\\a\\u202e"}}\n',
        'kind: Secret\nmetadata: {}\nsops: {age: [{recipient: "\\e[2Jage1"}]}\n',
    ):
        (issued.base / SEALED).write_text(text)
        said = issued.meshc("secrets", "status")

        assert "\\x1b" in said
        assert not {"\x1b", "\x07", "\u202e"} & set(said)


def test_rewrap_of_a_secret_without_metadata(issued: Place) -> None:
    edit(issued, ("metadata",), None)
    text = (issued.base / "mesh.yaml").read_text()
    other = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    (issued.base / "mesh.yaml").write_text(text.replace("recipients: [", f"recipients: [{other}, "))
    (issued.keys / "identity").write_text(str(IDENTITY))
    said = issued.meshc("secrets", "rewrap", "--identity", str(issued.keys / "identity"), "--accept-recipients", code=0)

    assert "1 added, 0 removed" in said


@pytest.mark.parametrize(
    "words",
    [
        ("status", "--within", "999999999999"),
        ("issue", "--root-key", "x", "--renew-before", "999999999999"),
        ("issue", "--root-key", "x", "--days", "999999999999"),
        ("rotate-root", "--days", "999999999999"),
        ("init", "--key-out", "x", "--days", "999999999999"),
    ],
)
def test_more_days_than_there_are(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert "36500" in Place(tmp_path).meshc("ca", *words, code=2)


def test_fail_on_expiring_fails_on_what_is_no_ca_to_go_on_with(issued: Place) -> None:
    fail = ("ca", "status", "--fail-on", "expiring")
    kept = {name: (issued.base / name).read_bytes() for name in (ROOTS, CA, CHAIN)}
    issued.meshc(*fail)
    for name, data, expected in (
        (CA, b"x", f"{CA}: the certificate can't be used"),
        (CA, None, "missing"),
        (ROOTS, None, "missing"),
        (ROOTS, b"", "unreadable"),
        (ROOTS, make_root().cert_pem, "under none of the roots"),
        (CHAIN, b"x", f"{CHAIN}:1:1: this isn't a CERTIFICATE block"),
        (ROOTS, kept[ROOTS] + b"x", f"{ROOTS}: the certificate can't be used"),
    ):
        if data is None:
            (issued.base / name).unlink()
        else:
            (issued.base / name).write_bytes(data)

        assert expected in issued.meshc(*fail, code=1)
        assert "hub " in issued.meshc("ca", "status")
        (issued.base / name).write_bytes(kept[name])


@pytest.mark.parametrize("name", [ROOTS, CA, CHAIN])
def test_a_certificate_that_cannot_be_read_is_named(issued: Place, name: str) -> None:
    (issued.base / name).write_bytes(b"x")

    assert status(issued)["state"] == "certificate unreadable"
    assert f"{name}:1:1" in issued.meshc("secrets", "status")
    assert f"{name}:1:1" in issued.meshc("ca", "issue", "--root-key", str(issued.keys / "root.key"), code=3)
    if name != ROOTS:
        issued.meshc("ca", "issue", "--force", "--root-key", str(issued.keys / "root.key"))


def test_a_root_key_with_a_password(tmp_path: Path) -> None:
    place = Place(tmp_path)
    key = place.root()
    locked, password = place.keys / "locked.pem", place.keys / "password"
    password.write_text("hunter22\n")
    argv = [
        find_tool("openssl"),
        "pkcs8",
        "-topk8",
        "-in",
        str(key),
        "-out",
        str(locked),
        "-passout",
        f"file:{password}",
    ]
    subprocess.run(argv, check=True, capture_output=True)

    assert "give its password" in place.meshc("ca", "issue", "--root-key", str(locked), code=3)

    place.meshc("ca", "issue", "--root-key", str(locked), "--password-file", str(password))
    place.commit()
    place.meshc("ca", "rotate-root", "--root-key", str(locked), "--password-file", str(password))


def test_import_from_what_is_no_folder_and_with_empty_files(tmp_path: Path) -> None:
    place = Place(tmp_path)
    root = make_root()
    hub, folder = root.issue("hub"), place.keys / "made"
    folder.mkdir()
    for name, data in (("ca-cert.pem", hub.cert_pem), ("ca-key.pem", hub.key_pem), ("root-cert.pem", root.cert_pem)):
        (folder / name).write_bytes(data)
    (place.keys / "empty").write_bytes(b"")
    take = ("ca", "import", "hub", "--from")

    assert "isn't there" in place.meshc(*take, str(place.keys / "nowhere"), code=2)
    assert "is a file, not a folder" in place.meshc(*take, str(place.keys / "empty"), code=2)
    for option in ("--chain", "--root"):
        assert "empty" in place.meshc(*take, str(folder), option, str(place.keys / "empty"), code=3)
    assert not (place.base / "certificates").exists()

    place.meshc(*take, str(folder))


def test_import_without_a_chain_while_the_root_is_replaced(tmp_path: Path) -> None:
    place = Place(tmp_path)
    old, new = make_root("old"), make_root("new")
    (place.base / "certificates").mkdir()
    (place.base / ROOTS).write_bytes(old.cert_pem + new.cert_pem)
    made = new.issue("hub")
    for name, data in (("ca.pem", made.cert_pem), ("ca-key.pem", made.key_pem)):
        (place.keys / name).write_bytes(data)
    files = ("--certificate", str(place.keys / "ca.pem"), "--key", str(place.keys / "ca-key.pem"))
    place.meshc("ca", "import", "hub", *files)

    assert (place.base / CHAIN).read_bytes() == made.cert_pem + new.cert_pem
    place.verify("hub")


def test_a_rotation_over_a_secret_that_is_not_sealed(issued: Place) -> None:
    issued.meshc("ca", "init", "--key-out", str(issued.keys / "n.key"), "--certificate", str(issued.keys / "n.pem"))
    (issued.base / SEALED).write_text("kind: Secret\n")
    issued.commit()

    said = issued.meshc("ca", "rotate-root", "--new-root", str(issued.keys / "n.pem"), code=3)
    assert f"{SEALED} isn't sealed for certificates/hub/ca-cert.pem" in said


def test_a_pipe_into_which_nobody_writes_and_devices(tmp_path: Path) -> None:
    place = Place(tmp_path)
    os.mkfifo(place.keys / "pipe")
    for path, expected in (
        (str(place.keys / "pipe"), "a pipe without a writer"),
        ("/dev/zero", "neither a file nor a pipe"),
    ):
        assert expected in place.meshc("secrets", "seal", path, code=2)
        assert expected in place.meshc("secrets", "scan", path, code=2)

    argv = ["bash", "-c", f"{sys.executable} -m meshc secrets scan <(sleep 1; echo AGE-SECRET-KEY-1QQQQQQQQQQQQ)"]
    done = subprocess.run(argv, cwd=place.base, capture_output=True, text=True, check=False)
    assert (done.returncode, "an age key is here" in done.stderr) == (5, True)


def test_a_generated_file_that_is_too_large_and_a_pipe_to_inject(issued: Place) -> None:
    place = issued
    (place.base / "output/hub").mkdir(parents=True)
    with (place.base / "output/hub/more.yaml").open("wb") as file:
        file.truncate((64 << 20) + 1)
    os.mkfifo(place.keys / "pipe")

    assert '"output/hub/more.yaml" is larger than 64 MiB' in place.meshc("next", code=5)
    (place.base / "output/hub/more.yaml").unlink()
    with pytest.raises(UsageError, match="a pipe without a writer"):
        read_given(place.keys / "pipe")


def test_a_kubeconfig_that_is_a_pipe(tmp_path: Path) -> None:
    place = Place(tmp_path)
    os.mkfifo(place.keys / "pipe")
    said = place.meshc("capture", "facts", "hub", "--kubeconfig", str(place.keys / "pipe"), code=4)

    assert "isn't a plain file" in said


def test_rewrap_says_which_file_it_cannot_open(issued: Place) -> None:
    edit(issued, ("sops", "age"), [])
    (issued.keys / "identity").write_text(str(IDENTITY))
    said = issued.meshc("secrets", "rewrap", "--identity", str(issued.keys / "identity"), code=3)

    assert f"{SEALED}: its sops block names no age recipients" in said


def test_an_infinite_number_in_a_sealed_file_is_text(issued: Place) -> None:
    find_tool("kubectl")
    edit(issued, ("metadata", "annotations", "example.com/a"), float("inf"))

    issued.meshc("compile")
    assert 'example.com/a: ".inf"' in (issued.base / "output/hub/cacerts.yaml").read_text()


def test_keys_to_a_folder_of_the_repository(tmp_path: Path) -> None:
    place = Place(tmp_path, "{backend: external-secrets, store: {name: vault}}")
    said = place.meshc("ca", "issue", "--root-key", str(place.root()), "--keys-to", str(place.base), code=5)

    assert "hint: --keys-to a folder outside of it" in said
    assert "--seal-to" not in said


@pytest.mark.parametrize(
    "value", ["x", "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n-----END AGE ENCRYPTED FILE-----", 7]
)
def test_a_data_key_that_is_no_age_file(issued: Place, value: object) -> None:
    find_tool("kubectl")
    issued.meshc("compile")
    body = yaml.safe_load((issued.base / SEALED).read_text())
    body["sops"]["age"][0]["enc"] = value
    (issued.base / SEALED).write_text(yaml.safe_dump(body, sort_keys=False))

    assert "the data key of its sops block is no age file" in issued.meshc("compile", code=5)


@pytest.mark.parametrize("name", [ROOTS, CA, SEALED])
def test_a_folder_in_place_of_a_file_is_told_as_one(issued: Place, name: str) -> None:
    (issued.base / name).unlink()
    (issued.base / name).mkdir()
    (issued.base / name / "inner.yaml").write_text("x")

    assert f'MESH610: "{name}" is a folder, not a file' in issued.meshc("validate", code=3)
