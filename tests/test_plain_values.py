"""What counts as a secret in plain text, and what doesn't: by the scan, by the hook, and among resources."""

from __future__ import annotations

import base64
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meshc.cli.main import app
from support.user_objects import AGE, ENCRYPTED, MAC, SEALED

BLOCK = f'sops: {{age: [{{recipient: age1x, enc: "{AGE}"}}], mac: "{MAC}", lastmodified: "2026-01-01T00:00:00Z"}}'
ZEROS = "A" * 43 + "="


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(values: str, more: str = BLOCK) -> str:
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: shop}}\n{values}\n{more}\n"


def sealed(spec: str) -> str:
    return f"""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {{name: a, namespace: shop}}
spec: {spec}
"""


def external(data: str) -> str:
    return f"""\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {{name: a, namespace: shop}}
spec: {{secretStoreRef: {{name: a}}, target: {{template: {{data: {data}}}}}, data: []}}
"""


FINE = {
    "sops in stringData, as Flux documents it": secret(f'stringData: {{password: "{ENCRYPTED}"}}'),
    "sops with an empty value": secret(f'data: {{a: "{ENCRYPTED}", b: ""}}'),
    "sops with a number in stringData": secret(f'stringData: {{port: "{ENCRYPTED.replace("type:str", "type:int")}"}}'),
    "a variable of Flux": secret("stringData: {password: '${PASSWORD}'}", ""),
    "a variable with an empty default": secret("stringData: {password: '${PASSWORD:-}'}", ""),
    "a variable in base64": secret(f"data: {{password: {b64('${PASSWORD}')}}}", ""),
    "a reference of 1Password": secret("stringData: {password: 'op://vault/item'}", ""),
    "a reference of 1Password to a field": secret("stringData: {password: 'op://vault/item/field'}", ""),
    "a path of the Argo CD Vault Plugin": secret("stringData: {password: '<path:secret/data/shop#password>'}", ""),
    "no value at all": secret("type: Opaque", ""),
    "a SealedSecret": sealed(f"{{encryptedData: {{a: {SEALED}}}}}"),
    "a SealedSecret with a template": sealed(
        f"{{encryptedData: {{a: {SEALED}}}, template: {{data: {{url: 'https://a:{{{{ .a }}}}@b'}}}}}}"
    ),
    "an ExternalSecret with settings": external("{type: git, url: 'https://git.example.com', password: '{{ .a }}'}"),
}
PLAIN = {
    "stringData": secret("stringData: {password: hunter22}", ""),
    "another spelling of the version": secret("stringData: {password: hunter22}", "").replace(": v1", ": /v1"),
    "a Secret in another object": "apiVersion: example.com/v1\nkind: Object\nmetadata: {name: a}\nspec: {manifest: "
    "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {password: hunter22}}}\n",
    "stringData beside sops": secret(f'data: {{a: "{ENCRYPTED}"}}\nstringData: {{password: hunter22}}'),
    "one value beside sops": secret(f'data: {{a: "{ENCRYPTED}", b: {b64("hunter22")}}}'),
    "a variable with a default": secret("stringData: {password: '${PASSWORD:=hunter22}'}", ""),
    "text behind a variable": secret("stringData: {password: '${USER}hunter22'}", ""),
    "no sops block": secret(f'data: {{a: "{ENCRYPTED}"}}', ""),
    "a mac of another length": secret(
        f'data: {{a: "{ENCRYPTED}"}}', f'sops: {{age: [{{recipient: a, enc: "{AGE}"}}], mac: "{ENCRYPTED}"}}'
    ),
    "a mac and no recipient": secret(f'data: {{a: "{ENCRYPTED}"}}', f'sops: {{mac: "{MAC}"}}'),
    "a recipient without a file": secret(
        f'data: {{a: "{ENCRYPTED}"}}', f'sops: {{age: [{{recipient: a, enc: x}}], mac: "{MAC}"}}'
    ),
    "text in the place of a ciphertext": secret(
        f'data: {{a: "ENC[AES256_GCM,data:{b64("a password of some length")},iv:{ZEROS},tag:{"A" * 22}==,type:str]"}}'
    ),
    "a nonce of another length": secret(f'data: {{a: "{ENCRYPTED.replace("iv:////", "iv:")}"}}'),
    "a tag of another length": secret(f'data: {{a: "{ENCRYPTED.replace("tag:////", "tag:")}"}}'),
    "only the letters ENC": secret("data: {a: 'ENC[hunter22]'}"),
    "a SealedSecret with a plain value": sealed(
        f"{{encryptedData: {{a: {SEALED}}}, template: {{data: {{b: hunter22}}}}}}"
    ),
    "a SealedSecret with plain stringData": sealed(
        f"{{encryptedData: {{a: {SEALED}}}, template: {{stringData: {{b: hunter22}}}}}}"
    ),
    "a SealedSecret that isn't sealed": sealed(f"{{encryptedData: {{a: {b64('hunter22')}}}}}"),
    "an ExternalSecret with a password": external("{password: hunter22}"),
    "an ExternalSecret with a token": external("{api-token: hunter22}"),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    return tmp_path


def commands(here: Path, text: str) -> dict[str, int]:
    """The exit code of the scan of a file, and of a validate of a mesh with the file among its resources."""
    (here / "extra.yaml").write_text(text)
    (here / "mesh.yaml").write_text(
        textwrap.dedent("""\
            apiVersion: meshc/v1alpha1
            kind: Mesh
            metadata: {name: shop}
            spec:
              istio: {version: 1.29.6}
              security: {mutualTLS: strict, ca: {type: self-signed}}
              clusters: [{name: hub, role: primary, kubernetesVersion: "1.34", resources: [extra.yaml]}]
            """)
    )
    run = CliRunner()
    return {words: run.invoke(app, words.split()).exit_code for words in ("secrets scan extra.yaml", "validate")}


@pytest.mark.parametrize("name", FINE)
def test_what_is_closed_is_no_alarm(here: Path, name: str) -> None:
    assert commands(here, FINE[name]) == {"secrets scan extra.yaml": 0, "validate": 0}


@pytest.mark.parametrize("name", PLAIN)
def test_what_anyone_can_read_is_refused(here: Path, name: str) -> None:
    assert commands(here, PLAIN[name]) == {"secrets scan extra.yaml": 5, "validate": 5}
