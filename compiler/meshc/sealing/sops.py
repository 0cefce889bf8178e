"""A Secret encrypted by sops: values are ENC strings, except certificates, which may stay readable.

`sops_file` encrypts and decrypts; it is imported when something is sealed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import at
from meshc.sealedtext import decoded, is_encrypted, recipients_in, service_of, sops_faults
from meshc.sealing.contract import SealError, Standing, Target
from meshc.sealing.sealed import (
    check_annotations,
    check_identity,
    check_keys,
    check_labels,
    check_public,
)
from meshc.yamltext.write import in_order

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from meshc.errors import Problem
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan, Sealing
    from meshc.plan.needs import SecretNeed
    from meshc.sealing.contract import Plain
    from meshc.yamltext.document import Document

KIND, OPERATOR, ADDS = "Secret", "", False
PUBLIC: tuple[str, ...] = ("data",)
_FIELDS = {"apiVersion", "kind", "metadata", "type", "immutable", "data", "stringData", "sops"}


def check(need: SecretNeed, document: Document, public: Mapping[str, bytes]) -> Iterable[Problem]:
    """Checks form, identity and every value. The recipients are checked elsewhere (`proofs`)."""
    data, clusters = document.data, (need.cluster,)
    yield from check_identity(need, document)
    yield from check_labels(need, document)
    yield from check_annotations(need, document)
    if data.get("apiVersion") != "v1":
        what = f"{need.kind}: a Secret has apiVersion v1"
        yield codes.SEALED_UNREADABLE.at(
            document.place(("apiVersion",)), what, "write apiVersion: v1", clusters=clusters
        )
    for field in sorted(data.keys() - _FIELDS):
        what = f'{need.kind}: "{field}" isn\'t a field of a Secret'
        yield codes.SEALED_UNREADABLE.at(
            document.key_place((field,)), what, "remove it and seal the Secret again", clusters=clusters
        )
    if "stringData" in data:
        what = f"{need.kind}: stringData would become the value unchanged"
        hint = "move it to data, base64-encoded, and seal again"
        yield codes.STRING_DATA.at(document.key_place(("stringData",)), what, hint, clusters=clusters)
    values = data.get("data")
    if isinstance(values, dict):
        yield from check_keys(need, document, ("data",), {key: ("data", key) for key in values})
    elif "stringData" not in data:
        what = f"{need.kind}: data is missing"
        hint = f"seal it again with {', '.join(sorted((*need.keys, *need.public)))}"
        yield codes.SEALED_KEYS.at(document.place(("data",)), what, hint, clusters=clusters)
    if not is_encrypted(at(data, "sops", "mac")):
        what = f"{need.kind}: there is no sops block with a mac, so nothing here is encrypted"
        hint = "encrypt it with sops, and replace the key or token: anyone may have read what was committed"
        yield codes.NOT_SEALED.at(document.place(()), what, hint, clusters=clusters)
    elif isinstance(values, dict):
        yield from _unopenable(need, document)
        for key, value in values.items():
            if not is_encrypted(value):
                yield from check_public(need, document, ("data", key), decoded(value), public)
        yield from _mac(need, document, values)


def _unopenable(need: SecretNeed, document: Document) -> Iterable[Problem]:
    """Reports why nobody could decrypt a file with this sops block."""
    for path, fault in sops_faults(document.data["sops"]):
        place = document.place(("sops", *path))
        yield codes.NOT_SEALED.at(place, f"{need.kind}: {fault}", "seal it again", clusters=(need.cluster,))


def _mac(need: SecretNeed, document: Document, values: Mapping[str, Any]) -> Iterable[Problem]:
    """Checks that the MAC doesn't depend on the order of keys, because kustomize sorts keys."""
    hidden = [key for key, value in values.items() if is_encrypted(value)]
    only = at(document.data, "sops", "mac_only_encrypted") is True
    if only and hidden == in_order(hidden):
        return
    why = "depends on the order of values, which kustomize sorts" if only else "covers the whole file"
    what = f"{need.kind}: the sops MAC {why}, so sops --decrypt refuses what is rendered"
    hint = "encrypt one value only, with --mac-only-encrypted; Flux, which checks no MAC, decrypts it anyway"
    place = document.place(("sops", "mac"))
    yield codes.FRAGILE_MAC.at(place, what, hint, clusters=(need.cluster,))


def blobs(body: Body) -> Mapping[str, str]:
    """Each encrypted value. If a certificate is encrypted too, its ciphertext is included."""
    return {key: value for key, value in body["data"].items() if is_encrypted(value)}


def recipients(body: Body) -> tuple[str, ...]:
    """The recipients in its sops block; for a key without a description only the name of the service."""
    return recipients_in(body["sops"])


def standing(need: SecretNeed, body: Body, certificate: bytes | None) -> Standing:
    """Stale, if the file has other recipients than mesh.yaml."""
    named = recipients_in(at(body, "sops"))
    if not is_encrypted(at(body, "sops", "mac")):
        return Standing("not sealed", named)
    return Standing("stale: recipients" if need.recipients and {*named} != {*need.recipients} else "sealed", named)


def readers(body: Body) -> set[str]:
    """The recipients of a file that meshc can open; for any other file, nobody."""
    from meshc.sealing.sops_file import recipients_of

    try:
        return {*recipients_of(body)}
    except SealError:
        return set()


def wanted_readers(sealing: Sealing, certificate: bytes | None) -> set[str]:
    """All of mesh.yaml's recipients for the cluster."""
    return {*sealing.recipients}


def target(plan: Plan, cluster: ClusterPlan, secret: str, certificate: bytes | None) -> Target:
    """The age recipients of the cluster."""
    sealing = cluster.sealing
    if sealing.others and not sealing.age:
        option = _OPTIONS[service_of(sealing.others[0])]
        regex = {"cacerts": r"^ca-key\.pem$"}.get(secret, "^data$")
        file = secret.removeprefix("istio-") if secret.startswith("istio-remote-") else secret
        path = f"{plan.sealed}/{cluster.name}/{file}.yaml"
        raise SealError(
            f"{cluster.name}: meshc seals only for age recipients, but mesh.yaml names only keys of other services",
            f"name an age recipient too, or seal with sops: sops encrypt {option} {sealing.others[0]} "
            f"--encrypted-regex '{regex}' --mac-only-encrypted --filename-override {path} SECRET > {path}",
        )
    if not sealing.recipients:
        raise SealError(
            f"{cluster.name}: there is no age recipient to seal for",
            "age-keygen makes a key; its public part goes under security: {secrets: {recipients: [age1...]}}",
        )
    return Target(recipients=sealing.age)


_OPTIONS = {
    "pgp": "--pgp",
    "kms": "--kms",
    "gcp_kms": "--gcp-kms",
    "azure_kv": "--azure-kv",
    "hc_vault": "--hc-vault-transit",
}
"""The option of sops for the keys of each service."""


def seal(plain: Plain, target: Target, now: datetime) -> Body:
    """A Secret whose hidden values are encrypted: `sops_file.seal`."""
    from meshc.sealing.sops_file import seal as encrypted

    return encrypted(plain, target, now)


def with_values_of(before: Body, keys: Collection[str], body: Body, target: Target) -> Body:
    """Never possible: all values of a file have one data key and one MAC."""
    del before, body, target
    raise SealError(f"{', '.join(sorted(keys))} can't be kept in a sops file without decrypting it")


def noted(body: Body, target: Target) -> Mapping[str, str]:
    """Digests of the recipients and of the sops block."""
    from meshc.trust import proofs

    return {
        proofs.RECIPIENTS: proofs.of_recipients(target.recipients),
        proofs.ENVELOPE: proofs.of_envelope(body["sops"]),
    }


def left_to_do(cluster: ClusterPlan, files: str) -> str:
    """What you must do with sops: only sops can add keys of other services."""
    if not cluster.sealing.others:
        return ""
    names = ", ".join(cluster.sealing.others)
    return f"{cluster.name}: not sealed for {names} yet: sops updatekeys {files}, then meshc secrets rewrap"
