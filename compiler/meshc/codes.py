"""Every kind of problem that meshc reports, in one table: what `docs/problems.md` is made from.

An id is stable for ever. 0xx text and tools, 1xx the shape of mesh.yaml, 2xx clusters, 3xx trust, 4xx secrets,
5xx namespaces and services, 6xx files of the user, 7xx what kustomize says and delivery, 8xx what a change puts
at risk, 9xx acknowledgements.
"""

from __future__ import annotations

from meshc.errors import Code, Exit, Severity

_W = Severity.WARNING

# 0xx: the text of YAML files

YAML_SYNTAX = Code("MESH001", "the text is not YAML", "look at indentation, quotes and brackets at the place")
YAML_TAB = Code("MESH002", "a tab is used for indentation", "indent with spaces")
YAML_ENCODING = Code("MESH003", "the text is not UTF-8", "save the file as UTF-8")
YAML_CHARACTER = Code("MESH004", "a character that YAML doesn't allow", "take it out, or escape it in quotes")
YAML_DUPLICATE_KEY = Code("MESH005", "a key stands twice in one mapping", "keep one of the two")
YAML_KEY = Code("MESH006", "a key that is not a text", "write a text as the key, in quotes if need be")
YAML_MERGE = Code("MESH007", "a merge key that can't be followed", "write the keys out")
YAML_ALIAS = Code("MESH008", "an alias that leads nowhere or into itself", "write the value out")
YAML_SIZE = Code("MESH009", "a file is too large", "split the file")
YAML_EXPANSION = Code("MESH010", "a file holds too many values", "use fewer aliases, or split the file")
YAML_DEPTH = Code("MESH011", "collections are nested too deep", "write it flatter")
YAML_TAG = Code("MESH012", "a tag that meshc doesn't read", "take the tag out, or use quotes for a text")
YAML_MISREAD = Code(
    "MESH013", "a word that readers of YAML disagree on", "put it in quotes, or write true, false or digits"
)
YAML_EMPTY = Code("MESH014", "the file is empty", "write the document")
YAML_DOCUMENTS = Code("MESH015", "several documents where one belongs", "keep one document a file")

# 0xx: meshc itself and its tools

STATE_IN_GIT = Code(
    "MESH020", "meshc's own folder is in Git", "take .meshc out of Git: git rm -r --cached .meshc", exit=Exit.REFUSED
)

MESHC_VERSION = Code(
    "MESH021", "this meshc is outside spec.requires.meshc", "install a meshc in the range, or change the range"
)
KUSTOMIZE_VERSION = Code(
    "MESH022",
    "this kustomize is outside spec.requires.kustomize",
    "install a kustomize in the range or name one with MESHC_KUSTOMIZE, or change the range",
)

# 1xx: the shape of mesh.yaml

UNKNOWN_KEY = Code("MESH101", "a key that meshc doesn't know", "correct the key's spelling, or take it out")
MISSING_KEY = Code("MESH102", "a key is missing", "add the key")
WRONG_TYPE = Code(
    "MESH103", "a value of the wrong type", "write a value of the type named; quote versions and words like no"
)
BAD_VALUE = Code("MESH104", "a value that can't be", "write one of the values named, or a value in the form named")
UNKNOWN_CLUSTER = Code(
    "MESH106", "a selection names a cluster that isn't there", "correct the name, or add the cluster"
)
EMPTY_SELECTION = Code(
    "MESH107", "a selection chooses no cluster", "check the labels, or take the entry out", Severity.WARNING
)

# 2xx: clusters

DUPLICATE_CLUSTER = Code(
    "MESH201", "two clusters have one name", "rename one; istiod ignores the second secret of a name"
)
NO_PRIMARY = Code("MESH202", "no cluster is a primary", "give one cluster role: primary")
WRONG_PRIMARY = Code("MESH203", "a remote's primary isn't one", "name a cluster whose role is primary")
WRONG_ROLE = Code("MESH204", "a setting that the cluster's role doesn't have", "move it to a cluster of the other role")
UNKNOWN_NETWORK = Code("MESH205", "a network that isn't declared", "declare it under networks, or correct the name")
ISTIO_NEWER = Code(
    "MESH245",
    "an Istio version that is newer than this meshc",
    "look for a newer meshc; or read the release notes of that version, and acknowledge it",
    Severity.WARNING,
    acknowledgeable=True,
)
ONE_TAG_FOR_ALL = Code(
    "MESH247",
    "one image tag for clusters of several versions",
    "write {version} in the tag, or give the clusters tags of their own",
    Severity.WARNING,
    acknowledgeable=True,
)
ISTIO_UNSUPPORTED = Code(
    "MESH206",
    "an Istio version that meshc doesn't compile for",
    "use 1.0.0 to 1.0.9 (classic) or 1.24 and later (istiod)",
)
MIXED_GENERATIONS = Code("MESH207", "classic Istio and istiod in one mesh", "give every cluster the same generation")
AHEAD_OF_PRIMARY = Code(
    "MESH208",
    "a remote is ahead of its primary",
    "upgrade the primary first: a data plane must not be ahead of its control plane",
)
BEHIND_PRIMARY = Code(
    "MESH209",
    "a remote is far behind its primary",
    "upgrade the remote, or acknowledge it for the time of the upgrade",
    Severity.WARNING,
    acknowledgeable=True,
)
REVISION_DIFFERS = Code(
    "MESH210",
    "a remote attaches to another revision than its primary's",
    "make sure that the primary runs an istiod of that revision, then acknowledge it",
    Severity.WARNING,
    acknowledgeable=True,
)
KUBERNETES_MISSING = Code(
    "MESH211", "a cluster's Kubernetes version is missing", "add kubernetesVersion, here or in overrides"
)
KUBERNETES_IMPOSSIBLE = Code(
    "MESH212", "a Kubernetes version that this Istio can't run on", "change the cluster's version or the Istio version"
)
KUBERNETES_UNSUPPORTED = Code(
    "MESH213",
    "a Kubernetes version outside Istio's support table",
    "move to a supported pair, or acknowledge it",
    Severity.WARNING,
    acknowledgeable=True,
)
BAD_CIDR = Code("MESH214", "not a CIDR", "write the range's first address and its length, such as 10.10.0.0/16")
POD_OVERLAP = Code(
    "MESH215",
    "address ranges of one network overlap",
    "give each cluster its own range; clusters that draw pod addresses from one VPC range acknowledge it",
    acknowledgeable=True,
)
SERVICE_OVERLAP = Code(
    "MESH216",
    "service ranges overlap under classic Istio",
    "give each cluster its own service range",
    acknowledgeable=True,
)
SERVICE_OVERLAP_ISTIOD = Code(
    "MESH217",
    "service ranges overlap",
    "give each cluster its own service range, or acknowledge it (managed clouds give every cluster the same)",
    Severity.WARNING,
    acknowledgeable=True,
)
RANGES_UNKNOWN = Code(
    "MESH218",
    "a cluster's pod ranges are unknown",
    "add podCIDRs, so that overlaps can be found",
    Severity.NOTICE,
    acknowledgeable=True,
)
BAD_API_SERVER = Code(
    "MESH219", "an API server address that a primary can't reach", "write https://host:port as the primary reaches it"
)
ADDRESS_MISSING = Code(
    "MESH220", "the control plane's address is missing", "add it to controlPlane.addresses of the primary"
)
BAD_ADDRESS = Code("MESH221", "not an address that remotes can reach", "write an IP address or a host name")
INJECTION_URL_MISSING = Code(
    "MESH222",
    "istiod behind a host name without injectionURL",
    "add controlPlane.injectionURL: API servers refuse webhooks to a Service of type ExternalName",
)
BAD_INJECTION_URL = Code("MESH223", "an injectionURL that can't be", "write https://host:port without a path")
IPV6_TOO_EARLY = Code(
    "MESH224", "an IPv6 address before Istio 1.30", "use an IPv4 address or a host name, or upgrade to 1.30"
)
PILOT_NAME_FAILS = Code(
    "MESH225",
    "pilot's address would fail the certificate check",
    "use an IP address with pilotService, so that sidecars connect to istio-pilot.<namespace>",
)
PILOT_SERVICE_NEEDS_IP = Code(
    "MESH226", "pilotService with a host name", "use an IP address: Endpoints hold nothing else"
)
STALE_ADDRESS = Code(
    "MESH227",
    "the control plane is reached by pod addresses",
    "use a load balancer, or acknowledge it and compile again whenever a pod of the control plane restarts",
    Severity.WARNING,
    acknowledgeable=True,
)
WRONG_GENERATION = Code("MESH228", "a setting of the other Istio generation", "take it out")
SELF_SIGNED_SPLIT = Code(
    "MESH229",
    "self-signed CAs where clusters must trust one another",
    "use ca.type plugged-in: every Citadel would make a root of its own",
)
POD_ADDRESS = Code(
    "MESH230",
    "an address of a pod under an exposure that promises a stable one",
    "write the load balancer's or gateway's address, or exposure: pod-ip; acknowledge it where the load balancer "
    "draws its address from the pods' range",
    Severity.WARNING,
    acknowledgeable=True,
)
ADDRESS_STAYS_INSIDE = Code(
    "MESH231",
    "a control-plane address that doesn't lead out of a cluster",
    "write an address that remotes reach; acknowledge it where routers know the Services' range",
    acknowledgeable=True,
)
SAME_API_SERVER = Code(
    "MESH232",
    "two clusters have one API server",
    "correct the copied line; acknowledge it where a proxy tells clusters apart by something other than the URL",
    acknowledgeable=True,
)

GATEWAY_MISSING = Code(
    "MESH233",
    "a network without a gateway, where there are several",
    "write the address of its east-west gateway; acknowledge it while there is none yet",
    acknowledgeable=True,
)
ONE_GATEWAY_FOR_TWO = Code("MESH234", "two networks have one gateway", "write each network's own address or port")
PLAIN_BETWEEN_NETWORKS = Code(
    "MESH235",
    "several networks without mutual TLS",
    "write mutualTLS: strict or permissive: gateways tell services apart by what mutual TLS names",
)
MIXER_AT_ONE_ADDRESS = Code(
    "MESH236",
    "policy and telemetry at one address",
    "give each an address of its own: sidecars call both on port 15004",
)
ONE_WAY = Code(
    "MESH237",
    "credentials that make traffic go one way",
    "seal them for every primary",
    Severity.WARNING,
    acknowledgeable=True,
)
GATEWAY_TWICE = Code(
    "MESH238", "two Gateways with one port and host", "take yours out, or give it another port or selector"
)
PRIMARIES_APART = Code(
    "MESH239",
    "primaries more than one minor version apart",
    "upgrade the older, or acknowledge it for the time of the upgrade",
    Severity.WARNING,
    acknowledgeable=True,
)
GATEWAY_OPENS_TLS = Code(
    "MESH240",
    "a gateway behind a load balancer that may open TLS",
    "use a load balancer of layer 4; acknowledge it where it passes TCP on as it is",
    Severity.WARNING,
    acknowledgeable=True,
)

NO_CONFIG_CLUSTER = Code(
    "MESH241",
    "an external control plane without a config cluster",
    "name the remote that holds Istio's configuration under controlPlane.configCluster",
)
WRONG_CONFIG_CLUSTER = Code(
    "MESH242", "a config cluster that isn't a remote of its control plane", "name one of its remotes"
)
EXTERNAL_BESIDE_OTHERS = Code(
    "MESH243",
    "an external control plane beside another control plane",
    "make them two meshes, or give the cluster role primary",
)
NOTHING_RUNS_THERE = Code(
    "MESH244",
    "something of the mesh where only its control plane runs",
    "leave the cluster of an external control plane out: no pod there is in the mesh",
)

# 26x: gateways and ambient

GATEWAY_NOT_INJECTED = Code(
    "MESH260",
    "a gateway's chart in a cluster where nothing injects",
    "leave the cluster out of the chart's clusters, or take sidecarInjection: manual out; acknowledge it where a patch "
    "gives the Deployment what the webhook would",
    acknowledgeable=True,
)
AMBIENT_WITH_REMOTES = Code(
    "MESH261", "ambient where clusters are remotes", "make them primaries, or write dataplane: sidecar"
)
AMBIENT_IN_ONE_NETWORK = Code(
    "MESH262",
    "ambient where clusters share a network",
    "give each cluster a network of its own; acknowledge it where no ambient traffic goes between them",
    Severity.WARNING,
    acknowledgeable=True,
)
AMBIENT_TOO_EARLY = Code(
    "MESH263", "an Istio version without ambient between networks", "use 1.29 or later in every cluster"
)
AMBIENT_ALPHA = Code(
    "MESH264",
    "ambient between networks as an alpha feature",
    "use 1.29 or later, or acknowledge it where it is for trial",
    Severity.WARNING,
    acknowledgeable=True,
)
AMBIENT_CHARTS = Code(
    "MESH265",
    "ambient without the charts that carry it",
    "add cni and ztunnel under charts.also; acknowledge it where others install them",
    acknowledgeable=True,
)
AMBIENT_BESIDE_SIDECARS = Code(
    "MESH266",
    "ambient and sidecars between networks",
    "move every namespace to one of the two; acknowledge it until then",
    Severity.WARNING,
    acknowledgeable=True,
)
SERVICE_NOT_GLOBAL = Code(
    "MESH267",
    "a Service of an ambient namespace that other clusters can't call",
    'label it istio.io/global: "true", or take it out of services',
    Severity.WARNING,
    acknowledgeable=True,
)
GATEWAY_API_NEEDED = Code(
    "MESH268",
    "a gateway of ambient without the Gateway API's CRDs",
    "install them before the first sync, then acknowledge it; or put them under resources",
    Severity.NOTICE,
    acknowledgeable=True,
)

# 3xx: trust

CERTIFICATE_UNREADABLE = Code(
    "MESH301",
    "a certificate file that isn't plain PEM",
    "export it again, as CERTIFICATE blocks and nothing else: every reader skips something different",
)
PRIVATE_KEY_IN_PUBLIC_FILE = Code(
    "MESH302",
    "a private key in a file of public certificates",
    "take it out, and make a new key and certificate: treat the old key as known to others",
    exit=Exit.REFUSED,
)
CERTIFICATE_PAIR_INCOMPLETE = Code(
    "MESH303",
    "ca-cert.pem without cert-chain.pem, or the reverse",
    "add the other: Istio's CA doesn't start with an incomplete set",
)
CA_CERT_NOT_SINGLE = Code(
    "MESH304",
    "ca-cert.pem with several certificates",
    "keep the cluster's own CA there, and move its issuers to cert-chain.pem: Istio reads only the first",
)
ROOT_UNUSABLE = Code("MESH305", "a root that can't be one", "put self-signed CAs with keyCertSign into root-cert.pem")
ROOT_TWICE = Code("MESH306", "a root stands twice in root-cert.pem", "take one of the two out", Severity.WARNING)
CA_UNUSABLE = Code(
    "MESH307",
    "a certificate that may not sign workloads",
    "issue it again with CA:TRUE and keyCertSign, without extendedKeyUsage and unknown critical extensions",
)
CA_KEY_UNSUPPORTED = Code(
    "MESH308",
    "a CA whose key Istio can't use",
    "use RSA of 2048 bits or more; ECDSA P-256 or P-384 under istiod only, as Citadel signs with RSA alone",
)
SIGNATURE_WEAK = Code(
    "MESH309", "a certificate signed with MD5, SHA-1 or in a way that Go doesn't know", "issue it again with SHA-256"
)
ROOT_USED_AS_CA = Code(
    "MESH310",
    "the root itself is used as a cluster's intermediate",
    "issue an intermediate for the cluster; acknowledge it if the root's key may lie in that cluster",
    acknowledgeable=True,
)
CHAIN_BROKEN = Code(
    "MESH311",
    "a CA whose chain doesn't reach a root",
    "add the missing issuers to cert-chain.pem, or issue the CA again",
)
ROOT_DIFFERS = Code(
    "MESH312",
    "a CA under another root",
    "issue it from the common root, or put both roots into root-cert.pem; equal subjects prove nothing",
)
PATH_TOO_LONG = Code(
    "MESH313",
    "more CAs below a certificate than its path length allows",
    "issue the CA from a certificate further up",
)
CHAIN_FILE_ORDER = Code(
    "MESH314",
    "cert-chain.pem doesn't begin with ca-cert.pem",
    "write the certificate of ca-cert.pem first, then its issuers",
)
CHAIN_UNRELATED = Code(
    "MESH315",
    "a certificate in cert-chain.pem that has no part in the chain",
    "take it out",
    Severity.WARNING,
)
DATES_IMPOSSIBLE = Code(
    "MESH316",
    "certificates that are never valid, alone or together",
    "issue them again with dates that overlap",
)
OUTSIDE_ISSUER_DATES = Code(
    "MESH317",
    "a certificate that begins before its issuer or outlives it",
    "issue it again inside its issuer's dates, or renew the issuer in time and acknowledge it",
    Severity.WARNING,
    acknowledgeable=True,
)
KEY_SHARED = Code(
    "MESH318",
    "two clusters sign with the same key",
    "make a CA for each cluster, so that one can be replaced without the other",
    acknowledgeable=True,
)
SAMPLE_CA = Code(
    "MESH319",
    "Istio's public sample CA",
    "make a root and intermediates of your own: the sample's private keys are published",
    exit=Exit.REFUSED,
)
CERTIFICATES_MISSING = Code(
    "MESH320",
    "a public certificate file is missing",
    "put it where the message says; it is public and belongs into Git",
)
CERTIFICATE_REFUSED = Code(
    "MESH321",
    "a certificate that istiod and the proxies can't read",
    "issue it again as the message says: Go refuses it, and drops it from a bundle without a word",
)
NAME_FORBIDDEN = Code(
    "MESH322",
    "name constraints that forbid what a CA has to sign",
    "issue the CA again without name constraints, or with some that permit the names of the message",
)

# 4xx: secrets

CACERTS_MISSING = Code("MESH401", "a cluster's sealed cacerts is missing", "seal the cluster's CA into the file named")
LOCAL_REMOTE_SECRET = Code(
    "MESH403", "a remote secret for the primary's own cluster", "delete the file: Istio always knows its own cluster"
)
SEALED_UNUSED = Code(
    "MESH404", "a sealed file that nothing places", "delete it, or correct its name or folder", Severity.WARNING
)
SEALED_UNREADABLE = Code("MESH405", "a sealed file that isn't one sealed Secret", "seal it again, one Secret a file")
SEALED_IDENTITY = Code(
    "MESH406", "a sealed Secret under the wrong name or namespace", "seal it again under the name and namespace given"
)
SEALED_KEYS = Code(
    "MESH407", "a sealed Secret without the keys that Istio reads", "seal it again with exactly the keys given"
)
SEALED_LABELS = Code(
    "MESH408", "a sealed Secret without the label or annotation that Istio reads", "add it as the message says"
)
PLAINTEXT = Code(
    "MESH409",
    "a value that isn't sealed",
    "seal it, and treat what it held as public: replace the key or token",
    exit=Exit.REFUSED,
)
STRING_DATA = Code(
    "MESH410",
    "stringData in a sealed Secret",
    "seal it under data: an API server would take the ciphertext in stringData as the value",
    exit=Exit.REFUSED,
)
NOT_SEALED = Code(
    "MESH411", "a Secret without a sops block", "encrypt it, and treat what it held as public", exit=Exit.REFUSED
)
UNSAFE_ANNOTATION = Code(
    "MESH413", "an annotation that switches protection off", "take it out of the file", exit=Exit.REFUSED
)
FRAGILE_MAC = Code(
    "MESH414",
    "a sops MAC that doesn't survive kustomize",
    "encrypt with --mac-only-encrypted and one encrypted value; Flux decrypts it all the same",
    Severity.WARNING,
    acknowledgeable=True,
)
PUBLIC_PART_DIFFERS = Code(
    "MESH415",
    "a sealed file and the certificates folder disagree",
    "issue the cluster's certificate again, or restore the one that was sealed",
)
TEMPLATE_TEXT = Code(
    "MESH416", "template text in a sealed file", "take {{ out: a controller would run it", exit=Exit.REFUSED
)
PLAINTEXT_SECRET = Code(
    "MESH417",
    "a secret in plain text in a file of the user's",
    "take it out and replace the key or token; seal Secrets instead",
    exit=Exit.REFUSED,
)
RECIPIENTS_DIFFER = Code(
    "MESH420",
    "a sealed file for other recipients than named",
    "run meshc secrets rewrap, or correct the recipients in mesh.yaml",
    Severity.WARNING,
    acknowledgeable=True,
)
BLOB_EXCHANGED = Code(
    "MESH421",
    "a ciphertext that isn't the one that was sealed",
    "restore the file from Git, or seal it again",
    exit=Exit.REFUSED,
)
PROOF_STALE = Code(
    "MESH422",
    "a cacerts that was sealed for another certificate",
    "issue the cluster's CA again, or restore the certificate that it was sealed for",
)
BINDING_WRONG = Code(
    "MESH423",
    "a cacerts whose binding doesn't hold",
    "restore the cluster's own file; who put this one there had no key of its CA",
    exit=Exit.REFUSED,
)
BINDING_MISSING = Code(
    "MESH424",
    "a cacerts that nothing binds to its certificate",
    "seal it with meshc ca issue, or meshc ca import for a CA made elsewhere",
    Severity.WARNING,
    acknowledgeable=True,
)
BINDING_REQUIRED = Code(
    "MESH425",
    "a cacerts without the binding that mesh.yaml asks for",
    "seal it with meshc ca issue, or meshc ca import for a CA made elsewhere",
)
SERVER_DIFFERS = Code(
    "MESH426",
    "a remote secret for another API server",
    "seal the credentials of the server in mesh.yaml, or correct apiServer there",
)
SEALING_CERTIFICATE_DIFFERS = Code(
    "MESH427",
    "a SealedSecret for another sealing certificate",
    "seal it again, or put the certificate back that the controller has",
    Severity.WARNING,
    acknowledgeable=True,
)

ROOTS_JUMP = Code(
    "MESH428",
    "the roots of two commits share too little",
    "go in steps, with meshc ca rotate-root: both roots first, then one",
)

SECOND_SOURCE = Code(
    "MESH430",
    "a second source of what istiod takes its trust from",
    "take it out: the CA and remote secrets come from sealed files, or the CA from one source under ca.type external",
    exit=Exit.REFUSED,
)
TRUST_PATCHED = Code(
    "MESH431",
    "a patch that changes what istiod takes its trust from",
    "take it out of the patch, and change the sealed file",
    exit=Exit.REFUSED,
)

# 5xx: namespaces and services

DUPLICATE_NAMESPACE = Code("MESH501", "a namespace is listed twice", "merge the two entries")
RESERVED_NAMESPACE = Code("MESH502", "a namespace that is made anyway or isn't an application's", "take the entry out")
MANUAL_INJECTION = Code(
    "MESH503",
    "sidecar namespaces in a cluster with manual injection",
    "run meshc inject, or istioctl kube-inject, on workloads there: no webhook does it, and no label is set",
    Severity.NOTICE,
    acknowledgeable=True,
)
NAMESPACE_ELSEWHERE = Code(
    "MESH504",
    "a copy goes to a cluster that its namespace isn't in",
    "add the cluster to the namespace's clusters, or take it out of copyTo",
)
BOTH_INJECTION_LABELS = Code(
    "MESH505",
    "a namespace with both injection labels",
    "keep one of istio-injection and istio.io/rev: with both, the revision is ignored",
)
UNKNOWN_NAMESPACE = Code(
    "MESH506", "a services entry names a namespace that isn't listed", "correct the name, or list the namespace"
)
NOT_IN_MESH = Code(
    "MESH507",
    "a service or its callers are outside the mesh",
    "list the namespace with dataplane: sidecar or ambient, in every cluster that takes part",
    Severity.WARNING,
    acknowledgeable=True,
)
NEVER_REACHED = Code(
    "MESH508",
    "a service without a sidecar, to be called from another network",
    "give its namespace a sidecar or ambient: gateways pass nothing on to pods without",
)
DUPLICATE_ENTRY = Code("MESH510", "two services entries have one name", "rename one")
NO_SERVICES = Code("MESH511", "manifests without a Service", "check the path, include and exclude")
UNKNOWN_SERVICE = Code("MESH512", "include or exclude names a Service that isn't there", "correct the name")
NAMESPACE_UNKNOWN = Code("MESH513", "a Service without a namespace", "add namespace to the entry, or to the manifest")
PORT_CLASH = Code(
    "MESH514",
    "clusters disagree on a Service's ports",
    "give a port the same name, number and protocol in every cluster: Istio matches endpoints by the name",
)
BAD_SERVICE = Code("MESH515", "a Service that can't be copied as it is", "mend the manifest")
EXTERNAL_NAME = Code(
    "MESH516",
    "an ExternalName that leads into its own cluster isn't copied",
    "exclude it, or let callers elsewhere use the Service that it leads to",
    Severity.WARNING,
    acknowledgeable=True,
)
DUPLICATE_SERVICE = Code("MESH517", "a Service stands twice in one entry", "keep one of the two")
OWN_SERVICE = Code(
    "MESH518",
    "a Service that every cluster has of its own isn't copied",
    "nothing to do; exclude it to be told no more",
    Severity.NOTICE,
    acknowledgeable=True,
)
UNSERVED = Code(
    "MESH519",
    "a copy that Istio serves nobody by",
    "exclude the Service from the entry, or change what keeps it at home",
    Severity.WARNING,
    acknowledgeable=True,
)
HEADLESS_UNREACHED = Code(
    "MESH520",
    "a headless Service that never resolves elsewhere",
    "give it a cluster IP, or a second Service that has one",
    Severity.WARNING,
    acknowledgeable=True,
)
DNS_CAPTURE = Code(
    "MESH521",
    "a headless Service needs sidecars that capture DNS",
    "set ISTIO_META_DNS_CAPTURE in meshConfig.defaultConfig.proxyMetadata",
    Severity.NOTICE,
    acknowledgeable=True,
)
PASSED_OVER = Code(
    "MESH522",
    "a file of manifests that is passed over",
    "nothing to do; keep it elsewhere, or choose files with include",
    Severity.NOTICE,
    acknowledgeable=True,
)

# 6xx: files of the user's

OUTSIDE = Code("MESH601", "a path outside the repository", "move the file into the repository", exit=Exit.REFUSED)
FILE_MISSING = Code("MESH602", "a file that isn't there", "correct the path, or add the file")
SYMLINK = Code("MESH603", "a symbolic link", "put the file itself there", exit=Exit.REFUSED)
REMOTE_BASE = Code(
    "MESH604", "a kustomization that loads from the network", "vendor it into the repository", exit=Exit.REFUSED
)
KUSTOMIZATION_FIELD = Code(
    "MESH605",
    "a kustomization field that meshc doesn't run",
    "write what it makes into plain manifests",
    exit=Exit.REFUSED,
)
PATCH_MATCHES_NOTHING = Code(
    "MESH606", "a patch that matches nothing", "correct its target; overlays/ shows the objects that there are"
)
BAD_PATCH = Code("MESH607", "a file that isn't a patch", "write a strategic merge patch, or a JSON patch with a target")
DUPLICATE_OBJECT = Code("MESH608", "one object twice in a cluster", "take it out of resources, or patch meshc's own")
BAD_RESOURCE = Code(
    "MESH609", "a manifest that isn't a Kubernetes object", "give it apiVersion, kind and metadata.name"
)
FILE_UNREADABLE = Code("MESH610", "a file that can't be read", "check what it is, its size and its permissions")
PATCHED_WRONG = Code(
    "MESH611",
    "an object that the API server refuses as it is applied",
    "correct the patch, the resource or the chart's values; overlays/ shows what a patch is for",
)
NO_NAMESPACE = Code(
    "MESH612",
    "a resource without the namespace that its kind needs",
    "write metadata.namespace: Flux stops at the cluster without it",
    Severity.WARNING,
    acknowledgeable=True,
)

TAKEN_AWAY = Code(
    "MESH613",
    "a patch renames or takes away what meshc or a chart makes",
    "take it out of the patch; acknowledge it if nothing in the mesh needs the object",
    acknowledgeable=True,
)
COPY_DIFFERS = Code(
    "MESH614",
    "a copy and the Service that it is of disagree",
    "change the Service where it runs, then its copies follow",
    acknowledgeable=True,
)
NAMESPACE_MISSING = Code(
    "MESH615",
    "an object in a namespace that nothing makes",
    "list the namespace, with managed: false where others make it",
    _W,
    acknowledgeable=True,
)
CRD_MISSING = Code(
    "MESH616",
    "a custom resource whose CRD nothing brings before it",
    "install the CRD first, then acknowledge this; or add it to resources",
    Severity.NOTICE,
    acknowledgeable=True,
)
TWO_OWNERS = Code(
    "MESH617",
    "a Namespace with two owners",
    "take it out of the manifests, or write managed: false",
    _W,
    acknowledgeable=True,
)
RELIED_ON = Code(
    "MESH618",
    "a patch changes what the mesh relies on",
    "take it out of the patch, and change mesh.yaml",
    acknowledgeable=True,
)
CHANGED_ON_THE_WAY = Code(
    "MESH619",
    "a manifest that isn't applied as it reads",
    "put dates in quotes; run what a hook of Helm does in another way",
    Severity.NOTICE,
    acknowledgeable=True,
)

# 62x: charts

CHART_MISSING = Code(
    "MESH620", "a chart that isn't there", "correct source, or run meshc vendor and commit what it writes"
)
BAD_CHART = Code("MESH621", "a folder or .tgz that isn't the chart", "name Istio's own charts, or vendor them again")
CHART_VERSION = Code(
    "MESH622",
    "a chart of another version than its cluster's Istio",
    "vendor the version that mesh.yaml says, with {version} in source where clusters differ",
)
CHART_UNLOCKED = Code(
    "MESH623", "a chart that charts.lock.yaml doesn't name", "run meshc vendor, and commit what it writes"
)
CHART_CHANGED = Code(
    "MESH624",
    "a chart that isn't the one that was vendored",
    "restore it from Git; if the change is meant, look at it and run meshc vendor",
    exit=Exit.REFUSED,
)
HELM_REFUSED = Code("MESH625", "helm can't render a chart", "correct the values; the message is helm's own")
CHART_CLASH = Code(
    "MESH626", "an object that two parts of a cluster both make", "change the values so that one of them doesn't"
)
VALUES_UNUSED = Code(
    "MESH627",
    "Helm values that no chart is rendered with",
    "name charts, take the values out, or acknowledge it where meshc values hands them to another installer",
    Severity.WARNING,
    acknowledgeable=True,
)
CHARTS_OF_ISTIOD = Code(
    "MESH628", "a chart of istiod in a classic mesh", "take it out: classic Istio has no such chart"
)
CHART_BY_CHANCE = Code(
    "MESH629",
    "a chart that makes other objects each time",
    "set the value that stands for the random one or the time, so that the chart asks for neither",
)
VALUE_CONTRADICTS = Code(
    "MESH630", "a Helm value that says something else than mesh.yaml", "take it out, and write the key of mesh.yaml"
)
VALUE_REACHES = Code(
    "MESH631",
    "a Helm value that changes what objects of meshc's do",
    "change the value or mesh.yaml so that both fit, or acknowledge it",
    Severity.WARNING,
    acknowledgeable=True,
)

# 7xx: what kustomize says

KUSTOMIZE_FAILED = Code("MESH701", "kustomize refuses an input", "mend the file named; the message is kustomize's own")

# 75x: delivery

BAD_REPOSITORY_URL = Code(
    "MESH751",
    "a repoURL that isn't plainly the address of a Git repository",
    "write https://host/path or ssh://git@host/path, without a password or token in it",
)
DELIVERY_PATH = Code(
    "MESH752",
    "delivery.path isn't where output/ lies",
    "write the folder named; acknowledge it where the engine reads another repository than this one",
    acknowledgeable=True,
)
SOPS_UNDER_ARGO_CD = Code(
    "MESH753",
    "secrets sealed by sops under Argo CD",
    "seal them as SealedSecrets or by External Secrets, or deliver with Flux",
    acknowledgeable=True,
)
ENDPOINTS_LEFT_OUT = Code(
    "MESH754",
    "Argo CD leaves out an object that a cluster needs",
    "change resource.exclusions of Argo CD, then acknowledge it; or use a host name with injectionURL",
    Severity.WARNING,
    acknowledgeable=True,
)
ENGINE_NAME = Code(
    "MESH755",
    "a name that the engine's objects can't have",
    "shorten the name of the cluster or of the mesh, or the pattern under delivery.flux",
)
TOO_OLD_FOR_FLUX = Code(
    "MESH756",
    "a cluster that Flux can't apply to",
    "deliver with Argo CD, or upgrade the cluster: Flux applies on the server's side only",
)

# 8xx: what a change puts at risk, told by diff

CLUSTER_LEAVES = Code(
    "MESH801", "a cluster leaves the mesh", "merge its removal alone, and go through the steps that diff prints", _W
)
CREDENTIALS_LEAVE = Code(
    "MESH802", "a primary loses the credentials of a remote", "put the remote secret back, or take the cluster out", _W
)
ROOT_DROPPED = Code(
    "MESH803", "a root is dropped while CAs are still under it", "meshc ca rotate-root: trust both, re-issue, drop", _W
)
CA_REPLACED = Code(
    "MESH804", "the CA of a cluster is replaced", "check who asked for it; one cluster after the other", _W
)
MUTUAL_TLS_WEAKER = Code(
    "MESH805", "mutual TLS becomes weaker", "keep it strict, or name the workloads that need less in a policy", _W
)
MESH_IDENTITY = Code(
    "MESH806",
    "the trust domain, mesh ID or a network changes",
    "plan it as a migration: workloads take the new value when they restart",
    _W,
)
CLUSTER_RENAMED = Code(
    "MESH807", "a cluster has another name", "seal its credentials under the new name before the old ones go", _W
)
CONTROL_PLANE_MOVED = Code(
    "MESH808", "a control plane is reached by another address", "check that remotes reach the new one first", _W
)
NAMESPACE_LEAVES = Code(
    "MESH809", "a Namespace is no longer managed", "check who sets its labels now; its workloads stay", _W
)
COPY_LEAVES = Code(
    "MESH810", "a service copy is deleted", "check that nobody calls the service from these clusters", _W
)
PORT_CHANGED = Code(
    "MESH811", "a port of a Service changes", "give callers both ports for a while, then take the old one out", _W
)
FAILURE_POLICY = Code(
    "MESH812",
    "a webhook's failurePolicy changes",
    "check that its service runs: with Fail no pod starts without it",
    _W,
)
EVERY_CLUSTER = Code(
    "MESH813", "a change touches every cluster at once", "let one cluster go first, with an override or a branch", _W
)
READER_ADDED = Code("MESH814", "someone new can open a secret", "check whose key it is before this is merged", _W)
DELIVERY_CHANGED = Code(
    "MESH815",
    "what Argo CD or Flux is told changes at its root",
    "follow docs/delivery.md: who goes on an old root may prune what the new one applies",
    _W,
)
INJECTION_CHANGED = Code(
    "MESH816",
    "a Namespace's injection changes",
    "restart its workloads after the sync, and look which have a sidecar",
    _W,
)
PROTECTION_LOST = Code(
    "MESH817",
    "something is no longer protected from pruning",
    "keep the annotations: what is pruned takes more along",
    _W,
)
PERMISSIONS_CHANGED = Code("MESH818", "permissions change", "check that this is what the change is about", _W)
SERVICE_MOVES = Code(
    "MESH819",
    "a service moves from one cluster to another",
    "go by both: list the old and the new cluster, deploy in the new one, take it down in the old one, then list one",
    _W,
)

TRUST_GRANTED = Code(
    "MESH821", "somebody new is trusted", "check whose certificate or issuer it is before this is merged", _W
)
CODE_RUNS = Code(
    "MESH822", "something new may run code or act for others", "check what runs there, and who asked for it", _W
)
SECRETS_READ = Code("MESH823", "something new may read secrets", "check who gets to read them, and what for", _W)
TRAFFIC_MOVED = Code("MESH824", "traffic goes elsewhere", "check that the place it goes to is yours", _W)
SYNC_SOURCE = Code("MESH825", "something is applied from another source", "check who may write to that source", _W)
GUARD_LOWERED = Code(
    "MESH826", "something is opened, or is no longer guarded", "check that this is meant for every caller", _W
)

# 9xx: acknowledgements

ACKNOWLEDGES_NOTHING = Code(
    "MESH901", "an acknowledgement that silences nothing", "take it out, or correct its code or clusters"
)
NOT_ACKNOWLEDGEABLE = Code(
    "MESH902", "an acknowledgement of a problem that must be solved", "solve it, and take the acknowledgement out"
)


def every_code() -> dict[str, Code]:
    """All codes by id, in order."""
    found = {value.id: value for value in globals().values() if isinstance(value, Code)}
    return dict(sorted(found.items()))
