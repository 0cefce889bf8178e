"""A key, a token or a Secret that `meshc secrets scan` finds in whatever form it is written down, and what is none."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from meshc.commands.listener import Silent
from meshc.commands.scan import scanned
from meshc.errors import ProblemsError, RefusedError
from support.credentials import CANARY
from support.throwaway import make_root

KEY = make_root().key_pem.decode()
LINES = KEY.splitlines()
AGE = str(pyrage.x25519.Identity.generate())
TWICE = base64.b64encode(base64.b64encode(KEY.encode())).decode()
APPLIED = json.dumps({"kind": "Secret", "apiVersion": "v1", "data": {"a": "aHVudGVyMjI="}})
CONFIG = "kind: Config\nusers:\n- {name: a, user: {token: opaque-0123456789}}\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: hunter22}\n"


HEX = "".join(f"\\x{ord(c):02x}" if c in " AI" else c for c in KEY).replace("\n", "\\n")
UNICODE = HEX.replace("\\x", "\\u00")
LISTED = json.dumps({"kind": "List", "items": [{"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "b"}}]})
NOTED = "kind: ConfigMap\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: "


PLAIN = {
    "utf-16 with a mark.txt": KEY.encode("utf-16"),
    "utf-16 without.txt": KEY.encode("utf-16-le"),
    "utf-16 the other way.txt": KEY.encode("utf-16-be"),
    "a Secret in utf-16.yaml": SECRET.encode("utf-16"),
    "escapes.yaml": f'a: "{HEX}"\n'.encode(),
    "escapes.json": f'{{"a": "{UNICODE}"}}\n'.encode(),
    "an age key in escapes.yaml": f'a: "\\x41{AGE[1:]}"\n'.encode(),
    "not quite.yaml": f'a: [\n"{HEX}"\n'.encode(),
    "folded.yaml": f'a: "{AGE[:12]}\\\n  {AGE[12:]}"\n'.encode(),
    "program.py": ("KEY = (\n" + "\n".join(f'    "{line}\\n"' for line in LINES) + "\n)\n").encode(),
    "program.js": ('const age = "' + '" + "'.join(AGE[at : at + 9] for at in range(0, len(AGE), 9)) + '";\n').encode(),
    "twice.txt": f"abc {TWICE}\n".encode(),
    "twice after a letter.txt": f"x{TWICE}\n".encode(),
    "twice after two.txt": f"xy{TWICE}\n".encode(),
    "list.yaml": LISTED.encode(),
    "secret.txt": SECRET.encode(),
    "kubeconfig": CONFIG.encode(),
    "pgp.asc": b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n",
    "applied.yaml": f"{NOTED}'{APPLIED}'\n".encode(),
    "body.txt": "\n".join(LINES[1:-1]).encode(),
    "large.bin": b"\n" * (9 << 20) + KEY.encode(),
    "over a border.bin": b"\n" * ((8 << 20) - 10) + KEY.encode(),
}


def leaks(file: Path, data: bytes) -> list[str]:
    file.write_bytes(data)
    try:
        scanned([file], Silent(), only_staged=False)
    except ProblemsError as error:
        return [f"{problem.place.line}: {problem.what}" for problem in error.problems]
    return []


@pytest.mark.parametrize("name", PLAIN)
def test_it_is_found(name: str, tmp_path: Path) -> None:
    assert leaks(tmp_path / name, PLAIN[name])


@pytest.mark.parametrize(
    ("key", "form"),
    [
        (key, form)
        for key in (
            rsa.generate_private_key(65537, 2048),
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP384R1()),
            ed25519.Ed25519PrivateKey.generate(),
        )
        for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL)
        if form is PrivateFormat.PKCS8 or not isinstance(key, ed25519.Ed25519PrivateKey)
    ],
)
def test_the_body_of_a_key_alone(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, form: PrivateFormat, tmp_path: Path
) -> None:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.DER, form, NoEncryption())

    assert leaks(tmp_path / "a", b"key " + base64.encodebytes(private)) == ["1: a private key is here in plain text"]
    assert not leaks(tmp_path / "b", base64.encodebytes(public))


def test_the_line_is_that_of_the_file(tmp_path: Path) -> None:
    assert leaks(tmp_path / "a", b"a\nb\n\nc " + TWICE.encode()) == ["4: a private key is here in plain text"]
    assert leaks(tmp_path / "b", f'\n"x"\n"{AGE[:9]}" + "{AGE[9:]}"'.encode()) == [
        "3: an age key is here in plain text"
    ]
    assert leaks(tmp_path / "c", PLAIN["large.bin"])[0].startswith(f"{(9 << 20) + 1}: ")


@pytest.mark.parametrize(
    "text",
    [
        "the header is '-----BEGIN ' + 'PRIVATE KEY-----', and a body follows",
        'prefix = "AGE-SECRET-KEY-" + "1"',
        "kind: Config\nusers:\n- {name: a, user: {token: $TOKEN_OF_EDGE}}\n",
        "kind: Config\nusers: 7\n",
        "kind: List\nitems: [1, {kind: ConfigMap}]\n",
        f"# Guide\n\n```yaml\n{SECRET}```\n: [\n",
        make_root().cert_pem.decode(),
        f"{NOTED}'{{x'\n",
        "",
    ],
)
def test_what_is_none_is_passed(text: str, tmp_path: Path) -> None:
    assert not leaks(tmp_path / "a.yaml", text.encode())
    assert not leaks(tmp_path / "a.txt", text.encode("utf-16"))


def test_a_bearer_token_in_pieces(tmp_path: Path) -> None:
    pieces = '"\n  "'.join(CANARY[at : at + 7] for at in range(0, len(CANARY), 7))

    assert leaks(tmp_path / "a.py", f'("{pieces}")'.encode())


def test_a_file_without_a_line_break(tmp_path: Path) -> None:
    assert leaks(tmp_path / "a", TWICE.encode())
    assert leaks(tmp_path / "b", base64.b64encode(TWICE.encode()))


def test_what_is_too_large_to_be_searched_does_not_pass(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(257 << 20)

    with pytest.raises(RefusedError, match="larger than 256 MiB"):
        scanned([tmp_path], Silent(), only_staged=False)
