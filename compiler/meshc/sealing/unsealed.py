"""Checks a Secret before it is sealed, and builds the metadata that all sealed forms write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from meshc.sealing.contract import Plain, SealError

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
"""A key of a Secret's data that API servers accept."""


def check_plain(plain: Plain) -> None:
    """Raises SealError unless there is a value to hide, all keys are valid, and every readable value is a
    certificate."""
    from meshc.trust.certificates import only_certificates

    if not plain.hidden:
        raise SealError(f"{_shown(plain)} has nothing to seal")
    for key in (*plain.hidden, *plain.public):
        if not _KEY.fullmatch(key):
            raise SealError(f"{_shown(plain)}: a key contains something other than letters, digits, -, _ and .")
    if both := sorted(plain.hidden.keys() & plain.public.keys()):
        raise SealError(f'{_shown(plain)}: "{both[0]}" is both hidden and public')
    for key, certificate in plain.public.items():
        if not only_certificates(certificate):
            raise SealError(f'{_shown(plain)}: "{key}" would stay readable and isn\'t a certificate')


def check_values(plain: Plain) -> None:
    """Raises SealError for an empty value: sops wouldn't encrypt it, and Istio can't use it."""
    for key, value in plain.hidden.items():
        if not value:
            raise SealError(f'{_shown(plain)}: "{key}" is empty')


def metadata(plain: Plain) -> dict[str, Any]:
    """Name, namespace, labels and annotations of the Secret."""
    return {"name": plain.name, "namespace": plain.namespace, **labels_and_annotations(plain)}


def labels_and_annotations(plain: Plain) -> dict[str, Any]:
    """The keys that have a value: a key without a value would be a difference for tools that compare."""
    both = {"labels": plain.labels, "annotations": plain.annotations}
    return {field: dict(values) for field, values in both.items() if values}


def template_data(plain: Plain) -> dict[str, str]:
    """The public values as text, for the template of an operator, which copies the template's values into the Secret.

    Raises SealError if a label, an annotation or a value holds what the operator would run as a template.
    """
    texts: dict[str, str] = {key: value.decode() for key, value in plain.public.items()}
    written: tuple[Mapping[str, str], ...] = (plain.labels, plain.annotations, texts)
    for values in written:
        for key, text in values.items():
            if "{{" in text:
                raise SealError(f'{_shown(plain)}: "{key}" contains {{{{, which would be run as a template')
    return texts


def _shown(plain: Plain) -> str:
    return f"Secret {plain.namespace}/{plain.name}"
