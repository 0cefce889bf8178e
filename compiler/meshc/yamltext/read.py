"""Parses the bytes of a YAML stream into documents, or into problems with their places.

Scalars resolve by YAML 1.2's core schema. Every limit is checked before the data that exceeds it is built.
"""

from __future__ import annotations

from typing import NamedTuple

import yaml

from meshc import codes
from meshc.errors import Place, Problem
from meshc.yamltext.document import Document
from meshc.yamltext.opened import StopReadingError
from meshc.yamltext.reader import Reader
from meshc.yamltext.unreadable import decode


def read(
    data: bytes, file: str, *, strict: bool = False, last_wins: bool = False
) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    """Every document of a stream except empty ones, and the problems of the text. Never raises.

    Strict mode is for files in meshc's own format: exactly one document, no merge keys, and no word that YAML 1.1 reads
    differently. Otherwise the text is a manifest: merge keys are expanded, and such words (`no`, `1_000`, but also
    `0644`) are read as strings. With `last_wins`, a key may be there twice, as in Kubernetes' own parser. After a
    hundred problems it stops.
    """
    limits = _STRICT if strict else _LENIENT
    if len(data) > limits.bytes:
        what = f"{len(data)} bytes are more than meshc reads ({limits.bytes >> 20} MiB)"
        return (), (codes.YAML_SIZE.at(Place(file, 1, 1), what, "split the file"),)
    text, problem = decode(data, file)
    if problem is not None:
        return (), (problem,)
    reader = Reader(file, strict, limits.values, last_wins)
    try:
        reader.take_all(yaml.CSafeLoader(text))
    except yaml.MarkedYAMLError as error:
        reader.refused(error, text)
    except StopReadingError:
        pass
    else:
        reader.finish()
    return tuple(reader.documents), tuple(reader.problems)


class _Limits(NamedTuple):
    bytes: int
    values: int


# Values count after aliases are expanded: the bound on the work that a small file can make.
_STRICT = _Limits(bytes=2 << 20, values=200_000)
_LENIENT = _Limits(bytes=8 << 20, values=500_000)
