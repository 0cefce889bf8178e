"""The types of values in mesh.yaml: names, labels, versions, ranges, paths, each with its rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from meshc.disk.matching import pattern_fault
from meshc.kube import LABEL, SUBDOMAIN, Version

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class _Told(AfterValidator):
    """A rule that the JSON Schema also has."""

    words: tuple[tuple[str, Any], ...] = ()

    def __get_pydantic_json_schema__(self, core: CoreSchema, make: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**make(core), **dict(self.words)}


def matching(pattern: re.Pattern[str], rule: str, longest: int) -> AfterValidator:
    def check(text: str) -> str:
        if len(text) > longest or not pattern.fullmatch(text):
            raise PydanticCustomError("bad_name", rule)
        return text

    return _Told(check, (*_told(pattern.pattern, rule), ("maxLength", longest)))


def _told(pattern: str, rule: str) -> tuple[tuple[str, Any], ...]:
    """A pattern for editors: in the syntax of ECMAScript, which has no \\Z, and with the rule as text."""
    return ("pattern", f"^(?:{pattern.replace(_END, '$')})$"), ("patternErrorMessage", rule)


_END = r"\Z"


def _shown(pattern: str, rule: str) -> Any:
    """A rule only for editors; a check reports it with more detail."""
    return Field(json_schema_extra=dict(_told(pattern, rule)))


NAME_RULE = (
    "must be a DNS-1123 label: lower case letters, digits and -, at most 63, "
    "beginning and ending with a letter or digit"
)


Name = Annotated[
    str,
    matching(LABEL, NAME_RULE, 63),
]


Subdomain = Annotated[
    str,
    matching(
        SUBDOMAIN, "must be a DNS-1123 subdomain: labels of lower case letters, digits and -, joined by dots", 253
    ),
    Field(json_schema_extra={"format": "hostname"}),
]


_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?")


_LABEL_KEY = re.compile(r"(?:[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


LabelValue = Annotated[
    str, matching(_LABEL_VALUE, "must be a Kubernetes label value: at most 63 of letters, digits, -, _ and .", 63)
]


LabelKey = Annotated[
    str, matching(_LABEL_KEY, "must be a Kubernetes label key: an optional prefix/ and a name of at most 63", 317)
]


AnnotationKey = Annotated[
    str, matching(_LABEL_KEY, "must be a Kubernetes annotation key: an optional prefix/ and a name of at most 63", 317)
]


AnnotationValue = Annotated[str, Field(max_length=100_000)]


_CLUSTER_ID = re.compile(r"(?!\.\.|\.$)[A-Za-z0-9._-]+")


def is_cluster_id(text: str) -> bool:
    """True if a text is a valid cluster ID in mesh.yaml."""
    return _CLUSTER_ID.fullmatch(text) is not None and len(text) <= _LONGEST_ID


_LONGEST_ID = 253


ClusterID = Annotated[
    str,
    matching(
        _CLUSTER_ID,
        "must be a key in a Secret: at most 253 of letters, digits, -, _ and ., and no .. at its start",
        253,
    ),
]


NetworkLabel = Annotated[
    str, matching(re.compile(rf"(?=.){_LABEL_VALUE.pattern}"), "must be a Kubernetes label value, and not empty", 63)
]


ClusterInArgoCD = Annotated[
    str,
    matching(
        re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:/@+-]*[A-Za-z0-9])?", re.ASCII),
        "must be a cluster's name in Argo CD: letters, digits, and . _ : / @ + - between them",
        253,
    ),
]


PortName = Annotated[str, matching(LABEL, "must be a port name: at most 63 of lower case letters, digits and -", 63)]


NameOrFiles = Annotated[
    str,
    matching(
        re.compile(rf"{LABEL.pattern}|(?=.*[*?/.])[A-Za-z0-9_*?/. -]+", re.ASCII),
        "must be the name of a Service, or a pattern of files such as deploy/*.yaml",
        253,
    ),
]


class RelativePath:
    """Marks a path that is relative to its file. `mesh/rebase.py` makes the paths of a part relative to mesh.yaml."""


FilePath = Annotated[
    str,
    RelativePath(),
    Field(
        min_length=1,
        max_length=1024,
        description="A path relative to the file that contains it (mesh.yaml or a part), inside the repository.",
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


_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*", re.ASCII)


Folder = Annotated[
    str,
    matching(_FOLDER, "must be a folder such as meshes/prod/output: letters, digits, _, - and . in each part", 512),
]


PodLabels = Annotated[dict[LabelKey, LabelValue], Field(min_length=1)]
