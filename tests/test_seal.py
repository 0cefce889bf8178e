"""What meshc seals opens with the tools that it is for, and what those seal opens with meshc."""

from __future__ import annotations

import base64
import copy
import os
import subprocess
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from meshc.components.cacerts import PUBLIC
from meshc.components.contract import PRUNE_PROTECTION
from meshc.errors import Place
from meshc.hidden import Hidden
from meshc.kube import SECRETS, Body
from meshc.plan.needs import SecretNeed
from meshc.sealing import external_secrets, sealed_secrets, sops, sops_file
from meshc.sealing.age import check_recipients, identities_in
from meshc.sealing.contract import Plain, Scope, SealError, Store, Target
from meshc.sealing.place import Sealed, place
from meshc.sealing.registry import BACKENDS, BY_KIND
from meshc.sealing.sops_rules import recipients_in, rules
from meshc.yamltext.read import read
from meshc.yamltext.write import write
from support.schemas import check
from support.throwaway import Authority, make_root, pem
from support.tools import find_tool
from support.unsealing import unseal, unseal_value

NOW = datetime(2026, 11, 22, 10, 30, 5, 123456, tzinfo=UTC)
CANARY = b"canary-of-a-private-key-0123456789"
ROOT = make_root()
HUB = ROOT.issue("hub")
CERTIFICATES = dict(zip(PUBLIC, (HUB.cert_pem, pem(HUB, ROOT), ROOT.cert_pem), strict=True))
CACERTS = Plain("istio-system", "cacerts", {"ca-key.pem": Hidden(CANARY)}, CERTIFICATES)
LABELS, ANNOTATIONS = {"istio/multiCluster": "true"}, {"networking.istio.io/cluster": "edge-1"}
REMOTE = Plain("istio-system", "istio-remote-secret-edge-1", {"edge-1": Hidden(CANARY)}, {}, LABELS, ANNOTATIONS)
NEEDS = {
    "cacerts": SecretNeed(
        "hub",
        "cacerts",
        "hub/cacerts.yaml",
        "istio-system",
        "cacerts",
        ("ca-key.pem",),
        PUBLIC,
        added=PRUNE_PROTECTION,
        required=True,
    ),
    "istio-remote-secret-edge-1": SecretNeed(
        "hub",
        "remote secret",
        "hub/remote-secret-edge-1.yaml",
        "istio-system",
        "istio-remote-secret-edge-1",
        ("edge-1",),
        labels=LABELS,
        annotations=ANNOTATIONS,
    ),
}
ONE, TWO, STRANGER = (pyrage.x25519.Identity.generate() for _ in range(3))
RECIPIENTS = tuple(sorted(str(identity.to_public()) for identity in (ONE, TWO)))
OTHERS = (
    "85D77543B3D624B63CEA9E6DBC17301B491B3F21",
    "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "projects/p/locations/global/keyRings/mesh/cryptoKeys/flux",
    "https://mesh.vault.azure.net/keys/flux/0123456789abcdef0123456789abcdef",
    "https://vault.example.com:8200/v1/sops/keys/flux",
)
"""One of each service that sops asks for a key, as its options name it."""
CONTROLLER = make_root("sealed-secrets", key="RSA-2048", ca=False)
STORE = Store("ClusterSecretStore", "mesh-vault", "mesh/prod/hub")
TARGET = Target(RECIPIENTS, CONTROLLER.cert_pem, STORE)

both = pytest.mark.parametrize("plain", [CACERTS, REMOTE], ids=["cacerts", "remote secret"])


def test_every_sealed_kind_is_known_as_a_secret() -> None:
    """A kind that isn't known so is compared as another object in a diff, and not searched for plain values."""
    assert {*SECRETS} == {*BY_KIND}


every_form = pytest.mark.parametrize("backend", sorted(BACKENDS))


def hidden(identity: pyrage.x25519.Identity) -> tuple[Hidden, ...]:
    return (Hidden(str(identity).encode()),)


def parsed(text: str | bytes) -> Any:
    """One document as `meshc` reads it."""
    documents, problems = read(text.encode() if isinstance(text, str) else text, "sealed.yaml")
    assert not problems
    assert len(documents) == 1
    return documents[0].data


def run_sops(*arguments: str, text: str | bytes, **environment: str) -> bytes:
    """Real sops, plain text through pipes alone, without a setting of the machine's."""
    words = ["--config", "/dev/null", "--input-type", "yaml", "--output-type", "yaml", "--filename-override", "s.yaml"]
    return subprocess.run(
        [find_tool("sops"), *words, *arguments, "/dev/stdin"],
        input=text.encode() if isinstance(text, str) else text,
        capture_output=True,
        check=True,
        env={"SOPS_DISABLE_VERSION_CHECK": "1", "HOME": "/nonexistent", **environment},
    ).stdout


def opened_by_sops(body: Body, identity: pyrage.x25519.Identity = ONE) -> Any:
    return yaml.safe_load(run_sops("--decrypt", text=write(body), SOPS_AGE_KEY=str(identity)))


def kustomized(folder: Path, text: str) -> str:
    (folder / "sealed.yaml").write_text(text)
    (folder / "kustomization.yaml").write_text("resources: [sealed.yaml]\n")
    done = subprocess.run([find_tool("kubectl"), "kustomize", str(folder)], capture_output=True, check=True, text=True)
    return done.stdout


def values(plain: Plain) -> dict[str, bytes]:
    return {**{key: value.reveal() for key, value in plain.hidden.items()}, **plain.public}


def decoded(data: Mapping[str, str]) -> dict[str, bytes]:
    return {key: base64.b64decode(text, validate=True) for key, text in data.items()}


def leaked(error: BaseException) -> bool:
    """Whether the canary stands in the traceback of an error, or in a variable of meshc's there."""
    frames = [
        frame for frame, _ in traceback.walk_tb(error.__traceback__) if "compiler/meshc" in frame.f_code.co_filename
    ]
    text = "".join(traceback.format_exception(error)) + "".join(repr(frame.f_locals) for frame in frames)
    assert frames
    return any(form in text for form in (CANARY.decode(), base64.b64encode(CANARY).decode(), str(ONE), str(STRANGER)))


class TestEveryForm:
    @both
    @every_form
    def test_is_what_compile_places_and_kustomize_leaves_as_it_is(
        self, tmp_path: Path, plain: Plain, backend: str
    ) -> None:
        body, need = BACKENDS[backend].seal(plain, TARGET, NOW), NEEDS[plain.name]
        text = write(body)
        certificates = {"root-cert.pem": ROOT.cert_pem} | {
            f"hub/{key}": value for key, value in CERTIFICATES.items() if key != "root-cert.pem"
        }

        placed = place(need, Sealed({need.file: text.encode()}, certificates, "sealed"), Place("mesh.yaml"))

        assert placed.problems == ()
        assert len(placed.bodies) == 1
        document = read(text.encode(), "sealed.yaml")[0][0]
        assert not list(BY_KIND[body["kind"]].check(need, document, dict(plain.public)))
        assert kustomized(tmp_path, text) == text

    @both
    @every_form
    def test_fits_its_schema(self, plain: Plain, backend: str) -> None:
        body = BACKENDS[backend].seal(plain, TARGET, NOW)

        check({key: value for key, value in body.items() if key != "sops"}, "1.34")

    @both
    @every_form
    def test_shows_what_is_public_and_nothing_that_is_hidden(self, plain: Plain, backend: str) -> None:
        text = write(BACKENDS[backend].seal(plain, TARGET, NOW))

        assert CANARY.decode() not in text
        assert base64.b64encode(CANARY).decode() not in text
        assert CANARY.decode() not in f"{plain!r}{plain}"

    @pytest.mark.parametrize("backend", ["sops", "sealed-secrets"])
    def test_two_seals_of_one_secret_differ(self, backend: str) -> None:
        sealer = BACKENDS[backend]
        one, two = (sealer.blobs(sealer.seal(CACERTS, TARGET, NOW)) for _ in range(2))

        assert one.keys() == two.keys() == {"ca-key.pem"}
        assert one != two

    @every_form
    @pytest.mark.parametrize(
        ("plain", "message"),
        [
            (replace(CACERTS, hidden={}), "nothing to seal"),
            (replace(CACERTS, hidden={"ca key": Hidden(CANARY)}), "other than letters"),
            (replace(CACERTS, hidden={"root-cert.pem": Hidden(CANARY)}), "both hidden and public"),
            (replace(CACERTS, public={"root-cert.pem": CANARY}), "isn't a certificate"),
            (replace(CACERTS, public={"root-cert.pem": HUB.cert_pem + HUB.key_pem}), "isn't a certificate"),
        ],
    )
    def test_a_secret_that_cant_be_sealed(self, backend: str, plain: Plain, message: str) -> None:
        with pytest.raises(SealError, match=message) as refused:
            BACKENDS[backend].seal(plain, TARGET, NOW)

        shown = "".join(traceback.format_exception(refused.value))
        assert CANARY.decode() not in shown
        assert "PRIVATE" not in shown

    @every_form
    def test_a_target_without_what_the_form_needs(self, backend: str) -> None:
        with pytest.raises(SealError, match="there is no") as refused:
            BACKENDS[backend].seal(CACERTS, Target(), NOW)

        assert not leaked(refused.value)

    @pytest.mark.parametrize("backend", ["sops", "sealed-secrets"])
    def test_an_empty_value_is_refused(self, backend: str) -> None:
        with pytest.raises(SealError, match="is empty"):
            BACKENDS[backend].seal(replace(CACERTS, hidden={"ca-key.pem": Hidden(b"")}), TARGET, NOW)

    @pytest.mark.parametrize("backend", ["sealed-secrets", "external-secrets"])
    @pytest.mark.parametrize("field", ["labels", "annotations"])
    def test_what_an_operator_would_run_is_refused(self, backend: str, field: str) -> None:
        plain = replace(CACERTS, **{field: {"team": "{{ .ca }}"}})  # type: ignore[arg-type]

        with pytest.raises(SealError, match="run as a template"):
            BACKENDS[backend].seal(plain, TARGET, NOW)


class TestSops:
    @both
    @pytest.mark.parametrize("identity", [ONE, TWO], ids=["one recipient", "the other"])
    def test_real_sops_opens_it_also_after_kustomize(
        self, tmp_path: Path, plain: Plain, identity: pyrage.x25519.Identity
    ) -> None:
        rendered = kustomized(tmp_path, write(sops.seal(plain, TARGET, NOW)))

        opened = yaml.safe_load(run_sops("--decrypt", text=rendered, SOPS_AGE_KEY=str(identity)))

        assert decoded(opened["data"]) == values(plain)
        assert opened["kind"] == "Secret"
        assert opened["type"] == "Opaque"
        assert opened["metadata"].get("labels", {}) == plain.labels
        assert opened["metadata"].get("annotations", {}) == plain.annotations
        assert sops_file.open_(parsed(rendered), hidden(identity)) == plain.hidden

    def test_its_block_says_what_sops_needs_and_no_more(self) -> None:
        body = sops.seal(CACERTS, TARGET, NOW)

        stanza = {**body["sops"], "mac": "", "age": [entry["recipient"] for entry in body["sops"]["age"]]}
        assert stanza == {
            "age": list(RECIPIENTS),
            "encrypted_regex": r"^ca-key\.pem$",
            "lastmodified": "2026-11-22T10:30:05Z",
            "mac": "",
            "mac_only_encrypted": True,
            "version": "3.11.0",
        }
        assert 'lastmodified: "2026-11-22T10:30:05Z"\n' in write(body)
        assert sops.seal(REMOTE, TARGET, NOW)["sops"]["encrypted_regex"] == "^data$"
        assert sops_file.recipients_of(body) == RECIPIENTS
        assert sops.blobs(body) == {"ca-key.pem": body["data"]["ca-key.pem"]}

    @pytest.mark.parametrize("public", [{}, CERTIFICATES], ids=["all hidden", "beside certificates"])
    def test_nasty_values_in_one_secret(self, tmp_path: Path, public: Mapping[str, bytes]) -> None:
        nasty = {
            "a": b"\n",
            "b.b": b"\0",
            "c-c": b" spaces \n\n and lines \r\n",
            "d_d": sops.blobs(sops.seal(REMOTE, TARGET, NOW))["edge-1"].encode(),
            "e": bytes(range(256)),
            "f": os.urandom(100_000),
            "g": b"true",
            "h": b"{{ .template }}",
            "i": b"\xff\xfe",
        }
        plain = Plain("shop", "nasty", {key: Hidden(value) for key, value in nasty.items()}, public)
        rendered = kustomized(tmp_path, write(sops.seal(plain, TARGET, NOW)))

        opened = yaml.safe_load(run_sops("--decrypt", text=rendered, SOPS_AGE_KEY=str(ONE)))

        assert decoded(opened["data"]) == values(plain)
        assert sops_file.open_(parsed(rendered), hidden(TWO)) == plain.hidden

    @pytest.mark.thorough
    @given(st.dictionaries(st.from_regex(r"[-._a-z]{1,20}", fullmatch=True), st.binary(min_size=1), min_size=1))
    @settings(deadline=None)
    def test_any_values_come_back(self, data: dict[str, bytes]) -> None:
        plain = Plain(
            "shop", "any", {key: Hidden(value) for key, value in data.items() if key != "data"} or REMOTE.hidden
        )

        assert sops_file.open_(parsed(write(sops.seal(plain, TARGET, NOW))), hidden(ONE)) == plain.hidden

    @pytest.mark.thorough
    @given(st.binary(min_size=1, max_size=5000))
    @settings(deadline=None, max_examples=15)
    def test_any_value_comes_back_from_sops(self, value: bytes) -> None:
        body = sops.seal(replace(CACERTS, hidden={"ca-key.pem": Hidden(value)}), TARGET, NOW)

        assert decoded(opened_by_sops(body)["data"])["ca-key.pem"] == value

    @pytest.mark.parametrize("sort", [True, False], ids=["keys sorted", "keys as they came"])
    @pytest.mark.parametrize("options", [(), ("--mac-only-encrypted",)], ids=["MAC of all", "MAC of what is hidden"])
    @pytest.mark.parametrize("regex", ["^(data|stringData)$", r"^ca-key\.pem$", "^(ca-key.pem|other)$"])
    def test_opens_what_sops_sealed(self, sort: bool, options: tuple[str, ...], regex: str) -> None:
        plain = {
            "kind": "Secret",
            "apiVersion": "v1",
            "metadata": {"name": "cacerts", "labels": {"a": "b", "1": "2"}, "finalizers": ["x/y"], "namespace": None},
            "immutable": True,
            "data": {key: base64.b64encode(value).decode() for key, value in {**values(CACERTS), "empty": b""}.items()},
        }
        arguments = ["--encrypt", "--age", ",".join(RECIPIENTS), "--encrypted-regex", regex, *options]
        text = f"# a comment\n{yaml.safe_dump(plain, sort_keys=sort)}".replace("data:\n", "data:\n  # another\n", 1)

        opened = sops_file.open_(parsed(run_sops(*arguments, text=text)), hidden(TWO))

        whole = {**values(CACERTS), "empty": b""} if "data" in regex else {"ca-key.pem": CANARY}
        assert {key: value.reveal() for key, value in opened.items()} == whole

    @pytest.mark.parametrize(
        ("hidden_too", "labels", "message"),
        [
            ({"2": Hidden(b"x"), "12": Hidden(b"y"), "1a": Hidden(b"z")}, {}, "no fixed order"),
            ({"metadata": Hidden(b"x")}, {}, "sops uses to decide"),
            ({}, {"ca-key.pem": "x"}, "sops uses to decide"),
        ],
    )
    def test_names_that_sops_would_take_for_others(
        self, hidden_too: dict[str, Hidden], labels: dict[str, str], message: str
    ) -> None:
        with pytest.raises(SealError, match=message):
            sops.seal(replace(CACERTS, hidden={**CACERTS.hidden, **hidden_too}, labels=labels), TARGET, NOW)

    def test_a_time_of_another_zone_is_written_in_utc(self) -> None:
        there = datetime.fromisoformat("2026-11-22T23:30:00-02:00")

        assert sops.seal(CACERTS, TARGET, there)["sops"]["lastmodified"] == "2026-11-23T01:30:00Z"


Change = Callable[[dict[str, Any]], None]


def transplant(body: dict[str, Any]) -> None:
    body["data"]["ca-key.pem"] = sops.blobs(sops.seal(CACERTS, TARGET, NOW))["ca-key.pem"]


def flip(body: dict[str, Any]) -> None:
    before, text = body["data"]["ca-key.pem"].split("data:")
    body["data"]["ca-key.pem"] = f"{before}data:{'B' if text[0] == 'A' else 'A'}{text[1:]}"


def rename(body: dict[str, Any]) -> None:
    body["data"]["other"] = body["data"].pop("ca-key.pem")
    body["sops"]["encrypted_regex"] = "^other$"


HARMLESS: dict[str, Change] = {
    "as it is": lambda body: None,
    "rename the Secret": lambda body: body["metadata"].update(name="other"),
    "move it to a namespace": lambda body: body["metadata"].update(namespace="other"),
    "replace a certificate": lambda body: body["data"].update({"root-cert.pem": "b3RoZXI="}),
    "add a plain value": lambda body: body["data"].update(more="b3RoZXI="),
}
REFUSED: dict[str, Change] = {
    "rename the key": lambda body: body["data"].update({"ca-key2.pem": body["data"].pop("ca-key.pem")}),
    "rename the key, and what is encrypted": rename,
    "move it to stringData": lambda body: body.update(stringData={"ca-key.pem": body["data"].pop("ca-key.pem")}),
    "transplant from another file": transplant,
    "flip a bit": flip,
    "take the key out": lambda body: body["data"].pop("ca-key.pem") and None,
    "drop the mac": lambda body: body["sops"].pop("mac") and None,
    "empty the mac": lambda body: body["sops"].update(mac=""),
    "change lastmodified": lambda body: body["sops"].update(lastmodified="2026-11-22T10:30:06Z"),
    "drop mac_only_encrypted": lambda body: body["sops"].pop("mac_only_encrypted") and None,
    "say that all is encrypted": lambda body: body["sops"].update(encrypted_regex="^data$"),
    "say that nothing is encrypted": lambda body: body["sops"].update(encrypted_regex="^nothing$"),
    "put plain text there": lambda body: body["data"].update({"ca-key.pem": "b3RoZXI="}),
    "empty the value": lambda body: body["data"].update({"ca-key.pem": ""}),
    "drop the recipients": lambda body: body["sops"].update(age=[]),
    "drop what is wrapped": lambda body: body["sops"]["age"][0].update(enc="") or body["sops"]["age"].pop(),
}


class TestTampering:
    @pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS.keys())
    def test_what_the_mac_isnt_over_both_let_pass(self, change: Change) -> None:
        body = copy.deepcopy(dict(sops.seal(CACERTS, TARGET, NOW)))

        change(body)

        assert sops_file.open_(body, hidden(ONE)) == CACERTS.hidden
        assert decoded(opened_by_sops(body)["data"])["ca-key.pem"] == CANARY

    @pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
    def test_what_sops_refuses_so_does_meshc(self, change: Change) -> None:
        body = copy.deepcopy(dict(sops.seal(CACERTS, TARGET, NOW)))

        change(body)

        with pytest.raises(SealError) as refused:
            sops_file.open_(body, hidden(ONE))
        assert not leaked(refused.value)
        with pytest.raises(SealError):
            sops_file.rewrap(body, hidden(ONE), RECIPIENTS)
        with pytest.raises(subprocess.CalledProcessError):
            opened_by_sops(body)

    @pytest.mark.parametrize(
        "field", ["hc_vault", "kms", "gcp_kms", "azure_kv", "pgp", "hckms", "key_groups", "shamir_threshold", "\x1b[2J"]
    )
    def test_services_besides_age_are_refused_before_any_key_is_used(self, field: str) -> None:
        body = copy.deepcopy(dict(sops.seal(CACERTS, TARGET, NOW)))
        body["sops"][field] = [{"vault_address": "https://attacker.example", "recipient": "x", "enc": "y"}]

        for act in (lambda: sops_file.open_(body, ()), lambda: sops_file.rewrap(body, (), RECIPIENTS)):
            with pytest.raises(SealError, match="meshc decrypts only values for age") as refused:
                act()
            assert str(refused.value).isprintable()
        with pytest.raises(SealError):
            sops_file.recipients_of(body)

    def test_empty_lists_of_services_as_older_sops_writes_them(self) -> None:
        body = copy.deepcopy(dict(sops.seal(CACERTS, TARGET, NOW)))
        body["sops"].update(kms=[], gcp_kms=[], azure_kv=[], hc_vault=[], pgp=None)

        assert sops_file.open_(body, hidden(ONE)) == CACERTS.hidden

    @pytest.mark.parametrize("regex", ["(a+)+$", "^(a|b+)$", "data", "^data$|x", "^((a))$", "^[$", "", 1, None])
    def test_regular_expressions_that_arent_names_arent_run(self, regex: Any) -> None:
        body = copy.deepcopy(dict(sops.seal(CACERTS, TARGET, NOW)))
        body["sops"]["encrypted_regex"] = regex

        with pytest.raises(SealError, match="isn't names between"):
            sops_file.open_(body, hidden(ONE))

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"kind": "Secret", "data": {}, "sops": "x"},
            {"kind": "ConfigMap", "data": {}, "sops": {}},
            {"kind": "Secret", "data": "x", "sops": {}},
            {"kind": "Secret", "data": {}, "sops": {"age": ["x"]}},
            {"kind": "Secret", "data": {}, "sops": {"age": [{"recipient": 1, "enc": "x"}], "mac": "x"}},
        ],
    )
    def test_what_is_no_sealed_secret(self, body: dict[str, Any]) -> None:
        with pytest.raises(SealError):
            sops_file.open_(body, hidden(ONE))

    @given(st.binary(max_size=300))
    @settings(deadline=None, max_examples=50)
    def test_a_wrapped_key_of_any_bytes_is_an_error(self, junk: bytes) -> None:
        body = copy.deepcopy(dict(sops.seal(CACERTS, TARGET, NOW)))
        armored = base64.encodebytes(b"age-encryption.org/v1\n" + junk).decode()
        enc = f"-----BEGIN AGE ENCRYPTED FILE-----\n{armored}-----END AGE ENCRYPTED FILE-----\n"
        body["sops"]["age"] = [{"recipient": RECIPIENTS[0], "enc": enc}]

        with pytest.raises(SealError):
            sops_file.open_(body, hidden(ONE))


class TestRecipients:
    def test_rewrap_changes_who_can_open_it_and_nothing_else(self) -> None:
        before = sops.seal(CACERTS, TARGET, NOW)
        recipient = str(STRANGER.to_public())

        after = sops_file.rewrap(parsed(write(before)), hidden(ONE), (recipient,))

        assert sops_file.recipients_of(after) == (recipient,)
        assert {**after["sops"], "age": 0} == {**before["sops"], "age": 0}
        assert {**after, "sops": 0} == {**before, "sops": 0}
        assert decoded(opened_by_sops(after, STRANGER)["data"]) == values(CACERTS)
        with pytest.raises(subprocess.CalledProcessError):
            opened_by_sops(after, ONE)
        with pytest.raises(SealError, match="none of the given age identities"):
            sops_file.open_(after, hidden(ONE))

    def test_keys_of_other_services_that_are_declared_stay_as_they_are(self) -> None:
        body = copy.deepcopy(dict(sops.seal(CACERTS, TARGET, NOW)))
        body["sops"] |= {"pgp": [{"fp": OTHERS[0], "enc": "x"}], "kms": [{"arn": OTHERS[1], "enc": "y"}]}
        told = (*RECIPIENTS, *OTHERS)

        after = sops_file.rewrap(body, hidden(ONE), (RECIPIENTS[0], *OTHERS))

        assert sops_file.recipients_of(body) == tuple(sorted((*RECIPIENTS, *OTHERS[:2])))
        assert (after["sops"]["pgp"], after["sops"]["kms"]) == (body["sops"]["pgp"], body["sops"]["kms"])
        assert sops_file.open_(body, hidden(ONE), told) == CACERTS.hidden
        for less in ((), RECIPIENTS, (*RECIPIENTS, OTHERS[0])):
            with pytest.raises(SealError, match="meshc decrypts only values for age"):
                sops_file.open_(body, hidden(ONE), less)

    def test_rewrap_needs_an_identity_that_opens_it(self) -> None:
        body = sops.seal(CACERTS, TARGET, NOW)

        for identities in ((), hidden(STRANGER)):
            with pytest.raises(SealError, match=r"no age identity to open|none of the given age identities") as refused:
                sops_file.rewrap(body, identities, RECIPIENTS)
            assert not leaked(refused.value)

    def test_ssh_keys_seal_and_open(self, tmp_path: Path) -> None:
        key = ed25519.Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        recipient = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        (tmp_path / "id").write_bytes(private)
        (tmp_path / "id").chmod(0o600)
        body = sops.seal(CACERTS, Target((RECIPIENTS[0], recipient)), NOW)

        opened = run_sops("--decrypt", text=write(body), SOPS_AGE_SSH_PRIVATE_KEY_FILE=str(tmp_path / "id"))

        assert decoded(yaml.safe_load(opened)["data"]) == values(CACERTS)
        assert sops_file.open_(body, identities_in(Hidden(private))) == CACERTS.hidden

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "isn't of a kind that meshc supports"),
            ("age1xyz", "isn't of a kind that meshc supports"),
            (f" {RECIPIENTS[0]}", "isn't of a kind that meshc supports"),
            (RECIPIENTS[0][:-1] + ("q" if RECIPIENTS[0][-1] != "q" else "p"), "isn't of a kind that meshc supports"),
            (str(STRANGER.to_public()).upper(), "isn't written in lower case"),
            ("age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z", "protects nothing"),
            (RECIPIENTS[0], "the same as recipient 1"),
            (str(STRANGER), "is an identity, a private key"),
            (str(STRANGER).lower(), "is an identity, a private key"),
            (f"x {STRANGER}\n", "is an identity, a private key"),
            ("ssh-ed25519 AAAA", "isn't of a kind that meshc supports"),
            ("ssh-ed25519 AAAA me@example.com", "without a comment"),
            ("ssh-dss AAAA", "without a comment"),
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "protects nothing"),
        ],
        ids=[
            "nothing",
            "no key",
            "a space",
            "a wrong letter",
            "capitals",
            "low order",
            "twice",
            "identity",
            "identity in small letters",
            "identity with more",
            "short SSH key",
            "SSH key with a comment",
            "DSA",
            "SSH key of low order",
        ],
    )
    def test_what_is_no_recipient(self, text: str, message: str) -> None:
        with pytest.raises(SealError, match=f"^age recipient 2 .*{message}") as refused:
            check_recipients((RECIPIENTS[0], text))

        assert text[-12:].strip() not in str(refused.value) or not text
        assert str(STRANGER)[20:40].lower() not in "".join(traceback.format_exception(refused.value)).lower()
        with pytest.raises(SealError, match=r"^age recipient 2 "):
            sops.seal(CACERTS, Target((RECIPIENTS[0], text)), NOW)

    @pytest.mark.parametrize(
        "text",
        [b"", RECIPIENTS[0].encode(), CANARY, b"AGE-SECRET-KEY-1" + CANARY, b"\xff", b"-----BEGIN x", HUB.key_pem],
        ids=["nothing", "recipient", "canary", "malformed", "bytes", "broken PEM", "another PEM"],
    )
    def test_what_is_no_identity(self, text: bytes) -> None:
        with pytest.raises(SealError, match=r"^age identity 2 must be") as refused:
            sops_file.open_(sops.seal(CACERTS, TARGET, NOW), (*hidden(ONE), Hidden(text)))

        assert not leaked(refused.value)

    def test_a_file_of_identities(self) -> None:
        file = f"# created: 2026\n# public key: {RECIPIENTS[0]}\n{STRANGER}\r\n\n  {ONE}\n"

        assert sops_file.open_(sops.seal(CACERTS, TARGET, NOW), identities_in(Hidden(file.encode()))) == CACERTS.hidden
        with pytest.raises(SealError, match="has no age identity"):
            identities_in(Hidden(b"# nothing\n"))


class TestRules:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        others = (str(STRANGER.to_public()),)
        (tmp_path / ".sops.yaml").write_bytes(rules({"hub": RECIPIENTS, "edge-1": others}, "./se+led"))
        for cluster in ("hub", "edge-1"):
            (tmp_path / "se+led" / cluster).mkdir(parents=True)
        return tmp_path

    def run(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        environment = {"SOPS_DISABLE_VERSION_CHECK": "1", "HOME": "/nonexistent", "SOPS_AGE_KEY": str(ONE)}
        return subprocess.run(
            [find_tool("sops"), *arguments], cwd=folder, capture_output=True, check=True, env=environment
        )

    @pytest.mark.parametrize(
        ("plain", "file"), [(CACERTS, "cacerts.yaml"), (REMOTE, "remote-secret-edge-1.yaml")], ids=["cacerts", "remote"]
    )
    def test_sops_seals_by_them_as_meshc_does(self, folder: Path, plain: Plain, file: str) -> None:
        ours = sops.seal(plain, TARGET, NOW)
        open_text = write(opened_by_sops(ours))
        path = folder / "se+led/hub" / file
        path.write_text(open_text)

        theirs = parsed(self.run(folder, "--encrypt", f"se+led/hub/{file}").stdout)

        assert sops_file.recipients_of(theirs) == RECIPIENTS
        assert sops.blobs(theirs).keys() == sops.blobs(ours).keys()
        assert sops_file.open_(theirs, hidden(ONE)) == plain.hidden
        for field in ("encrypted_regex", "mac_only_encrypted", "version"):
            assert theirs["sops"][field] == ours["sops"][field]

    def test_sops_updates_keys_by_them_as_rewrap_does(self, folder: Path) -> None:
        path = folder / "se+led/edge-1/cacerts.yaml"
        ours = sops.seal(CACERTS, TARGET, NOW)
        path.write_text(write(ours))

        self.run(folder, "updatekeys", "--yes", "se+led/edge-1/cacerts.yaml")

        theirs = parsed(path.read_bytes())
        assert sops_file.recipients_of(theirs) == (str(STRANGER.to_public()),)
        assert {**theirs["sops"], "age": 0} == {**ours["sops"], "age": 0}
        assert theirs["data"] == ours["data"]
        assert sops_file.open_(theirs, hidden(STRANGER)) == CACERTS.hidden

    @pytest.mark.parametrize("file", ["seeled/hub/cacerts.yaml", "se+led/hub/other.yaml", "x/se+led/hub/cacerts.yaml"])
    def test_sops_refuses_a_file_that_no_rule_is_for(self, folder: Path, file: str) -> None:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("data: {ca-key.pem: eA==}\n")

        with pytest.raises(subprocess.CalledProcessError) as refused:
            self.run(folder, "--encrypt", file)
        assert b"no matching creation rules" in refused.value.stderr

    def test_rules_of_a_cluster_without_recipients(self) -> None:
        with pytest.raises(SealError, match="there is no age recipient"):
            rules({"hub": ()}, "sealed")

    def test_recipients_of_every_service_have_their_rule(self) -> None:
        made = rules({"hub": (*RECIPIENTS, *OTHERS)}, "sealed")

        rule = yaml.safe_load(made)["creation_rules"][0]
        assert {rule[key] for key in ("pgp", "kms", "gcp_kms", "azure_keyvault", "hc_vault_transit_uri")} == {*OTHERS}
        assert recipients_in(made) == {"hub": {*RECIPIENTS, *OTHERS}}
        assert "age" not in yaml.safe_load(rules({"hub": OTHERS}, "sealed"))["creation_rules"][0]

    def test_sealed_files_beside_mesh_yaml(self) -> None:
        found = yaml.safe_load(rules({"hub": RECIPIENTS}, "."))["creation_rules"]

        assert [rule["path_regex"] for rule in found] == [r"^hub/cacerts\.yaml$", "^hub/remote-secret-.*$"]


def private(authority: Authority) -> RSAPrivateKey:
    assert isinstance(authority.key, RSAPrivateKey)
    return authority.key


class TestSealedSecrets:
    @both
    @pytest.mark.parametrize("scope", ["strict", "namespace-wide", "cluster-wide"])
    def test_the_controller_unseals_it(self, tmp_path: Path, plain: Plain, scope: Scope) -> None:
        rendered = yaml.safe_load(
            kustomized(tmp_path, write(sealed_secrets.seal(plain, replace(TARGET, scope=scope), NOW)))
        )

        unsealed = unseal(rendered, private(CONTROLLER))

        switch = {} if scope == "strict" else {f"sealedsecrets.bitnami.com/{scope}": "true"}
        assert unsealed["data"] == values(plain)
        assert unsealed["type"] == "Opaque"
        assert unsealed["metadata"].get("labels", {}) == plain.labels
        assert unsealed["metadata"].get("annotations", {}) == {**plain.annotations, **switch}
        assert rendered["metadata"].get("annotations", {}) == switch

    @pytest.mark.parametrize("label", [b"", b"istio-system", b"istio-system/other", b"other/cacerts", b"cacerts"])
    def test_no_other_name_or_namespace_unseals_it(self, label: bytes) -> None:
        text = sealed_secrets.blobs(sealed_secrets.seal(CACERTS, TARGET, NOW))["ca-key.pem"]

        assert unseal_value(text, private(CONTROLLER), b"istio-system/cacerts") == CANARY
        with pytest.raises(ValueError, match="ecryption"):
            unseal_value(text, private(CONTROLLER), label)

    @given(st.binary(min_size=1, max_size=5000))
    @settings(deadline=None, max_examples=30)
    def test_any_value_comes_back(self, value: bytes) -> None:
        body = sealed_secrets.seal(replace(CACERTS, hidden={"ca-key.pem": Hidden(value)}), TARGET, NOW)

        assert unseal(dict(body), private(CONTROLLER))["data"]["ca-key.pem"] == value

    @pytest.mark.parametrize(
        ("certificate", "message"),
        [
            (ROOT.cert_pem, "isn't RSA of 2048 bits or more"),
            (make_root(key="RSA-1024").cert_pem, "isn't RSA of 2048 bits or more"),
            (CONTROLLER.cert_pem * 2, "has 2 certificates"),
            (CONTROLLER.cert_pem + CONTROLLER.key_pem, "isn't a PEM file with only a certificate"),
            (CANARY, "isn't a PEM file with only a certificate"),
            (CONTROLLER.cert.public_bytes(Encoding.DER), "isn't a PEM file with only a certificate"),
            (make_root(key="RSA-2048", end=datetime(2026, 11, 21, tzinfo=UTC)).cert_pem, "expired on 2026-11-21"),
        ],
        ids=["EC", "short", "two", "with its key", "no PEM", "DER", "expired"],
    )
    def test_what_is_no_sealing_certificate(self, certificate: bytes, message: str) -> None:
        with pytest.raises(SealError, match=message) as refused:
            sealed_secrets.seal(CACERTS, Target(certificate=certificate), NOW)

        assert CANARY.decode() not in "".join(traceback.format_exception(refused.value))


class TestExternalSecrets:
    def test_cacerts_are_merged_and_stay(self) -> None:
        body = external_secrets.seal(CACERTS, TARGET, NOW)

        assert body["spec"] == {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "mesh-vault"},
            "target": {
                "name": "cacerts",
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain",
                "template": {
                    "engineVersion": "v2",
                    "mergePolicy": "Merge",
                    "data": {key: value.decode() for key, value in CERTIFICATES.items()},
                },
            },
            "data": [{"secretKey": "ca-key.pem", "remoteRef": {"key": "mesh/prod/hub", "property": "ca-key.pem"}}],
        }
        assert external_secrets.blobs(body) == {}

    def test_a_remote_secret_goes_with_the_stores(self) -> None:
        target = external_secrets.seal(REMOTE, TARGET, NOW)["spec"]["target"]

        assert target["deletionPolicy"] == "Delete"
        assert target["template"]["metadata"] == {"labels": LABELS, "annotations": ANNOTATIONS}
        assert "data" not in target["template"]

    def test_values_need_not_be_known(self) -> None:
        unknown = replace(CACERTS, hidden={"ca-key.pem": Hidden(b"")})

        assert external_secrets.seal(unknown, TARGET, NOW) == external_secrets.seal(CACERTS, TARGET, NOW)

    @pytest.mark.parametrize(
        ("store", "message"),
        [
            (replace(STORE, kind="Secret"), "kind isn't SecretStore or ClusterSecretStore"),
            (replace(STORE, name="Mesh_Vault"), "name isn't valid in Kubernetes"),
            (replace(STORE, name=""), "name isn't valid in Kubernetes"),
            (replace(STORE, key=""), "path in the store"),
            (replace(STORE, key="a b"), "path in the store"),
            (replace(STORE, key="a/{{ .x }}"), "path in the store"),
            (replace(STORE, key="a/{{.x}}"), "path in the store"),
        ],
    )
    def test_what_is_no_store(self, store: Store, message: str) -> None:
        with pytest.raises(SealError, match=message):
            external_secrets.seal(CACERTS, Target(store=store), NOW)
