"""Checks the metadata of an object: names, labels and annotations that the API server would refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.checks.applied.view import Fault
from meshc.checks.overlay.namespaces import lives_in_namespace
from meshc.kube import LABEL, SUBDOMAIN, Version, at

if TYPE_CHECKING:
    from meshc.checks.applied.view import Single

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_1035 = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_RELAXED = Version(1, 36)
"""The first Kubernetes in which a Service's name may begin with a digit by default."""
_FREE = ("rbac.authorization.k8s.io",)
"""Groups whose names may have any characters except / and %."""
_LONGEST_CRON_JOB = 52
_ANNOTATIONS = 256 << 10
_MEND = "write lower case letters, digits and -"


def heads(one: Single) -> Iterator[Fault]:
    """Checks the name, the namespace, the labels and the annotations of any object."""
    yield from _name(one)
    metadata = one.body.get("metadata")
    for where in ("labels", "annotations"):
        yield from _words(at(metadata, where), where)


def _name(one: Single) -> Iterator[Fault]:
    identity, path = one.identity, ("metadata", "name")
    group, kind, namespace, name = identity
    if namespace and not LABEL.fullmatch(namespace):
        yield Fault(("metadata", "namespace"), f'has namespace "{namespace}", which isn\'t a DNS-1123 label', _MEND)
    if not namespace and one.ours and lives_in_namespace(identity):
        yield Fault(path, "has no namespace", "add metadata.namespace", codes.NO_NAMESPACE)
    if group in _FREE or not name:
        return
    if (group, kind) == ("", "Service"):
        relaxed = one.kubernetes >= _RELAXED
        if not (LABEL if relaxed else _1035).fullmatch(name):
            begin = "" if relaxed else ", and begin with a letter"
            yield Fault(
                path, f"has a name that is invalid for a Service: use at most 63 letters, digits and -{begin}", _MEND
            )
    elif (group, kind) == ("", "Namespace"):
        if not LABEL.fullmatch(name):
            yield Fault(path, "has a name that isn't a DNS-1123 label", _MEND)
    elif not SUBDOMAIN.fullmatch(name):
        yield Fault(path, "has a name that isn't a DNS-1123 subdomain", f"{_MEND} and .")
    elif (group, kind) == ("batch", "CronJob") and len(name) > _LONGEST_CRON_JOB:
        yield Fault(path, f"has a name of more than {_LONGEST_CRON_JOB} characters", "shorten it")


def _words(words: Any, where: str) -> Iterator[Fault]:
    if not isinstance(words, Mapping):
        return
    for key, value in words.items():
        path = ("metadata", where, key)
        if not is_key(key):
            yield Fault(path, f'has the invalid key "{key[:80]}" among its {where}', "correct the key")
        if not isinstance(value, str):
            yield Fault(path, f"has a value in {where} that isn't text: {key}", "put it in quotes")
        elif where == "labels" and not is_value(value):
            hint = "use at most 63 letters, digits, -, _ and .; put longer text into an annotation"
            yield Fault(path, f"has label {key} with an invalid value", hint)
    if where == "annotations" and sum(len(str(key)) + len(str(value)) for key, value in words.items()) > _ANNOTATIONS:
        yield Fault(("metadata", where), "has more than 256 KiB of annotations", "remove some")


def is_key(key: str) -> bool:
    """True for a valid key of a label or an annotation."""
    prefix, slash, name = key.rpartition("/")
    return bool(_NAME.fullmatch(name)) and (not slash or bool(SUBDOMAIN.fullmatch(prefix.lower())))


def is_value(value: str) -> bool:
    """True for a valid value of a label."""
    return not value or _NAME.fullmatch(value) is not None
