"""zlint judges the certificates that `meshc ca` makes. It shares no code with meshc or with the library meshc uses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pyrage
import pytest
from typer.testing import CliRunner

from meshc.cli.main import app
from meshc.trust.issue import Intermediate, issue_intermediate, make_root
from meshc.trust.keys import KeyType
from support.go_tool import run_go_tool
from support.throwaway import Options
from support.throwaway import make_root as throwaway_root
from support.tools import find_tool

pytestmark = pytest.mark.thorough

NOW = datetime(2026, 6, 1, 12, 30, 15, tzinfo=UTC)
KEY_TYPES: tuple[KeyType, ...] = get_args(KeyType)

PUBLIC_WEB = {
    "e_ca_country_name_missing": "7.1.4.3.1: the country of a company that sells certificates to the public",
    "e_invalid_ca_certificate_policies": "7.1.2.10.5: policies that browsers know",
    "e_sub_ca_certificate_policies_missing": "7.1.2.2: the same",
    "e_sub_ca_crl_distribution_points_missing": "7.1.2.2: neither istiod nor Envoy fetches a revocation list",
    "w_sub_ca_aia_missing": "7.1.2.2: neither fetches an issuer, the chain is in cacerts",
    "w_root_ca_basic_constraints_path_len_constraint_field_present": "7.1.2.1.4: a root of a mesh may limit its chains",
}
"""Rules of the CA/Browser Forum for the public web (Baseline Requirements), and why they don't apply to a mesh."""

MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {{name: shop}}
spec:
  istio: {{version: 1.29.6}}
  security:
    ca: {{type: plugged-in}}
    secrets: {{recipients: [{recipient}]}}
  clusters:
    - name: hub
      role: primary
      kubernetesVersion: "1.34"
      podCIDRs: [10.10.0.0/16]
      controlPlane: {{addresses: {{istiod: 10.0.5.20}}}}
    - {{name: edge-1, role: remote, kubernetesVersion: "1.34", podCIDRs: [10.11.0.0/16]}}
"""


def lint(folder: Path, certificates: dict[str, bytes]) -> set[str]:
    """The rules that any of the certificates breaks. Asserts that zlint read each of them and applied its rules."""
    folder.mkdir()
    files = {name: folder / f"{name.replace('/', '-')}.pem" for name in certificates}
    for name, data in certificates.items():
        files[name].write_bytes(data)

    said = run_go_tool("zlint", *(str(file) for file in files.values()))

    assert said.returncode == 0, said.stderr

    reports = [json.loads(line) for line in said.stdout.splitlines()]

    assert len(reports) == len(certificates)
    assert all(sum(rule["result"] == "pass" for rule in report.values()) > 30 for report in reports)

    return {name for report in reports for name, rule in report.items() if rule["result"] in ("warn", "error", "fatal")}


def test_roots_and_intermediates_of_every_key_type(tmp_path: Path) -> None:
    made: dict[str, bytes] = {}
    for above in KEY_TYPES:
        root = make_root("bookstore", above, NOW, 3650)
        made[f"root/{above}"] = root.certificate
        for below in (above, "ecdsa-p256"):
            ca = issue_intermediate(root.certificate, root.key, Intermediate("hub", "a", below, NOW, 730))
            made[f"{above}/{below}"] = ca.certificate

    assert lint(tmp_path / "certificates", made) == set(PUBLIC_WEB)


def test_names_and_dates_at_their_limits(tmp_path: Path) -> None:
    made: dict[str, bytes] = {}
    for days in (1, 36500):
        root = make_root("m" * 63, "ecdsa-p384", NOW, days)
        ca = issue_intermediate(root.certificate, root.key, Intermediate("c" * 63, "n" * 63, "ecdsa-p384", NOW, 36500))
        made |= {f"root-of-{days}-days": root.certificate, f"ca-of-{days}-days": ca.certificate}

    assert lint(tmp_path / "certificates", made) == set(PUBLIC_WEB)


def test_every_certificate_from_the_first_root_to_its_replacement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_tool("kubectl")
    made: dict[str, bytes] = {}
    place = tmp_path / "repository"
    place.mkdir()
    monkeypatch.chdir(place)
    recipient = pyrage.x25519.Identity.generate().to_public()
    Path("mesh.yaml").write_text(MESH.format(recipient=recipient))
    old, new, certificate = tmp_path / "old.key", tmp_path / "new.key", tmp_path / "new.pem"
    git("init", "-q")

    for step, command in enumerate(
        (
            f"ca init --key-out {old}",
            f"ca issue --root-key {old}",
            f"ca issue --root-key {old} --renew-before 731",
            f"ca issue --root-key {old} --force --key-type ecdsa-p384 --days 20",
            f"ca init --key-out {new} --key-type rsa-2048 --certificate {certificate}",
            f"ca rotate-root --new-root {certificate}",
            f"ca rotate-root --workloads-restarted --root-key {new}",
            "ca rotate-root --workloads-restarted",
        )
    ):
        meshc(*command.split())
        if step:  # before the first CAs, there is nothing to compile
            meshc("compile")
        git("add", "-A")
        git("commit", "--allow-empty", "-qm", command.partition(" -")[0])
        files = [*Path("certificates").rglob("*.pem"), *certificate.parent.glob("new.pem")]
        made |= {f"{step}-{file.as_posix()}-{n}": one for file in files for n, one in enumerate(parts(file))}

    distinct = {data: name for name, data in made.items()}

    assert len(distinct) == 2 + 4  # two roots; the CA of hub is issued, renewed, issued with another key, and re-issued
    assert lint(tmp_path / "certificates", {name: data for data, name in distinct.items()}) == set(PUBLIC_WEB)


WRONG: dict[str, tuple[Options, str]] = {
    "no key identifier": ({"ski": False}, "e_ext_subject_key_identifier_missing_ca"),
    "no identifier of the issuer's key": ({"aki": False}, "e_ext_authority_key_identifier_no_key_identifier"),
    "no key usage": ({"usage": None}, "e_ca_key_usage_missing"),
    "a key that may not sign": ({"usage": ("digital_signature",)}, "e_path_len_constraint_improperly_included"),
    "a short key": ({"key": "RSA-1024"}, "e_rsa_mod_less_than_2048_bits"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_certificate_that_is_wrong_is_found(fault: str, tmp_path: Path) -> None:
    options, rule = WRONG[fault]
    ca = throwaway_root().issue("hub", **options)

    assert rule in lint(tmp_path / "certificates", {"wrong": ca.cert_pem})


def test_no_rule_of_an_rfc_is_exempt() -> None:
    listed = [json.loads(line) for line in run_go_tool("zlint", "-list-lints-json").stdout.splitlines()]
    sources = {rule["name"]: rule["source"] for rule in listed}

    assert {sources[name] for name in PUBLIC_WEB} == {"CABF_BR"}


def meshc(*words: str) -> None:
    result = CliRunner().invoke(app, words, catch_exceptions=False)

    assert result.exit_code == 0, result.output


def git(*words: str) -> None:
    name = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run([find_tool("git"), *name, *words], check=True, capture_output=True)


def parts(file: Path) -> Iterator[bytes]:
    """The certificates of a file, each as PEM."""
    begin = b"-----BEGIN CERTIFICATE-----"
    yield from (begin + rest for rest in file.read_bytes().split(begin)[1:])
