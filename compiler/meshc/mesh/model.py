"""What a person may write in mesh.yaml: shape, words, defaults. The JSON Schema and the docs are made from it, with the
text under each field as its description."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from meshc.disk.matching import pattern_fault
from meshc.kube import LABEL, SUBDOMAIN, Version
from meshc.sealedtext import service_of

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class _Told(AfterValidator):
    """A rule that the JSON Schema tells as well."""

    words: tuple[tuple[str, Any], ...] = ()

    def __get_pydantic_json_schema__(self, core: CoreSchema, make: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**make(core), **dict(self.words)}


def _matching(pattern: re.Pattern[str], rule: str, longest: int) -> AfterValidator:
    def check(text: str) -> str:
        if len(text) > longest or not pattern.fullmatch(text):
            raise PydanticCustomError("bad_name", rule)
        return text

    return _Told(check, (*_told(pattern.pattern, rule), ("maxLength", longest)))


def _told(pattern: str, rule: str) -> tuple[tuple[str, Any], ...]:
    """What editors hear of a pattern: in the words of ECMAScript, which has no \\Z, and the rule in those of people."""
    return ("pattern", f"^(?:{pattern.replace(_END, '$')})$"), ("patternErrorMessage", rule)


_END = r"\Z"


def _shown(pattern: str, rule: str) -> Any:
    """A rule for editors alone, of what a check tells in more words."""
    return Field(json_schema_extra=dict(_told(pattern, rule)))


_NAME_RULE = (
    "must be a DNS-1123 label: lower case letters, digits and -, at most 63, "
    "beginning and ending with a letter or digit"
)
Name = Annotated[
    str,
    _matching(LABEL, _NAME_RULE, 63),
]
Subdomain = Annotated[
    str,
    _matching(
        SUBDOMAIN, "must be a DNS-1123 subdomain: labels of lower case letters, digits and -, joined by dots", 253
    ),
    Field(json_schema_extra={"format": "hostname"}),
]
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?")
_LABEL_KEY = re.compile(r"(?:[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
LabelValue = Annotated[
    str, _matching(_LABEL_VALUE, "must be a Kubernetes label value: at most 63 of letters, digits, -, _ and .", 63)
]
LabelKey = Annotated[
    str, _matching(_LABEL_KEY, "must be a Kubernetes label key: an optional prefix/ and a name of at most 63", 317)
]
AnnotationKey = Annotated[
    str, _matching(_LABEL_KEY, "must be a Kubernetes annotation key: an optional prefix/ and a name of at most 63", 317)
]
AnnotationValue = Annotated[str, Field(max_length=100_000)]
_CLUSTER_ID = re.compile(r"(?!\.\.|\.$)[A-Za-z0-9._-]+")
ClusterID = Annotated[
    str,
    _matching(
        _CLUSTER_ID,
        "must be a key in a Secret: at most 253 of letters, digits, -, _ and ., and no .. at its start",
        253,
    ),
]
NetworkLabel = Annotated[
    str, _matching(re.compile(rf"(?=.){_LABEL_VALUE.pattern}"), "must be a Kubernetes label value, and not empty", 63)
]
ClusterInArgoCD = Annotated[
    str,
    _matching(
        re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:/@+-]*[A-Za-z0-9])?", re.ASCII),
        "must be a cluster's name in Argo CD: letters, digits, and . _ : / @ + - between them",
        253,
    ),
]
PortName = Annotated[str, _matching(LABEL, "must be a port name: at most 63 of lower case letters, digits and -", 63)]
NameOrFiles = Annotated[
    str,
    _matching(
        re.compile(rf"{LABEL.pattern}|(?=.*[*?/.])[A-Za-z0-9_*?/. -]+", re.ASCII),
        "must be the name of a Service, or a pattern of files such as deploy/*.yaml",
        253,
    ),
]


class RelativePath:
    """Marks what is a path from the file it stands in. Of a part it is made one from mesh.yaml (`mesh/rebase.py`)."""


FilePath = Annotated[
    str,
    RelativePath(),
    Field(
        min_length=1,
        max_length=1024,
        description="A path relative to the file it stands in (mesh.yaml or a part), inside the repository.",
    ),
]


def _part_files(text: str) -> str:
    if rule := pattern_fault(text):
        raise PydanticCustomError("bad_pattern", "{rule}", {"rule": rule})
    return text


def _inventory_file(text: str) -> str:
    rule = pattern_fault(text if text.endswith((".yaml", ".yml")) else f"{text}.yaml")
    if rule or not text.endswith((".yaml", ".yml", ".json")) or not {"*", "?"}.isdisjoint(text):
        raise PydanticCustomError("bad_inventory", "must be the path of one .yaml, .yml or .json file")
    return text


InventoryFile = Annotated[str, AfterValidator(_inventory_file), Field(min_length=1, max_length=256)]
PartFiles = Annotated[str, AfterValidator(_part_files), Field(min_length=1, max_length=256)]


def _version(text: str) -> str:
    if Version.of_release(text) is None:
        raise PydanticCustomError("bad_version", "must be a full version such as 1.29.6")
    return text


def _kubernetes_version(text: str) -> str:
    if Version.parse(text) is None:
        raise PydanticCustomError("bad_version", "must be a Kubernetes version such as 1.34")
    return text


FullVersion = Annotated[
    str,
    AfterValidator(_version),
    _shown(r"\d{1,4}\.\d{1,4}\.\d{1,6}(-[0-9A-Za-z][0-9A-Za-z.-]{0,63})?", "must be a full version such as 1.29.6"),
]
KubernetesVersion = Annotated[
    str,
    AfterValidator(_kubernetes_version),
    _shown(r"v?\d{1,4}\.\d{1,4}(\.\d{1,6})?([+-][0-9A-Za-z.+-]*)?", "must be a Kubernetes version such as 1.34"),
]
Versions = Annotated[
    str,
    _shown(
        r"[<>=!~ ]{1,4}[0-9][0-9A-Za-z.*+-]*( *, *[<>=!~ ]{1,4}[0-9][0-9A-Za-z.*+-]*)*",
        "must be a range such as >=0.1,<0.2",
    ),
]
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
Cidr = Annotated[
    str,
    _shown(
        rf"({_OCTET}\.){{3}}{_OCTET}/([12]?[0-9]|3[0-2])|(?=.*:)[0-9a-fA-F:.]+/([1-9]?[0-9]|1[01][0-9]|12[0-8])",
        "must be a range of addresses such as 10.10.0.0/16 or fd00:10::/48",
    ),
]
HttpsUrl = Annotated[str, _shown(r"https://.+", "must begin with https://")]
RepositoryUrl = Annotated[
    str, _shown(r"(https://|ssh://|[A-Za-z0-9_][A-Za-z0-9_.-]*@).+", "must be https://host/path or ssh://git@host/path")
]


class Shape(BaseModel):
    """Base of every mapping in mesh.yaml: unknown keys are problems, values are taken at their exact type."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        populate_by_name=False,
    )


class MatchExpression(Shape):
    """One condition on a cluster's labels, in Kubernetes' own words."""

    key: LabelKey
    """The label's key."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    """How the label is compared."""
    values: tuple[LabelValue, ...] = ()
    """What it is compared with; empty for Exists and DoesNotExist."""

    @model_validator(mode="after")
    def _values_fit(self) -> MatchExpression:
        if (self.operator in ("In", "NotIn")) != bool(self.values):
            raise PydanticCustomError("bad_expression", "In and NotIn need values, Exists and DoesNotExist take none")
        return self


class Selector(Shape):
    """Clusters by label, or all of them, less those named under `except`."""

    match_labels: dict[LabelKey, LabelValue] = {}
    """Labels that a cluster must carry."""
    match_expressions: tuple[MatchExpression, ...] = ()
    """Conditions that a cluster's labels must fulfil."""
    names: tuple[Name, ...] | None = None
    """Clusters by name; absent: every cluster."""
    except_: tuple[Name, ...] = Field(default=(), alias="except")
    """Clusters that are left out."""


def _form(value: Any) -> str:
    """Which alternative a value is meant for, by its type alone: so that a fault is reported once, for that one."""
    if isinstance(value, dict | BaseModel):
        return "mapping"
    return "list" if isinstance(value, tuple | list) else "text" if isinstance(value, str) else "other"


Selection = Annotated[
    Annotated[Literal["all"], Tag("text")]
    | Annotated[tuple[Name, ...], Tag("list")]
    | Annotated[Selector, Tag("mapping")],
    Discriminator(
        _form, custom_error_type="wrong_form", custom_error_message="must be all, a list of names, or a mapping"
    ),
    Field(
        description="Which clusters: `all`, a list of names, or labels (matchLabels, matchExpressions, names, except)."
    ),
]


_HUB = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*", re.ASCII)
Hub = Annotated[
    str,
    _matching(_HUB, "must be a registry and path such as docker.io/istio, without scheme, tag or a / at the end", 255),
]
_TAG = re.compile(r"(\{version\}|[A-Za-z0-9_])(\{version\}|[A-Za-z0-9_.-])*", re.ASCII)
ImageTag = Annotated[
    str, _matching(_TAG, "must be an image tag: at most 128 of letters, digits, _, - and ., and {version}", 128)
]
Variant = Literal["distroless", "debug"]


class Requires(Shape):
    """Which versions of the tools this mesh.yaml is written for."""

    meshc: Versions | None = None
    """A range of meshc versions, such as `>=0.1,<0.2`."""
    kustomize: Versions | None = None
    """A range of kustomize versions, such as `>=5.4,<6`."""


class Images(Shape):
    """Where Istio's images come from."""

    hub: Hub = "docker.io/istio"
    """The registry and path of Istio's images."""
    tag: ImageTag | None = None
    """The images' tag; default: the Istio version. `{version}` stands for the version of each cluster."""
    variant: Variant | None = None
    """istiod: the variant of the images, which Istio's charts add to the tag."""
    pull_secrets: tuple[Subdomain, ...] = ()
    """Names of image pull Secrets that exist in the Istio namespace."""


class ClusterImages(Shape):
    """Where a cluster's images differ from the mesh's, for a registry of its own."""

    hub: Hub | None = None
    """The registry and path of Istio's images."""
    tag: ImageTag | None = None
    """The images' tag; default: that of the mesh. `{version}` stands for the version of the cluster."""
    variant: Variant | None = None
    """istiod: the variant of the images, which Istio's charts add to the tag."""
    pull_secrets: tuple[Subdomain, ...] | None = None
    """Names of image pull Secrets that exist in the Istio namespace."""


_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*", re.ASCII)
Folder = Annotated[
    str,
    _matching(_FOLDER, "must be a folder such as meshes/prod/output: letters, digits, _, - and . in each part", 512),
]
_URL = re.compile(r"(oci|https)://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~{}-]+)*/?", re.ASCII)
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?(/[A-Za-z0-9._~{}-]+)*/?", re.ASCII)


def _chart_source(text: str) -> str:
    if "://" in text and not _URL.fullmatch(text) and not _LOOPBACK.fullmatch(text):
        raise PydanticCustomError("bad_source", "must be oci://host/path or https://host/path, without a password")
    return text


ChartSource = Annotated[str, AfterValidator(_chart_source), Field(min_length=1, max_length=1024)]
Values = dict[str, Any]


IstioRevision = Annotated[
    str,
    _matching(LABEL, f"{_NAME_RULE.replace('63', '56')}: istiod's Service is istiod-<revision>", 56),
]
RevisionTag = Annotated[
    str,
    _matching(LABEL, f"{_NAME_RULE.replace('63', '43')}: a Service is istiod-revision-tag-<tag>", 43),
]
Tags = dict[RevisionTag, IstioRevision]


class ExtraChart(Shape):
    """A chart of Istio's beside those of the control plane."""

    chart: Literal["gateway", "cni", "ztunnel"]
    """Which one; istiod's generation only."""
    release: Name | None = None
    """The release's name; default: istio-cni, ztunnel, istio-eastwestgateway. A gateway's labels are made from it:
    without one it is the east-west gateway, and goes to those of the clusters that need one."""
    namespace: Name | None = None
    """Where it goes; default: the Istio namespace."""
    revision: IstioRevision | None = None
    """gateway: whose istiod injects its pods, a revision or a tag of `istio.revisionTags`; default: each cluster's
    own revision."""
    clusters: Selection = "all"
    values: Values = {}
    """Helm values, merged over the computed ones."""

    @model_validator(mode="after")
    def _injected(self) -> ExtraChart:
        if self.revision is not None and self.chart != "gateway":
            raise PydanticCustomError("bad_chart", "revision goes with chart: gateway")
        return self


class Charts(Shape):
    """Istio's own charts, rendered in place of the built-in remote component, and for primaries."""

    source: ChartSource
    """Where they are from: a folder (an Istio release, or vendored charts), a .tgz, oci://host/path, or the
    https address of a chart repository. {version} is the Istio version of the cluster."""
    directory: Folder = "charts"
    """Where meshc vendor puts what it pulls from oci:// and https://."""
    clusters: Selection = "all"
    also: tuple[ExtraChart, ...] = ()
    """Further charts of Istio's."""


class FurtherControlPlane(Shape):
    """A further control plane, beside that of `istio.version` and `istio.revision`: a canary, or what is to go."""

    revision: IstioRevision
    """Its revision: its istiod is `istiod-<revision>`."""
    version: FullVersion | None = None
    """Its Istio version; default: that of each cluster."""
    clusters: Selection = "all"
    """The primaries that run it, and the remotes whose namespaces may be on it."""
    images: ClusterImages = ClusterImages()
    values: Values = {}
    """Helm values of its chart istiod, merged over those of the mesh and of the cluster."""


class Istio(Shape):
    """The Istio of the whole mesh."""

    version: FullVersion
    """1.0.x is classic Istio (Pilot, Mixer, Citadel); 1.24.0 and later is istiod. A suffix is a release of its own,
    such as 1.31.0-rc.0; -distroless and -debug are variants of the images."""
    namespace: Name = "istio-system"
    """The namespace of Istio, the same in every cluster by Istio's own rule."""
    trust_domain: Subdomain = "cluster.local"
    """The trust domain of every workload's identity."""
    trust_domain_aliases: tuple[Subdomain, ...] = ()
    """istiod: further trust domains whose workloads are taken for the mesh's own, such as the old one while trustDomain
    changes. Whoever signs for one of them can be anybody in this mesh, if its root is among the mesh's."""
    cluster_domain: Subdomain = "cluster.local"
    """istiod: the domain of Services in the DNS of every cluster (kubelet's clusterDomain)."""
    mesh_id: str | None = Field(default=None, alias="meshID", min_length=1, max_length=253)
    """The mesh's ID; default: metadata.name."""
    revision: IstioRevision = "default"
    """The revision of istiod that clusters attach to."""
    control_planes: tuple[FurtherControlPlane, ...] = ()
    """Further control planes in the same clusters, each of a revision of its own, for canary upgrades."""
    revision_tags: Tags = {}
    """Names that lead to a revision: `prod: 1-29-6`. Namespaces that name a tag follow it when it moves. Where there is
    a tag `default`, namespaces that name nothing follow that one."""
    images: Images = Images()
    charts: Charts | None = None
    values: Values = {}
    """Helm values of the control plane's charts, merged over the computed ones."""


class ClusterIstio(Shape):
    """Where a cluster's Istio differs from the mesh's, for canary upgrades."""

    version: FullVersion | None = None
    """The Istio version of this cluster: its primary's or, while upgrading, one minor version behind; never ahead."""
    revision: IstioRevision | None = None
    """The revision of istiod that this cluster attaches to."""
    revision_tags: Tags = {}
    """Where tags lead in this cluster, if elsewhere than in the mesh: to move a tag cluster by cluster."""
    images: ClusterImages = ClusterImages()
    values: Values = {}
    """Helm values of this cluster, merged over those of the mesh."""


class Ca(Shape):
    """Who signs the workloads' certificates."""

    type: Literal["plugged-in", "self-signed", "external"] = "plugged-in"
    """plugged-in: a Secret `cacerts` with an intermediate CA a cluster under one root. self-signed: Istio makes its
    own root. external: cacerts or istio-csr made elsewhere, nothing is placed."""
    directory: FilePath = "certificates"
    """Folder of the public parts: root-cert.pem, <cluster>/ca-cert.pem, <cluster>/cert-chain.pem."""
    fast_root_rotation: bool = False
    """istiod: sidecars and gateways hear of another root at once, not with their next certificate. The values of
    charts, which `meshc values` prints, then set ISTIO_MULTIROOT_MESH in istiod and PROXY_CONFIG_XDS_AGENT in proxies.
    A pod has what was set when it was made."""


def _recipient(text: str) -> str:
    if not service_of(text) or len(text) > _LONGEST_RECIPIENT:
        rule = "must be an age recipient (age1..., or an SSH public key), a PGP fingerprint, or a key of a KMS as sops"
        raise PydanticCustomError("bad_recipient", f"{rule} names it; never an identity")
    return text


_LONGEST_RECIPIENT = 2048
Recipient = Annotated[
    str,
    AfterValidator(_recipient),
    Field(
        json_schema_extra={
            "examples": [
                "age1j5jr40pyzmgq7lmh6a2c25akvcngzn4lphf6jde75jdaumrdla9qafq06f",
                "85D77543B3D624B63CEA9E6DBC17301B491B3F21",
                "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            ]
        }
    ),
]


class Store(Shape):
    """Where External Secrets operators read what they put into a cluster."""

    kind: Literal["ClusterSecretStore", "SecretStore"] = "ClusterSecretStore"
    """The kind of store."""
    name: Subdomain
    """The store's name."""
    key: Annotated[str, _matching(re.compile(r"[ -~]+"), "must be a path in the store, in ASCII", 512)] = (
        "{mesh}/{cluster}/{secret}"
    )
    """The path of a secret in the store; {mesh}, {cluster} (where it is applied) and {secret} are filled in."""


class ClusterSecrets(Shape):
    """How secrets that are applied in a cluster are sealed, where it differs from the mesh."""

    backend: Literal["sops", "sealed-secrets", "external-secrets"] | None = None
    """What the sealing commands make for this cluster."""
    recipients: tuple[Recipient, ...] = ()
    """Recipients who open this cluster's secrets, besides the mesh's."""
    scope: Literal["strict", "namespace-wide"] | None = None
    """What a SealedSecret of this cluster is bound to."""
    store: Store | None = None


class Secrets(Shape):
    """Where sealed secrets lie and how they are made."""

    directory: FilePath = "sealed"
    """Folder of sealed files: <cluster>/cacerts.yaml, <primary>/remote-secret-<remote>.yaml, and of an external
    control plane <cluster>/istio-kubeconfig.yaml."""
    backend: Literal["sops", "sealed-secrets", "external-secrets"] = "sops"
    """What the sealing commands make. Compile places whichever form it finds. With sealed-secrets, the controller's
    public certificate of each cluster lies at <ca.directory>/<cluster>/sealing-cert.pem."""
    recipients: tuple[Recipient, ...] = ()
    """Recipients who open every sops file of the mesh, such as a break-glass key: age recipients, PGP fingerprints,
    keys of AWS KMS (arn:aws:kms:...), GCP KMS (projects/.../cryptoKeys/...), Azure Key Vault (https://.../keys/...) and
    Vault (https://.../v1/.../keys/...). meshc seals for age; sops adds the others."""
    scope: Literal["strict", "namespace-wide"] = "strict"
    """What a SealedSecret is bound to: its name and namespace, or its namespace alone. Bound to nothing
    (cluster-wide), anyone could unseal it into a namespace of theirs."""
    store: Store | None = None
    require_binding: bool = False
    """Whether every cacerts must prove, by a signature of its own CA key, that its ciphertext belongs to its
    certificate. Absent proofs are warnings otherwise; wrong ones are always refused."""


class Security(Shape):
    """Mutual TLS, the CA, and the secrets of the mesh."""

    mutual_tls: Literal["strict", "permissive", "disabled"] = Field(default="strict", alias="mutualTLS")
    """Mutual TLS between workloads, mesh-wide."""
    control_plane_tls: bool | None = Field(default=None, alias="controlPlaneTLS")
    """Classic: mutual TLS between sidecars and the control plane, on by default. istiod: always on."""
    ca: Ca = Ca()
    secrets: Secrets = Secrets()


PodLabels = Annotated[dict[LabelKey, LabelValue], Field(min_length=1)]


class NetworkGateway(Shape):
    """How other networks reach this one."""

    address: str | None = None
    """The gateway's IP address. Its Service has to get it: from a chart that meshc renders, from the values that
    `meshc values` prints, or else from you."""
    hostname: Subdomain | None = None
    """The gateway's host name, in place of an address."""
    port: int = Field(default=15443, ge=1, le=65535)
    """The gateway's port, for mutual TLS between sidecars."""
    cluster: Name | None = None
    """The cluster that it runs in, where several clusters of the network have one each."""
    selector: PodLabels | None = None
    """Labels of the gateway's pods; default: `istio: eastwestgateway`."""

    @model_validator(mode="after")
    def _one_host(self) -> NetworkGateway:
        if (self.address is None) == (self.hostname is None):
            raise PydanticCustomError("bad_gateway", "needs either address or hostname")
        if self.port in (15012, 15017, 15021):
            raise PydanticCustomError("bad_gateway", "needs a port besides those of istiod and of the health check")
        return self


class Network(Shape):
    """A network: pods in it reach one another directly."""

    name: Name
    """The network's name."""
    label: NetworkLabel | None = None
    """What Istio calls the network (label topology.istio.io/network, ISTIO_META_NETWORK), where it isn't its name."""
    gateway: NetworkGateway | None = None
    """Its east-west gateway; needed where there are several networks, unless all namespaces are ambient."""
    gateways: tuple[NetworkGateway, ...] = ()
    """Its gateways, in place of `gateway`, where it has several. Other networks use all of them."""

    @model_validator(mode="after")
    def _one_form(self) -> Network:
        if self.gateway is not None and self.gateways:
            raise PydanticCustomError("bad_gateway", "takes gateway or gateways, not both")
        return self


PARTS = ("istiod", "pilot", "policy", "telemetry", "zipkin")
"""The parts of a control plane that have addresses."""


def _part(text: str) -> str:
    named, _, revision = text.partition("-")
    if text not in PARTS and not (named == "istiod" and LABEL.fullmatch(revision) and len(text) <= _NAME_LENGTH):
        raise PydanticCustomError("unknown_part", "must be the name of a part")
    return text


_NAME_LENGTH = 63
AddressPart = Annotated[
    str,
    AfterValidator(_part),
    Field(json_schema_extra={"anyOf": [{"enum": list(PARTS)}, {"pattern": f"^istiod-{LABEL.pattern}$"}]}),
]


class HttpsGateway(Shape):
    """A gateway that ends TLS before istiod, with a certificate of its own."""

    secret: Subdomain
    """The Secret with that certificate and its key, beside the gateway's pods. Remotes check it as browsers do, so it
    is signed by a public CA."""
    root_secret: Subdomain = "istiod-root"  # noqa: S105 # a name
    """The Secret beside the gateway's pods that holds the mesh's root as `ca.crt`. By it the gateway knows istiod."""


class ControlPlane(Shape):
    """How remotes reach this primary's control plane."""

    exposure: Literal["pod-ip", "load-balancer", "gateway"] | None = None
    """What the addresses are of. pod-ip: pods, so they go stale when one restarts. load-balancer: Services of that type
    are compiled. gateway: routes of a gateway are compiled. Default: something of yours, for which nothing is compiled;
    gateway where remotes come in by the gateway of the primary's network."""
    gateway_selector: PodLabels | None = None
    """exposure: gateway: labels of the gateway's pods, in Istio's namespace. Default: those of the network's gateway;
    for classic Istio and external control planes `istio: ingressgateway`."""
    https: HttpsGateway | None = None
    """External control planes with exposure: gateway: the gateway has a certificate of its own for the host of
    `addresses.istiod`, and remotes call it there. Without, it passes TLS on to istiod unopened."""
    addresses: dict[AddressPart, str] = {}
    """IP addresses or host names. istiod: `istiod`, and `istiod-<revision>` for a further control plane that isn't
    reached by the same gateway. Classic: `pilot`, where used `policy`, `telemetry`, `zipkin`."""
    config_cluster: Name | None = None
    """External control planes: the remote that holds Istio's configuration (policies, gateways, routes), which istiod
    reads there as if it ran there; default: its only remote."""
    injection_url: HttpsUrl | None = Field(default=None, alias="injectionURL")
    """istiod behind a host name: `https://host:15017`, where the API servers of remotes call the injector. That of a
    further control plane is the same port of its own address."""
    pilot_service: bool | None = None
    """Classic: make Service and Endpoints `istio-pilot` in remotes, so that the name resolves there (the chart's
    remotePilotCreateSvcEndpoint). Default: with controlPlaneTLS and an IP address."""


class PatchTarget(Shape):
    """Which objects a patch is for, in kustomize's own words; names are regular expressions."""

    group: str | None = None
    """The group of its apiVersion, such as `apps`."""
    version: str | None = None
    """The version in its apiVersion, such as `v1`."""
    kind: str | None = None
    """Its kind, such as `Deployment`."""
    name: str | None = None
    """Its name."""
    namespace: str | None = None
    """Its namespace."""
    label_selector: str | None = None
    """Labels of it, as `kubectl get -l` takes them."""
    annotation_selector: str | None = None
    """Annotations of it, in the same form."""


class Patch(Shape):
    """A patch of the user's, in kustomize's own shape."""

    path: FilePath | None = None
    """The patch file; copied into overlays/<cluster>/patches/."""
    patch: str | None = Field(default=None, min_length=1)
    """The patch itself, in place of a file: `patch: |-` and its lines."""
    target: PatchTarget | None = None
    """Which objects it is for; absent: the object that the patch itself names."""

    @model_validator(mode="after")
    def _one_text(self) -> Patch:
        if (self.path is None) == (self.patch is None):
            raise PydanticCustomError("bad_patch", "needs either path or patch")
        return self

    @property
    def key(self) -> str:
        """Its path; that of an inline patch is a name of its own, by its text."""
        return self.path or f"inline-{sha256((self.patch or '').encode()).hexdigest()[:8]}.yaml"

    def target_mapping(self) -> dict[str, str]:
        """The target as kustomization.yaml writes it; empty without one."""
        return self.target.model_dump(by_alias=True, exclude_none=True) if self.target else {}


PatchEntry = Annotated[
    Annotated[FilePath, Tag("text")] | Annotated[Patch, Tag("mapping")],
    Discriminator(
        _form,
        custom_error_type="wrong_form",
        custom_error_message="must be a path, or a mapping with path or patch, and target",
    ),
]


class ClusterSettings(Shape):
    """What may be said of a cluster, and for many clusters at once under `overrides`."""

    kubernetes_version: KubernetesVersion | None = None
    """The cluster's Kubernetes version."""
    network: Name | None = None
    """The network its pods are in; default: the only network of the mesh."""
    primary: Name | None = None
    """Remotes: the primary, or external control plane, that controls this cluster; default: the only one. Every
    primary watches it."""
    control_plane_addresses: dict[AddressPart, str] = {}
    """Remotes: this cluster's own route to its primary, where it differs from `controlPlane.addresses` there."""
    sidecar_injection: Literal["automatic", "manual"] | None = None
    """automatic (default): a webhook injects sidecars. manual: no webhook, `istioctl kube-inject`."""
    istio: ClusterIstio = ClusterIstio()
    secrets: ClusterSecrets = ClusterSecrets()
    patches: tuple[PatchEntry, ...] = ()
    """Patches over this cluster's overlay."""
    resources: tuple[FilePath, ...] = ()
    """Manifests of the user's that go into this cluster's overlay."""
    components: tuple[FilePath, ...] = ()
    """Folders with a kustomization of kind Component; copied below overlays/<cluster>/components/."""


class ClusterDelivery(Shape):
    """By what the delivery engine reaches a cluster, where that isn't called after the cluster."""

    cluster: ClusterInArgoCD | None = None
    """Argo CD: the cluster's name there, which `argocd cluster add` takes from the context; default: its name here."""
    kube_config_secret: Subdomain | None = None
    """Flux, mode hub: the Secret with this cluster's kubeconfig; default: what delivery.flux.kubeConfigSecret says."""

    @model_validator(mode="after")
    def _something(self) -> ClusterDelivery:
        if self.cluster is None and self.kube_config_secret is None:
            raise PydanticCustomError("bad_delivery", "needs cluster or kubeConfigSecret")
        return self


class Cluster(ClusterSettings):
    """One Kubernetes cluster of the mesh."""

    name: Name
    """The cluster's name: its folder under overlays/ and output/, and its ID in Istio where that isn't another."""
    cluster_id: ClusterID | None = Field(default=None, alias="clusterID")
    """The cluster's ID in Istio (CLUSTER_ID, global.multiCluster.clusterName), where it isn't its name: such as
    `Kubernetes`, Istio's own default. It is the key in the cluster's remote secrets."""
    role: Literal["primary", "remote", "external-control-plane"]
    """primary: runs the control plane. remote: is controlled by a primary. external-control-plane: runs the control
    plane of its remotes, and nothing else of the mesh."""
    labels: dict[LabelKey, LabelValue] = {}
    """Labels for selections in this file; they aren't written to the cluster."""
    api_server: HttpsUrl | None = None
    """The https address of the API server, as the primary reaches it."""
    pod_cidrs: tuple[Cidr, ...] = Field(default=(), alias="podCIDRs")
    """The pods' address ranges, IPv4 and IPv6."""
    service_cidrs: tuple[Cidr, ...] = Field(default=(), alias="serviceCIDRs")
    """The Services' address ranges."""
    control_plane: ControlPlane | None = None
    delivery: ClusterDelivery | None = None


class Override(Shape):
    """Settings for many clusters at once. Later ones win over earlier ones, a cluster's own words over all."""

    clusters: Selection
    set: ClusterSettings
    """The settings; lists replace, mappings merge."""


class Namespace(Shape):
    """An application namespace of the mesh."""

    name: Name
    """The namespace's name."""
    dataplane: Literal["sidecar", "ambient", "none"] = "sidecar"
    """sidecar: labelled for injection. ambient: labelled for ztunnel. none: in the mesh without either."""
    revision: IstioRevision | None = None
    """Whose istiod injects its sidecars: a revision, or a tag of `istio.revisionTags`. Default: the tag `default`,
    else the revision of each cluster."""
    clusters: Selection = "all"
    managed: bool = True
    """false: no Namespace object, its owner is elsewhere; the checks stay."""
    labels: dict[LabelKey, LabelValue] = {}
    """Further labels of the Namespace wherever meshc makes it, such as `pod-security.kubernetes.io/enforce`. Those that
    meshc, Kubernetes or the delivery engine write can't be set."""
    annotations: dict[AnnotationKey, AnnotationValue] = {}
    """Further annotations of the Namespace, such as `networking.istio.io/traffic-distribution`."""

    @model_validator(mode="after")
    def _injected(self) -> Namespace:
        if self.revision is not None and self.dataplane != "sidecar":
            raise PydanticCustomError("bad_namespace", "revision goes with dataplane: sidecar")
        return self


class Port(Shape):
    """One port of a Service."""

    name: PortName | None = None
    """The port's name; needed where there are several. Istio matches endpoints of clusters by it."""
    port: int = Field(ge=1, le=65535)
    """The port's number."""
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    """The transport protocol."""
    app_protocol: str | None = Field(default=None, min_length=1, max_length=317)
    """The application protocol, such as `grpc`."""


class Service(Shape):
    """Services that clients in other clusters call: exported from where they run, copied to where clients are."""

    name: Name
    """With manifests: the entry's name. Without: the Service's name. Names its base under overlays/_services/."""
    manifests: FilePath | None = None
    """A file, a folder, or a folder with kustomization.yaml. The Service objects in it are exported."""
    namespace: Name | None = None
    """The namespace of the Service, or of those in `manifests` that name none."""
    include: Annotated[tuple[NameOrFiles, ...], Field(min_length=1)] | None = None
    """Only these Services of the manifests. A pattern of files, such as `deploy/*.yaml`, chooses the files to read."""
    exclude: tuple[NameOrFiles, ...] = ()
    """All Services of the manifests but these; patterns leave out files."""
    clusters: Selection
    copy_to: Selection = "all"
    """Which clusters get a copy; those where it runs never do."""
    ports: tuple[Port, ...] = ()
    """Without manifests: the Service's ports."""
    headless: bool = False
    """Without manifests: the Service has no cluster IP."""

    @model_validator(mode="after")
    def _one_source(self) -> Service:
        if (self.manifests is None) == (not self.ports):
            raise PydanticCustomError("bad_service", "needs either manifests or ports")
        if self.manifests is None and (self.include is not None or self.exclude):
            raise PydanticCustomError("bad_service", "include and exclude go with manifests")
        if self.manifests is None and self.namespace is None:
            raise PydanticCustomError("bad_service", "needs a namespace, as it names no manifests")
        if self.include is not None and self.exclude:
            raise PydanticCustomError("bad_service", "takes include or exclude, not both")
        if self.manifests is not None and self.headless:
            raise PydanticCustomError("bad_service", "headless goes with ports; manifests say it themselves")
        return self


_REVISION = re.compile(r"(?!.*(?:\.\.|//|/\.|\.lock(?:/|\Z)|[./]\Z))[A-Za-z0-9_][A-Za-z0-9_./+-]*", re.ASCII)
Revision = Annotated[
    str,
    _matching(_REVISION, "must be a branch, refs/... in full, or a commit: letters, digits, _, -, +, . and /", 255),
]
_BRANCH = re.compile(r"(?!.*(?:\.\.|//|/\.|\.lock(?:/|\Z)|[./]\Z))(?!refs/)[A-Za-z0-9_][A-Za-z0-9_./+-]*", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)
_PER_CLUSTER = re.compile(r"[a-z0-9.-]*\{cluster\}[a-z0-9.-]*", re.ASCII)
_NAMES = "must be a Secret's name, in lower case letters, digits, - and ."
PerCluster = Annotated[str, _matching(_PER_CLUSTER, f"{_NAMES}, with {{cluster}} in it", 128)]
PerClusterOrOne = Annotated[
    str,
    _matching(re.compile(rf"{_PER_CLUSTER.pattern}|{SUBDOMAIN.pattern}", re.ASCII), f"{_NAMES}, or {{cluster}}", 128),
]
Interval = Annotated[str, _matching(re.compile(r"([0-9]{1,6}(s|m|h))+"), "must be a time such as 10m or 1h30m", 20)]


class Flux(Shape):
    """How Flux delivers."""

    mode: Literal["hub", "each"] = "hub"
    """hub: one Flux applies to every cluster through kubeconfigs. each: every cluster has a Flux of its own."""
    source: Name | None = None
    """The GitRepository's name; default: metadata.name. Without repoURL it is one that exists already."""
    source_secret: Subdomain | None = None
    """The Secret with which Flux reads repoURL; none: anybody may read it."""
    verify_secret: Subdomain | None = None
    """The Secret with the PGP keys one of which must have signed the commit of repoURL; none: it need not be signed.
    `meshc publish` signs by Git's own settings, and refuses to publish unsigned then."""
    kube_config_secret: PerCluster = "{cluster}-kubeconfig"  # noqa: S105 # a name
    """Mode hub: the Secret with the kubeconfig of a cluster; {cluster} is filled in."""
    decryption_secret: PerClusterOrOne = "sops-age"  # noqa: S105
    """The Secret with the age identity that opens what is sealed by sops; {cluster} is filled in."""
    interval: Interval = "10m"
    """How often Flux looks for new commits, and for changes made in a cluster."""


class Publish(Shape):
    """Where `meshc publish` puts overlays/ and output/, where that isn't the branch that mesh.yaml is edited on."""

    repo: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    """Another repository, as who publishes reaches it: https://host/path, ssh://git@host/path, git@host:path; default:
    that of mesh.yaml."""
    branch: Annotated[str, _matching(_BRANCH, "must be the name of a branch", 200)] | None = None
    """The branch; default: `revision`."""
    path: Folder | None = None
    """The folder for overlays/ and output/; default: that of mesh.yaml, or the top of another repository."""
    push: bool = True
    """Whether the branch is pushed to origin. To another repository it always is."""


class Delivery(Shape):
    """What applies output/ to the clusters: its objects are written to output/_delivery/."""

    engine: Literal["argo-cd", "flux"]
    """The engine."""
    repo_url: RepositoryUrl | None = Field(default=None, alias="repoURL")
    """The Git repository as the engine reads it: https://host/path, ssh://git@host/path; Argo CD: git@host:path too."""
    revision: Revision = "main"
    """What is applied: a branch, a reference in full (refs/tags/v1), or a commit."""
    path: Folder = "output"
    """Where output/ lies from the top of that repository."""
    namespace: Name | None = None
    """Where the engine's objects go; default: argocd, or flux-system."""
    runs_in: Name | None = None
    """The cluster that the engine itself runs in, if it is one of the mesh."""
    project: Subdomain | None = None
    """Argo CD: the AppProject; default: default."""
    flux: Flux | None = None
    publish: Publish | None = None
    """Where output/ is published. `meshc publish` needs no options then; check and next compare with what is there."""

    @model_validator(mode="after")
    def _one_engine(self) -> Delivery:
        if self.engine == "argo-cd" and self.flux is not None:
            raise PydanticCustomError("bad_delivery", "flux goes with engine: flux")
        if self.engine == "flux" and self.project is not None:
            raise PydanticCustomError("bad_delivery", "project goes with engine: argo-cd")
        if self.repo_url is None and (self.flux is None or self.flux.source is None):
            needed = " or flux.source, a GitRepository that exists" if self.engine == "flux" else ""
            raise PydanticCustomError("bad_delivery", f"needs repoURL{needed}")
        if self.repo_url is None and self.flux is not None and self.flux.source_secret is not None:
            raise PydanticCustomError("bad_delivery", "flux.sourceSecret goes with repoURL")
        if self.publish is not None and self.publish.branch is None:
            if self.repo_url is None:
                raise PydanticCustomError("bad_delivery", "publish.branch is needed without repoURL")
            if self.revision.startswith("refs/") or _COMMIT.fullmatch(self.revision):
                raise PydanticCustomError("bad_delivery", "publish.branch is needed where revision is no branch")
        if self.repo_url is None and self.flux is not None and self.flux.verify_secret is not None:
            raise PydanticCustomError("bad_delivery", "flux.verifySecret goes with repoURL")
        if self.repo_url is None and "revision" in self.model_fields_set:
            raise PydanticCustomError("bad_delivery", "revision goes with repoURL; a source that exists has its own")
        if self.flux is not None and self.flux.mode == "each" and self.runs_in is not None:
            raise PydanticCustomError(
                "bad_delivery", "runsIn goes with flux.mode: hub; with each, Flux runs everywhere"
            )
        return self


class Acknowledge(Shape):
    """A problem that is known and accepted. One that silences nothing is itself a problem."""

    code: Annotated[str, Field(pattern=r"^MESH\d{3}$")]
    """The problem's code."""
    clusters: Selection = "all"
    reason: str = Field(min_length=1)
    """Why it is accepted, for the next reader."""


Granted = Literal["clusters", "namespaces", "services", "overrides", "networks", "acknowledge"]
"""The lists of `spec` that a part may hold."""


class Include(Shape):
    """Files with parts of the mesh, and which lists of `spec` they may hold."""

    files: PartFiles
    """A path relative to mesh.yaml; `*` and `?` stand for characters of one name, as in `teams/*/services.yaml`."""
    may: Annotated[tuple[Granted, ...], Field(min_length=1)]
    """The lists that they may hold. Overrides and acknowledgements in a file reach its own clusters alone."""


Told = Literal[
    "name",
    "clusterID",
    "role",
    "primary",
    "network",
    "labels",
    "apiServer",
    "kubernetesVersion",
    "podCIDRs",
    "serviceCIDRs",
]
Way = Annotated[str, Field(min_length=1, max_length=256)]


class FromInventory(Shape):
    """A committed file that lists clusters, as another program keeps them. It holds no credentials."""

    file: InventoryFile
    """A path relative to mesh.yaml."""
    format: Literal["argocd-secrets", "clusterprofiles", "cluster-api", "kubeconfig", "list"]
    """argocd-secrets: cluster Secrets of Argo CD. clusterprofiles: ClusterProfile of SIG Multicluster. cluster-api:
    Cluster of Cluster API. kubeconfig: its clusters. list: mappings in YAML or JSON, or a mapping of names to them."""
    select: Selection = "all"
    """Which of its clusters are in the mesh, by their names and labels there."""
    role: Literal["primary", "remote"] = "remote"
    """The role of clusters that mesh.yaml doesn't name."""
    at: Way | None = None
    """list: where the list stands in the file, such as `clusters.value` in what `terraform output -json` prints."""
    fields: dict[Told, Way] = {}
    """Where a key of a cluster stands in an entry, as `name: metadata.labels.site`, if not where the format has it."""

    @model_validator(mode="after")
    def _at_of_list(self) -> FromInventory:
        if self.at is not None and self.format != "list":
            raise PydanticCustomError("bad_inventory", "at goes with format: list")
        return self


class Spec(Shape):
    """The mesh."""

    include: tuple[Include, ...] = ()
    """Files with further entries of the lists below. The entries follow those of mesh.yaml, by the order written here,
    then by path."""
    clusters_from: tuple[FromInventory, ...] = ()
    """Inventories that complete the clusters below, by name, and add further ones behind them. Own words win."""
    requires: Requires = Requires()
    istio: Istio
    security: Security = Security()
    networks: tuple[Network, ...] = ()
    """The networks; needed where there is more than one."""
    clusters: Annotated[tuple[Cluster, ...], Field(min_length=1)]
    """The clusters of the mesh."""
    overrides: tuple[Override, ...] = ()
    """Settings for many clusters at once."""
    namespaces: tuple[Namespace, ...] = ()
    """The application namespaces of the mesh."""
    services: tuple[Service, ...] = ()
    """The services that clients in other clusters call."""
    delivery: Delivery | None = None
    acknowledge: tuple[Acknowledge, ...] = ()
    """Problems that are known and accepted."""


class Metadata(Shape):
    """The mesh's name."""

    name: Name
    """The mesh's name; default of istio.meshID."""


class Mesh(Shape):
    """The Kubernetes clusters of one Istio mesh and their security settings."""

    api_version: Literal["meshc/v1alpha1"]
    """The version of this file's shape."""
    kind: Literal["Mesh"]
    """The kind of this file."""
    metadata: Metadata
    spec: Spec


class PartSpec(Shape):
    """The entries of a part; mesh.yaml says which lists it may hold."""

    networks: tuple[Network, ...] = ()
    """Networks."""
    clusters: tuple[Cluster, ...] = ()
    """Clusters of the mesh."""
    overrides: tuple[Override, ...] = ()
    """Settings for many clusters of this file at once."""
    namespaces: tuple[Namespace, ...] = ()
    """Application namespaces of the mesh."""
    services: tuple[Service, ...] = ()
    """Services that clients in other clusters call."""
    acknowledge: tuple[Acknowledge, ...] = ()
    """Problems of clusters of this file that are known and accepted."""


class Part(Shape):
    """A part of a mesh, which mesh.yaml names under `spec.include`."""

    api_version: Literal["meshc/v1alpha1"]
    """The version of this file's shape."""
    kind: Literal["MeshPart"]
    """The kind of this file."""
    spec: PartSpec
