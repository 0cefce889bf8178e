"""When sealed credentials end: what has ended isn't sealed, and the note of the end is told, and proves nothing."""

from __future__ import annotations

import base64
import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from meshc.hidden import Hidden
from meshc.issuing.ending import end_of, noted_end, time_of
from support.credentials import CONFIG
from support.places import Place
from support.throwaway import make_root

FILE = "sealed/hub/remote-secret-edge-1.yaml"
NOW = datetime.now(UTC).replace(microsecond=0)


def token(claims: object) -> str:
    text = claims if isinstance(claims, str) else json.dumps(claims)
    parts = (json.dumps({"alg": "RS256"}), text, "signature")
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


def config(value: str, ca: bytes | None = None) -> str:
    made: dict[str, Any] = copy.deepcopy(CONFIG)
    other = {"name": "other", "user": {"token": token({"exp": 1})}}
    made["users"] = [other, {"name": "reader", "user": {"token": value}}]
    if ca:
        made["clusters"][0]["cluster"]["certificate-authority-data"] = base64.b64encode(ca).decode()
    return yaml.safe_dump(made)


def until(**left: float) -> str:
    return token({"exp": int((NOW + timedelta(**left)).timestamp())})


@pytest.mark.parametrize(
    ("claims", "noted"),
    [
        ({"exp": 1893456000}, "2030-01-01T00:00:00Z"),
        ({"exp": 1893456000.9}, "2030-01-01T00:00:00Z"),
        ({"exp": -5}, "1970-01-01T00:00:00Z"),
        ({"exp": -(10**400)}, "1970-01-01T00:00:00Z"),
        ({}, "none"),
        ({"exp": 10**400}, ""),
        ('{"exp": 1e400}', ""),
        ('{"exp": NaN}', ""),
        ({"exp": "1893456000"}, ""),
        ({"exp": True}, ""),
        ({"exp": None}, ""),
        ({"exp": [1]}, ""),
        ([1], ""),
        ("[" * 12_000, ""),
        (f'{{"exp": {"9" * 5000}}}', ""),
        ("no JSON", ""),
    ],
)
def test_a_token_ends_when_it_says_so(claims: object, noted: str) -> None:
    assert noted_end(Hidden(token(claims).encode())) == noted


@pytest.mark.parametrize("text", ["opaque", "a.b", "a.b.c.d", "..", "a.\xff.c"])
def test_of_another_token_nothing_is_known(text: str) -> None:
    assert end_of(Hidden(text.encode())) is None
    assert noted_end(Hidden(text.encode())) == ""


@pytest.mark.parametrize("noted", [None, 5, "", "soon", "2030-01-01", "2030-13-01T00:00:00Z", ["2030-01-01T00:00:00Z"]])
def test_a_note_that_is_no_time_is_none(noted: object) -> None:
    assert time_of(noted) is None


@pytest.fixture
def place(tmp_path: Any) -> Place:
    made = Place(tmp_path)
    text = (made.base / "mesh.yaml").read_text().replace("type: plugged-in", "type: self-signed")
    (made.base / "mesh.yaml").write_text(text)
    return made


@pytest.mark.thorough
@pytest.mark.parametrize("of", ["token", "CA"])
def test_what_has_ended_is_not_sealed(place: Place, of: str) -> None:
    ended = make_root(end=NOW - timedelta(days=1)).cert_pem
    given = config(until(hours=-1)) if of == "token" else config(until(days=90), ended)
    before = place.files()
    said = place.meshc("secrets", "seal", "-", stdin=given, code=3)

    assert f"{of} " in said
    assert "expired on" in said
    assert f"{NOW - timedelta(hours=1 if of == 'token' else 24):%Y-%m-%d}" in said
    assert place.files() == before


@pytest.mark.thorough
def test_a_near_end_is_told_by_whoever_looks(place: Place) -> None:
    said = place.meshc("secrets", "seal", "-", stdin=config(until(days=9, hours=5)))
    end = f"{NOW + timedelta(days=9, hours=5):%Y-%m-%d}"
    assert f"warning: edge-1: the token expires on {end}" in said
    place.meshc("compile")

    assert f"ends in 9 days ({end})" in place.meshc("secrets", "status")
    line = f"edge-1: its credentials in {FILE} end in 9 days ({end})"
    assert line in place.meshc("check")
    assert line in place.meshc("check", "--fail-on", "expiring", code=1)
    assert f'"{line}"' in place.meshc("check", "--format", "json")
    place.commit()
    steps = json.loads(place.meshc("next", "--format", "json"))["steps"]
    (command,) = [one["command"] for one in steps if one["cluster"] == "edge-1"]
    assert command == "meshc secrets seal - --replace --remote edge-1"

    noted = yaml.safe_load((place.base / FILE).read_text())["metadata"]["annotations"]["meshc/not-after"]
    (row,) = json.loads(place.meshc("secrets", "status", "--format", "json"))["secrets"]
    assert row["notAfter"] == noted == f"{NOW + timedelta(days=9, hours=5):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("edited", "told"),
    [
        (None, "its expiry is unknown"),
        ("0001-01-01T00:00:00Z", "has ended"),
        ("9999-12-31T23:59:59Z", "ends 9999"),
        ("none", "has no end"),
        ("never", "unknown"),
    ],
)
def test_the_note_is_believed_by_nobody_who_decides(place: Place, edited: str | None, told: str) -> None:
    place.meshc("secrets", "seal", "-", stdin=config(until(days=90)))
    document = yaml.safe_load((place.base / FILE).read_text())
    del document["metadata"]["annotations"]["meshc/not-after"]
    if edited:
        document["metadata"]["annotations"]["meshc/not-after"] = edited
    (place.base / FILE).write_text(yaml.safe_dump(document, sort_keys=False))

    assert "MESH" not in place.meshc("compile")
    assert told in place.meshc("secrets", "status")
    place.meshc("check", "--fail-on", "expiring", code=int(edited == "0001-01-01T00:00:00Z"))
