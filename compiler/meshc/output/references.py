"""Finds references to other objects in which kustomize may write a namespace.

kustomize follows the names in objects (api/internal/konfig/builtinpluginconsts/namereference.go) to each object that a
JSON patch changed, even if its name stays. If a reference is a mapping, kustomize writes the namespace of that object
into it, or refuses a reference that fits several objects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshc.output.split import documents, head_of
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.files import PatchPlan

_KEYS = {
    **dict.fromkeys(("RoleBinding", "ClusterRoleBinding"), "subjects"),
    **dict.fromkeys(("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"), "service"),
    "StorageClass": "secretRef",
    "Node": "configMap",
}
"""The last key of the path of a reference that is a mapping, by kind."""
_NAMES = re.compile(r"\w*[nN]ames?")
"""The last key of the path of a reference that is a text. kustomize also accepts a mapping there."""
_HOLDS = re.compile(rf"^[ -]*+(?:{'|'.join(sorted({*_KEYS.values()}))}|{_NAMES.pattern}):$", re.MULTILINE)


def are_followed(patches: Iterable[PatchPlan]) -> bool:
    """True if kustomize follows references to the objects that these patches change."""
    return any(isinstance(one.body, tuple) for patch in patches for one in patch.file.objects)


def is_open(body: Body) -> bool:
    """True if an object that meshc or a chart made has a reference in which kustomize may write a namespace."""
    key = _KEYS.get(str(body.get("kind")))
    return key is not None and _holds(body, key, lambda _: True)


def may_be_written(stream: bytes) -> bool:
    """True if an object in kustomize's output may have a reference to another one in which kustomize writes its
    namespace. False is certain."""
    texts = documents(stream.decode())
    names = {name for *_, namespace, name in map(head_of, texts) if namespace}
    return any(_refers(text, names.__contains__) for text in texts if _HOLDS.search(text))


def _refers(text: str, is_name: Callable[[str], bool]) -> bool:
    found, problems = read(text.encode(), "")
    return bool(problems) or any(_holds(one.data, _KEYS.get(str(one.data.get("kind")), ""), is_name) for one in found)


def _holds(value: Any, key: str, is_name: Callable[[str], bool], *, is_reference: bool = False) -> bool:
    """True if a value has a reference to one of these names that lacks a namespace."""
    if isinstance(value, Mapping):
        if is_reference and is_name(str(value.get("name"))) and not value.get("namespace"):
            return True
        return any(
            _holds(each, key, is_name, is_reference=step == key or _NAMES.fullmatch(str(step)) is not None)
            for step, each in value.items()
        )
    return isinstance(value, tuple | list) and any(
        _holds(each, key, is_name, is_reference=is_reference) for each in value
    )
