"""A root is replaced in the proxies' time: each step waits since the commit of the last one, unless it is forced."""

from __future__ import annotations

import base64
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.places import SOPS, Place

pytestmark = pytest.mark.thorough

STORE = "{backend: external-secrets, store: {name: vault}}"


class Rotating(Place):
    """A mesh whose root is to be replaced, with the first step taken so many hours ago."""

    def __init__(self, folder: Path, hours_ago: float, secrets: str = SOPS, *, classic: bool = False, **more: str):
        super().__init__(folder, secrets, classic=classic)
        mesh = self.base / "mesh.yaml"
        text = mesh.read_text().replace("{type: plugged-in}", f"{{type: plugged-in{more.get('ca', '')}}}")
        mesh.write_text(text.replace("istio: {", f"istio: {{{more.get('istio', '')}"))
        kind = ("--key-type", "rsa-2048") if classic else ()
        self.to = ("--keys-to", str(self.keys)) if secrets == STORE else ()
        old = self.root("old", *kind)
        self.meshc("ca", "issue", "--root-key", str(old), *self.to)
        self.done(hours_ago + 1)
        for file in self.keys.glob("*-ca-key.pem"):
            file.unlink()
        self.new = self.root("new", *kind, "--certificate", str(self.keys / "new.pem"))
        self.said = self.meshc("ca", "rotate-root", "--new-root", str(self.keys / "new.pem"))
        self.done(hours_ago)

    def done(self, hours_ago: float) -> None:
        self.meshc("compile")
        self.commit(hours_ago)

    def second(self, *words: str, code: int = 0) -> str:
        return self.meshc("ca", "rotate-root", "--root-key", str(self.new), *self.to, *words, code=code)

    def third(self, *words: str, code: int = 0) -> str:
        return self.meshc("ca", "rotate-root", *words, code=code)

    def rotation(self) -> Any:
        return json.loads(self.meshc("next", "--format", "json"))["rotation"]


def minute(hours_from_now: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours_from_now)


def is_about(text: str, time: datetime) -> bool:
    return abs(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) - time) < timedelta(minutes=10)


def test_a_whole_replacement_waits_twice(tmp_path: Path) -> None:
    place = Rotating(tmp_path, 23)

    assert "before the next step every proxy must trust both roots" in place.said
    assert "istioctl proxy-config secret POD.NAMESPACE -o json" in place.said
    assert "then, 24 hours after that commit: meshc ca rotate-root --root-key" in place.said
    assert "Vault or a private CA: meshc ca import CLUSTER" in place.said
    before = place.files()
    assert '"re-issue under the new root" must wait until 20' in place.second(code=5)
    assert place.files() == before
    waits = place.rotation()
    assert (waits["next"], waits["underOldRoot"], waits["allowed"]) == ("re-issue under the new root", ["hub"], False)
    assert is_about(waits["since"], minute(-23))
    assert is_about(waits["until"], minute(1))
    assert "CAs under the old root: hub" in place.meshc("next")

    place.git("commit", "-q", "--amend", "--no-edit", at=f"{minute(-25):%Y-%m-%dT%H:%M:%S+00:00}")
    assert place.rotation()["allowed"] is True
    assert "next is to re-issue under the new root, now" in place.meshc("next")
    said = place.second()
    assert 'select(.name == "default").lastUpdated' in said
    place.done(1)

    assert '"drop the old root" must wait until 20' in place.third(code=5)
    waits = place.rotation()
    assert (waits["next"], waits["underOldRoot"], waits["allowed"]) == ("drop the old root", [], False)
    assert is_about(waits["until"], minute(23))
    place.git("commit", "-q", "--amend", "--no-edit", at=f"{minute(-25):%Y-%m-%dT%H:%M:%S+00:00}")
    assert "proxies trust the old root until they have received this change" in place.third()
    place.done(0)

    assert place.rotation() is None
    assert "nothing to do" in place.third()


def test_who_restarted_the_workloads_need_not_wait(tmp_path: Path) -> None:
    place = Rotating(tmp_path, 0)

    assert "in Vault or a private CA: meshc ca import CLUSTER" in place.third("--workloads-restarted", code=2)
    place.second("--workloads-restarted")
    assert "aren't committed" in place.third("--workloads-restarted", code=5)
    place.done(0)
    place.third("--workloads-restarted")


def test_no_command_is_the_first_to_sign_under_a_root_that_proxies_may_lack(tmp_path: Path) -> None:
    place = Rotating(tmp_path, 1)
    under_old = ("ca", "issue", "--force", "--root-key", str(place.keys / "old.key"))
    early = ("ca", "issue", "--force", "--root-key", str(place.new))
    before = place.files()
    assert '"re-issue under the new root" must wait until 20' in place.meshc(*early, code=5)
    assert place.files() == before
    place.meshc(*under_old)  # a renewal under the root that everyone trusts
    place.git("checkout", "-q", ".")

    place.meshc(*early, "--workloads-restarted")
    place.meshc(*early)  # the first one was the one to wait
    new = [(place.base / "certificates/hub" / name).read_bytes() for name in ("ca-cert.pem", "cert-chain.pem")]
    key = place.keys / "hub.key"
    place.meshc("compile")
    key.write_bytes(base64.b64decode(place.opened("hub")))
    place.git("checkout", "-q", ".")
    given = place.keys / "ca.pem", place.keys / "chain.pem"
    for path, data in zip(given, new, strict=True):
        path.write_bytes(data)
    imported = ("ca", "import", "hub", "--certificate", str(given[0]), "--chain", str(given[1]), "--key", str(key))
    assert "must wait until 20" in place.meshc(*imported, code=5)
    assert place.files() == before
    place.meshc(*imported, "--workloads-restarted")


@pytest.mark.parametrize("secrets", [SOPS, STORE], ids=["sops", "store"])
def test_where_istiod_sends_roots_minutes_are_enough(tmp_path: Path, secrets: str) -> None:
    place = Rotating(tmp_path, 0.75, secrets, ca=", fastRootRotation: true")
    both = (place.base / "certificates/root-cert.pem").read_bytes()

    said = place.second()
    assert "then, 30 minutes after that commit: meshc ca rotate-root" in said
    assert (place.base / "certificates/root-cert.pem").read_bytes() == both + b"\n"
    place.done(0.25)
    assert "equal to kustomize" in place.meshc("verify")
    assert "MESH428" not in place.meshc("check", "--base", "HEAD~1")
    place.verify("hub")
    assert '"drop the old root" must wait' in place.third(code=5)
    place.git("commit", "-q", "--amend", "--no-edit", at=f"{minute(-0.75):%Y-%m-%dT%H:%M:%S+00:00}")
    place.third()
    place.done(0)
    place.verify("hub")
    assert "equal to kustomize" in place.meshc("verify")


def test_a_ca_that_was_imported_is_used_with_the_next_certificate(tmp_path: Path) -> None:
    """Its commit brought no other roots, so istiod sent none, and nobody asked for a certificate of the new CA."""
    place = Rotating(tmp_path, 2, ca=", fastRootRotation: true")
    roots = place.base / "certificates/root-cert.pem"
    place.second()
    roots.write_bytes(roots.read_bytes().removesuffix(b"\n"))
    place.meshc("ca", "issue", "--force", "--root-key", str(place.new))
    place.done(1)

    assert is_about(place.rotation()["until"], minute(23))


def test_certificates_last_as_long_as_mesh_yaml_says(tmp_path: Path) -> None:
    ttl = "values: {meshConfig: {defaultConfig: {proxyMetadata: {SECRET_TTL: 1h30m}}}}, "

    assert is_about(Rotating(tmp_path, 1, istio=ttl).rotation()["until"], minute(0.5))


def test_those_of_citadel_last_for_90_days(tmp_path: Path) -> None:
    place = Rotating(tmp_path, 24 * 89, classic=True)

    assert "one lasts 90 days" in place.second(code=5)
    assert "istio.io/key-and-cert" in place.second("--workloads-restarted")


def test_what_a_merge_brought_in_waits_since_the_merge(tmp_path: Path) -> None:
    place = Rotating(tmp_path, 30)
    place.git("branch", "step")
    place.git("reset", "-q", "--hard", "HEAD~1")
    place.git("merge", "-q", "--no-ff", "-m", "merged", "step", at=f"{minute(-2):%Y-%m-%dT%H:%M:%S+00:00}")

    assert is_about(place.rotation()["since"], minute(-2))
    place.second(code=5)


def test_a_setting_that_pods_were_not_made_with_shortens_nothing(tmp_path: Path) -> None:
    place = Rotating(tmp_path, 2)
    mesh = place.base / "mesh.yaml"
    mesh.write_text(mesh.read_text().replace("{type: plugged-in}", "{type: plugged-in, fastRootRotation: true}"))
    place.done(1)

    assert is_about(place.rotation()["until"], minute(22))
    assert "mesh.yaml didn't ask for that before it" in place.second(code=5)


@pytest.mark.parametrize("time", ["@4102444800 +0000", "@99999999999999 +0000"])
def test_a_commit_from_the_future_is_told(tmp_path: Path, time: str) -> None:
    place = Rotating(tmp_path, 30)
    place.git("commit", "-q", "--amend", "--no-edit", at=time)

    assert "one clock is wrong" in place.second(code=5)
    assert "one clock is wrong" in place.meshc("next")
    assert place.rotation()["until"] == ""
    place.second("--workloads-restarted")


def test_where_git_tells_nothing_the_step_is_refused(tmp_path: Path) -> None:
    place = Rotating(tmp_path, 30)
    (place.base / "output/hub/cacerts.yaml").write_text((place.base / "output/hub/cacerts.yaml").read_text() + "\n")
    assert "output/hub/cacerts.yaml isn't committed" in place.second(code=5)
    place.git("checkout", "-q", ".")

    shutil.rmtree(place.base / ".git")
    assert "this is no Git repository" in place.second(code=5)
    place.git("init", "-q", ".")
    assert "aren't committed" in place.second(code=5)
    (place.base / ".git/info/exclude").write_text("*\n")
    assert "no commit has certificates/root-cert.pem" in place.second(code=5)
    place.second("--workloads-restarted")
