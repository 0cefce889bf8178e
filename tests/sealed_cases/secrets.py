"""Cases with sealed files, right and wrong, as people and other tools make them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from sealed_cases.making import (
    JWT,
    Object,
    at_hub,
    base64_of,
    case,
    certificates,
    dump,
    edited,
    external_secret,
    public,
    public_key,
    remote,
    sealed_secret,
    sops,
)
from support.chance import source
from support.sealing import CA_KEY, WHOLE_DATA, cacerts, remote_secret, seal
from support.throwaway import Authority, make_root, pem


@case
def sealed_by_sops() -> Mapping[str, bytes]:
    root = make_root()
    hub = root.issue("hub")
    files = certificates(root, hub=hub) | at_hub(edge_1=sops(remote("edge-1")))
    return files | {"sealed/hub/cacerts.yaml": sops(cacerts(hub, root), CA_KEY)}


@case
def sealed_by_sealed_secrets() -> Mapping[str, bytes]:
    root = make_root()
    hub = root.issue("hub")
    files = certificates(root, hub=hub) | at_hub(edge_1=dump(sealed_secret(remote("edge-1"))))
    return files | {"sealed/hub/cacerts.yaml": dump(sealed_secret(cacerts(hub, root), public(hub, root)))}


@case
def sealed_by_external_secrets() -> Mapping[str, bytes]:
    root = make_root()
    hub = root.issue("hub")
    files = certificates(root, hub=hub) | at_hub(edge_1=dump(external_secret(remote("edge-1"))))
    return files | {"sealed/hub/cacerts.yaml": dump(external_secret(cacerts(hub, root), public(hub, root)))}


@case
def sealed_in_classic() -> Mapping[str, bytes]:
    root = make_root(key="RSA-2048")
    hub, edge = root.issue("hub", key="RSA-2048"), root.issue("edge-1", key="RSA-2048")
    plain = remote_secret("edge-1", "https://edge-1.example:6443", classic=True)
    return {
        **certificates(root, hub=hub, edge_1=edge),
        **at_hub(edge_1=sops(plain)),
        "sealed/hub/cacerts.yaml": sops(cacerts(hub, root), CA_KEY),
        "sealed/edge-1/cacerts.yaml": dump(sealed_secret(cacerts(edge, root), public(edge, root))),
    }


@case
def cacerts_missing() -> Mapping[str, bytes]:
    root = make_root()
    return certificates(root, hub=root.issue("hub"))


@case
def cacerts_of_a_remote_istiod_may_be_missing() -> Mapping[str, bytes]:
    root = make_root()
    hub, edge = root.issue("hub"), root.issue("edge-1")
    sealed = {"sealed/hub/cacerts.yaml": sops(cacerts(hub, root), CA_KEY)}
    return certificates(root, hub=hub, edge_1=edge) | sealed


@case
def remote_secret_of_the_primary_itself() -> Mapping[str, bytes]:
    return at_hub(hub=sops(remote("hub")), edge_1=sops(remote("edge-1")))


@case
def sealed_file_of_a_removed_cluster() -> Mapping[str, bytes]:
    gone = sops(remote("edge-9"))
    return {
        **at_hub(edge_9=gone),
        "sealed/hub/remote-secret-edge-1.yml": sops(remote("edge-1")),
        "sealed/edge-1/remote-secret-edge-1.yaml": sops(remote("edge-1")),
        "sealed/hub/cacerts.yaml": gone,
    }


@case
def plain_text_in_a_file_that_nothing_places() -> Mapping[str, bytes]:
    token = remote("edge-9")
    token["data"] = {"edge-9": base64_of(f"token: {JWT}")}
    return at_hub(edge_9=dump(token), edge_8=dump(remote("edge-8")))


@case
def sealed_file_that_is_no_sealed_secret() -> Mapping[str, bytes]:
    one, wrong = sops(remote("edge-1")), "not-a-mapping"
    return at_hub(
        edge_1=one + b"---\n" + one,
        edge_2=b"# to be sealed\n",
        edge_3=b"- apiVersion: v1\n  kind: Secret\n",
        edge_4=dump(remote("edge-4") | {"kind": "ConfigMap"}),
        edge_5=edited(sops(remote("edge-5")), lambda body: body.update(apiVersion="v2", spec={})),
        edge_6=dump(sealed_secret(remote("edge-6")) | {"apiVersion": "bitnami.com/v1", "data": {}}),
        edge_7=dump(external_secret(remote("edge-7")) | {"apiVersion": "external-secrets.io/v1beta1"}),
        edge_8=edited(sops(remote("edge-8")), lambda body: body["metadata"].update(annotations=["a", "b"])),
        edge_9=edited(sops(remote("edge-9")), lambda body: body.update(metadata=wrong)),
        edge_10=edited(dump(external_secret(remote("edge-10"))), lambda body: body["spec"].update(data=wrong)),
        edge_11=b"kind: [Secret\n",
    )


@case
def sealed_under_a_wrong_name() -> Mapping[str, bytes]:
    strict = sealed_secret(remote("edge-3"))
    strict["spec"]["template"]["metadata"]["namespace"] = "default"
    target = external_secret(remote("edge-4"))
    target["spec"]["target"]["name"] = "edge-4"
    untargeted = external_secret(remote("edge-5"))
    del untargeted["spec"]["target"]["name"]
    untargeted["metadata"]["name"] = "edge-5"
    return at_hub(
        edge_1=sops(remote("edge-1", name="edge-1")),
        edge_2=sops(remote("edge-2", namespace="default")),
        edge_3=dump(strict),
        edge_4=dump(target),
        edge_5=dump(untargeted),
        edge_6=edited(sops(remote("edge-6")), lambda body: body["metadata"].pop("namespace")),
    )


@case
def sealed_with_wrong_keys() -> Mapping[str, bytes]:
    config, two, none, replaced = remote("edge-1"), remote("edge-2"), remote("edge-3"), remote("edge-5")
    config["data"] = {"config": config["data"]["edge-1"]}
    two["data"]["note"] = base64_of("kept for later")
    blob = sealed_secret(none)
    blob["spec"]["data"] = blob["spec"].pop("encryptedData")["edge-3"]
    by_name = external_secret(remote("edge-4"))
    by_name["spec"]["data"][0]["secretKey"] = "kubeconfig"
    merge = external_secret(replaced)
    del merge["spec"]["target"]["template"]["mergePolicy"]
    root = make_root()
    merge["spec"]["target"]["template"]["data"] = {"root-cert.pem": root.cert_pem.decode()}
    return at_hub(
        edge_1=sops(config),
        edge_2=sops(two),
        edge_3=dump(blob),
        edge_4=dump(by_name),
        edge_5=dump(merge),
        edge_6=edited(sops(remote("edge-6")), lambda body: body.pop("data")),
    )


@case
def remote_secret_without_label() -> Mapping[str, bytes]:
    outside = sealed_secret(remote("edge-3"))
    outside["metadata"]["labels"] = outside["spec"]["template"]["metadata"].pop("labels")
    return at_hub(
        edge_1=sops(remote("edge-1", labels=None)),
        edge_2=sops(remote("edge-2", annotations={"networking.istio.io/cluster": "edge-1"})),
        edge_3=dump(outside),
        edge_4=dump(external_secret(remote("edge-4", labels={"istio/multiCluster": "false"}, annotations=None))),
    )


@case
def remote_secret_in_plain_text() -> Mapping[str, bytes]:
    token = remote("edge-1")
    token["data"] = {"edge-1": base64_of(json.dumps({"users": [{"user": {"token": JWT}}]}))}
    readable = sealed_secret(remote("edge-4"))
    readable["spec"]["encryptedData"]["edge-4"] = base64_of("kind: Config")
    both = sealed_secret(remote("edge-5"))
    both["spec"]["template"]["data"] = {"edge-5": "kind: Config"}
    fetched = external_secret(remote("edge-6"))
    fetched["spec"]["target"]["template"]["data"] = {"edge-6": "kind: Config"}
    last = {"kubectl.kubernetes.io/last-applied-configuration": '{"data":{"edge-7":"a2luZDogQ29uZmln"}}'}
    kept = remote("edge-7")
    kept["metadata"]["annotations"] |= last
    return at_hub(
        edge_1=dump(token),
        edge_2=sops(remote("edge-2"), "^nothing-of-that-name$"),
        edge_3=edited(
            sops(remote("edge-3")),
            lambda body: body["data"].update({"edge-3": "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]"}),
        ),
        edge_4=dump(readable),
        edge_5=dump(both),
        edge_6=dump(fetched),
        edge_7=sops(kept),
        edge_8=edited(sops(remote("edge-8")), lambda body: body["data"].update({"edge-8": 7})),
    )


@case
def remote_secret_in_string_data() -> Mapping[str, bytes]:
    istioctls = remote("edge-1")
    istioctls["stringData"] = {key: base64.b64decode(value).decode() for key, value in istioctls.pop("data").items()}
    template = sealed_secret(remote("edge-2"))
    template["spec"]["template"]["stringData"] = {"note": "kept for later"}
    return at_hub(edge_1=sops(istioctls, "^stringData$"), edge_2=dump(template))


@case
def remote_secret_without_a_sops_block() -> Mapping[str, bytes]:
    sealed = sops(remote("edge-1"))
    return at_hub(
        edge_1=edited(sealed, lambda body: body.pop("sops")),
        edge_2=dump(remote("edge-2")),
        edge_3=edited(sops(remote("edge-3")), lambda body: body["sops"].pop("mac")),
    )


@case
def annotation_switches_protection_off() -> Mapping[str, bytes]:
    def with_annotation(cluster: str, key: str, value: str) -> Object:
        made = remote(cluster)
        made["metadata"]["annotations"][key] = value
        return made

    wide = sealed_secret(remote("edge-2"))
    wide["metadata"]["annotations"] = {"sealedsecrets.bitnami.com/cluster-wide": "true"}
    templated = sealed_secret(with_annotation("edge-3", "sealedsecrets.bitnami.com/cluster-wide", "true"))
    own = sops(
        remote(
            "tool",
            name="tool",
            namespace="shop",
            annotations={"kustomize.toolkit.fluxcd.io/decrypt": "Disabled"},
        )
    )
    return {
        **at_hub(
            edge_1=sops(with_annotation("edge-1", "kustomize.toolkit.fluxcd.io/decrypt", "Disabled")),
            edge_2=dump(wide),
            edge_3=dump(templated),
            edge_4=dump(external_secret(with_annotation("edge-4", "kustomize.toolkit.fluxcd.io/ssa", "Ignore"))),
            edge_5=sops(with_annotation("edge-5", "argocd.argoproj.io/sync-options", "Prune=false")),
            edge_6=sops(remote("edge-6")),
        ),
        "extra/tool.yaml": own,
    }


@case
def patch_of_a_sealed_secret() -> Mapping[str, bytes]:
    return at_hub(edge_1=sops(remote("edge-1")), edge_2=dump(sealed_secret(remote("edge-2"))))


@case
def template_text_in_a_sealed_file() -> Mapping[str, bytes]:
    read = external_secret(remote("edge-1", labels={"istio/multiCluster": "true", "owner": '{{ env "HOME" }}'}))
    listed = external_secret(remote("edge-2"))
    listed["spec"]["target"]["template"]["templateFrom"] = [{"literal": "{{ .token }}"}]
    template = sealed_secret(remote("edge-3"))
    template["spec"]["template"]["metadata"]["annotations"]["note"] = "{{ index . 0 }}"
    return at_hub(edge_1=dump(read), edge_2=dump(listed), edge_3=dump(template))


@case
def sops_mac_over_the_whole_file() -> Mapping[str, bytes]:
    root = make_root()
    hub = root.issue("hub")
    plain = cacerts(hub, root)
    unsorted = dict(sorted(plain["data"].items(), reverse=True))
    two = edited(
        sops(plain, r"^(ca-key|cert-chain)\.pem$"),
        lambda body: body.update(data={k: body["data"][k] for k in unsorted}),
    )
    return {
        **certificates(root, hub=hub),
        **at_hub(edge_1=seal(remote("edge-1"), WHOLE_DATA, "--verbose"), edge_2=sops(remote("edge-2"))),
        "sealed/hub/cacerts.yaml": two,
    }


@case
def sealed_certificates_differ_from_the_folder() -> Mapping[str, bytes]:
    root, old = make_root(), make_root()
    hub, edge = root.issue("hub"), root.issue("edge-1")
    renewed = root.issue("hub")
    return {
        **certificates(root, hub=renewed, edge_1=edge),
        "sealed/hub/cacerts.yaml": sops(cacerts(hub, root), CA_KEY),
        "sealed/edge-1/cacerts.yaml": dump(sealed_secret(cacerts(edge, old), public(edge, old))),
    }


@case
def secret_in_plain_text_in_users_files() -> Mapping[str, bytes]:
    key = make_root().key_pem.decode()
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tls", "namespace": "shop"}}
    wrapped = base64.encodebytes(b"certificate first\n" + key.encode()).decode()
    fake = sops(remote("edge-1", name="fake", namespace="shop"))
    text: Object = remote("edge-1", name="text", namespace="shop") | {
        "data": {},
        "stringData": {"password": "hunter2"},
    }
    token = {"kind": "any", "metadata": {"name": "any", "annotations": {"note": f"Bearer {JWT}"}}}
    return {
        "extra/a-config-map.yaml": dump(config | {"data": {"tls.key": base64_of(key)}}),
        "extra/b-wrapped.yaml": dump(
            config | {"metadata": {"name": "wrapped", "namespace": "shop"}, "binaryData": {"x": wrapped}}
        ),
        "extra/c-secret.yaml": dump(remote("edge-1", name="plain", namespace="shop")),
        "extra/d-string-data.yaml": dump({"apiVersion": "v1", "kind": "List", "items": [text]}),
        "extra/e-fake.yaml": edited(fake, lambda body: body.pop("sops")),
        "extra/f-sealed.yaml": sops(remote("edge-1", name="good", namespace="shop")),
        "built/kustomization.yaml": b"configMapGenerator: [{name: x, files: [key.txt]}]\n",
        "built/key.txt": key.encode(),
        "patches/token.yaml": dump(token),
        "apps/shop.yaml": dump(config | {"data": {"age": "AGE-SECRET-KEY-1" + "Q" * 58}}),
    }


@case
def remote_secret_of_hub2_in_hub() -> Mapping[str, bytes]:
    return at_hub(hub2=sops(remote("hub2")), edge_1=sops(remote("edge-1")))


@case
def sealed_file_of_a_cluster_that_stays() -> Mapping[str, bytes]:
    return at_hub(edge_9=sops(remote("edge-9")), edge_1=sops(remote("edge-1")))


@case
def two_sealed_secrets_in_one_file() -> Mapping[str, bytes]:
    one = sops(remote("edge-1"))
    return at_hub(edge_1=one + b"---\n" + one)


@case
def one_sealed_secret_between_document_marks() -> Mapping[str, bytes]:
    return at_hub(edge_1=b"---\n# sealed by hand\n" + sops(remote("edge-1")) + b"...\n")


@case
def sealed_under_names_that_come_out_right() -> Mapping[str, bytes]:
    unnamed = sealed_secret(remote("edge-3"))
    del unnamed["spec"]["template"]["metadata"]["name"], unnamed["spec"]["template"]["metadata"]["namespace"]
    renamed, untargeted = external_secret(remote("edge-4")), external_secret(remote("edge-5"))
    renamed["metadata"]["name"] = "edge-4"
    del untargeted["spec"]["target"]["name"]
    return at_hub(
        edge_1=sops(remote("edge-1")),
        edge_2=sops(remote("edge-2")),
        edge_3=dump(unnamed),
        edge_4=dump(renamed),
        edge_5=dump(untargeted),
        edge_6=sops(remote("edge-6")),
    )


@case
def sealed_with_exactly_the_keys() -> Mapping[str, bytes]:
    fetched = external_secret(remote("edge-5"))
    fetched["spec"]["dataFrom"] = [{"extract": {"key": "mesh/edge-5"}}]
    del fetched["spec"]["data"]
    return at_hub(
        edge_1=sops(remote("edge-1")),
        edge_2=sops(remote("edge-2")),
        edge_3=dump(sealed_secret(remote("edge-3"))),
        edge_4=dump(external_secret(remote("edge-4"))),
        edge_5=dump(fetched),
        edge_6=sops(remote("edge-6")),
    )


@case
def remote_secret_with_label_and_annotation() -> Mapping[str, bytes]:
    one, apart = remote("edge-1"), sealed_secret(remote("edge-3"))
    one["metadata"]["labels"]["team"] = "mesh"
    apart["metadata"]["labels"] = {"istio/multiCluster": "false"}  # the template alone makes the Secret
    return at_hub(
        edge_1=sops(one),
        edge_2=sops(remote("edge-2")),
        edge_3=dump(apart),
        edge_4=dump(external_secret(remote("edge-4"))),
    )


@case
def remote_secret_sealed_just_so() -> Mapping[str, bytes]:
    shortest = sealed_secret(remote("edge-4"))
    wrapped = (256).to_bytes(2, "big") + source().randbytes(256 + 17)
    shortest["spec"]["encryptedData"]["edge-4"] = base64.b64encode(wrapped).decode()
    noted = remote("edge-7")
    noted["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied"] = "today"
    return at_hub(
        edge_1=sops(remote("edge-1")),
        edge_2=sops(remote("edge-2"), "^edge-2$"),
        edge_3=sops(remote("edge-3")),
        edge_4=dump(shortest),
        edge_5=dump(sealed_secret(remote("edge-5"))),
        edge_6=dump(external_secret(remote("edge-6"))),
        edge_7=sops(noted),
        edge_8=sops(remote("edge-8")),
    )


@case
def remote_secret_in_data() -> Mapping[str, bytes]:
    return at_hub(edge_1=sops(remote("edge-1")), edge_2=dump(sealed_secret(remote("edge-2"))))


@case
def remote_secret_with_a_sops_block() -> Mapping[str, bytes]:
    return at_hub(**{f"edge_{number}": sops(remote(f"edge-{number}")) for number in (1, 2, 3)})


@case
def braces_that_are_no_template() -> Mapping[str, bytes]:
    one, three = external_secret(remote("edge-1")), sealed_secret(remote("edge-3"))
    one["spec"]["target"]["template"]["metadata"]["annotations"]["owner"] = '{ env "HOME" }}'
    three["spec"]["template"]["metadata"]["annotations"]["note"] = "{ { index . 0 } }"
    return at_hub(edge_1=dump(one), edge_2=dump(external_secret(remote("edge-2"))), edge_3=dump(three))


@case
def annotations_that_switch_nothing_off() -> Mapping[str, bytes]:
    def with_annotation(cluster: str, key: str, value: str) -> Object:
        made = remote(cluster)
        made["metadata"]["annotations"][key] = value
        return made

    root = make_root()
    hub = root.issue("hub")
    own = cacerts(hub, root)
    own["metadata"]["annotations"] = {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"}
    waved = sealed_secret(remote("edge-2"))
    waved["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": "-10"}
    tool = remote("tool", name="tool", namespace="shop", annotations={"team": "shop"})
    return {
        **certificates(root, hub=hub),
        **at_hub(
            edge_1=sops(with_annotation("edge-1", "team", "mesh")),
            edge_2=dump(waved),
            edge_4=dump(external_secret(with_annotation("edge-4", "argocd.argoproj.io/sync-wave", "-10"))),
            edge_6=sops(remote("edge-6")),
        ),
        "sealed/hub/cacerts.yaml": sops(own, CA_KEY),
        "extra/tool.yaml": sops(tool),
    }


@case
def sops_mac_over_values_in_order() -> Mapping[str, bytes]:
    root = make_root()
    hub = root.issue("hub")
    return {
        **certificates(root, hub=hub),
        **at_hub(edge_1=sops(remote("edge-1")), edge_2=sops(remote("edge-2"))),
        "sealed/hub/cacerts.yaml": sops(cacerts(hub, root), r"^(ca-key|cert-chain)\.pem$"),
    }


@case
def sealed_certificates_equal_to_the_folder() -> Mapping[str, bytes]:
    root = make_root()
    hub, edge = root.issue("hub"), root.issue("edge-1")
    return {
        **certificates(root, hub=hub, edge_1=edge),
        "sealed/hub/cacerts.yaml": sops(cacerts(hub, root), CA_KEY),
        "sealed/edge-1/cacerts.yaml": dump(sealed_secret(cacerts(edge, root), public(edge, root))),
    }


@case
def public_parts_in_users_files() -> Mapping[str, bytes]:
    root = make_root()
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tls", "namespace": "shop"}}
    wrapped = base64.encodebytes(root.cert_pem + public_key(root)).decode()
    empty: Object = remote("edge-1", name="plain", namespace="shop") | {"data": {}}
    unlisted: Object = remote("edge-1", name="text", namespace="shop") | {"data": {}, "stringData": {}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "age", "namespace": "shop"}}
    note = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "any", "annotations": {"note": "Bearer eyJ"}}}
    return {
        "extra/a-config-map.yaml": dump(config | {"data": {"tls.crt": base64_of(root.cert_pem.decode())}}),
        "extra/b-wrapped.yaml": dump(
            config | {"metadata": {"name": "wrapped", "namespace": "shop"}, "binaryData": {"x": wrapped}}
        ),
        "extra/c-secret.yaml": dump(empty),
        "extra/d-string-data.yaml": dump({"apiVersion": "v1", "kind": "List", "items": [unlisted]}),
        "extra/f-sealed.yaml": sops(remote("edge-1", name="good", namespace="shop")),
        "built/kustomization.yaml": b"configMapGenerator: [{name: x, files: [key.txt]}]\n",
        "built/key.txt": public_key(root),
        "patches/token.yaml": dump(note),
        "apps/shop.yaml": dump(service | {"spec": {"ports": [{"port": 80}], "selector": {"age": "age1" + "q" * 58}}}),
    }


def tls_secret(authority: Authority, chain: bytes, roots: bytes) -> Object:
    """A cacerts as cert-manager makes it, in plain text."""
    plain = remote("hub", name="cacerts", labels=None)
    values = {"tls.crt": chain, "tls.key": b"the key of " + authority.cert_pem, "ca.crt": roots}
    return plain | {
        "type": "kubernetes.io/tls",
        "data": {key: base64_of(text.decode()) for key, text in values.items()},
    }


@case
def cacerts_as_cert_manager_makes_it() -> Mapping[str, bytes]:
    root = make_root()
    hub, edge = root.issue("hub"), root.issue("edge-1")
    shown = {"tls.crt": edge.cert_pem.decode(), "ca.crt": root.cert_pem.decode()}
    return {
        **certificates(root, hub=hub, edge_1=edge),
        "sealed/hub/cacerts.yaml": sops(
            tls_secret(hub, pem(hub, root), root.cert_pem), r"^tls\.key$", "--mac-only-encrypted"
        ),
        "sealed/edge-1/cacerts.yaml": dump(sealed_secret(tls_secret(edge, edge.cert_pem, root.cert_pem), shown)),
    }


@case
def cacerts_as_cert_manager_makes_it_of_another_ca() -> Mapping[str, bytes]:
    root = make_root()
    hub, edge, other = root.issue("hub"), root.issue("edge-1"), root.issue("other")
    shown = {"tls.crt": other.cert_pem.decode(), "ca.crt": root.cert_pem.decode()}
    mixed = {**shown, "tls.crt": hub.cert_pem.decode(), "root-cert.pem": root.cert_pem.decode()}
    return {
        **certificates(root, hub=hub, edge_1=edge),
        "sealed/hub/cacerts.yaml": dump(sealed_secret(tls_secret(hub, hub.cert_pem, root.cert_pem), mixed)),
        "sealed/edge-1/cacerts.yaml": dump(sealed_secret(tls_secret(edge, edge.cert_pem, root.cert_pem), shown)),
    }


def for_every_service(body: Object) -> None:
    """What a sops block says after sops added keys of other services than age."""
    body["sops"] |= {
        "pgp": [{"fp": "85d77543b3d624b63cea9e6dbc17301b491b3f21", "enc": "x"}],
        "kms": [{"arn": "arn:aws:kms:eu-west-1:111122223333:key/flux", "role": "", "enc": "x"}],
        "gcp_kms": [{"resource_id": "projects/p/locations/global/keyRings/mesh/cryptoKeys/flux", "enc": "x"}],
        "azure_kv": [{"vault_url": "https://m.vault.azure.net", "name": "flux", "version": "0123abcd", "enc": "x"}],
        "hc_vault": [
            {"vault_address": "https://vault.example.com:8200", "engine_path": "sops", "key_name": "flux", "enc": "x"}
        ],
    }


@case
def sealed_for_keys_of_every_service() -> Mapping[str, bytes]:
    sealed = seal(remote("edge-1"), WHOLE_DATA, recipient=READER)
    return at_hub(edge_1=edited(sealed, for_every_service))


@case
def sealed_for_keys_of_other_services() -> Mapping[str, bytes]:
    return at_hub(edge_1=seal(remote("edge-1"), WHOLE_DATA, recipient=READER))


READER = "age15pw8ce0w7htwhec39lay5hz5xktzn6achgwda3ynx86xz7sd697qzyahpj"
