"""Turns a lock file into a software bill of materials in CycloneDX JSON.

It lists each package with the digests of its files, for which systems and Pythons it is, and which packages need it.
Equal lock files give equal bytes: there is no time, and the serial number is made from the lock file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock file; `needed_by` names packages, and "meshc" where pyproject.toml asks for it."""

    name: str
    version: str
    marker: str
    digests: tuple[str, ...]
    needed_by: tuple[str, ...]


def pins(lock: str) -> Iterator[Pin]:
    """The packages of a lock file with annotations, as uv writes them."""
    for block in re.split(r"\n(?=[a-z0-9])", lock)[1:]:
        head = re.match(r"([\w.-]+)==([\w.]+)(?: ; (.*?))? \\\n", block)
        if head is None:
            raise ValueError(f"not a requirement of a lock file: {block.partition(chr(10))[0]}")
        comments = re.findall(r"(?m)^    #(?: via)? +(?!-c)([\w.-]+)(?: \(.*\))?$", block)
        needed_by = tuple(name for name in comments if name != "via")
        yield Pin(head[1], head[2], head[3] or "", tuple(re.findall(r"sha256:(\w+)", block)), needed_by)


def bill(lock: str, version: str) -> str:
    """The bill of materials of meshc in this version."""
    meshc = Component(
        name="meshc", version=version, type=ComponentType.APPLICATION, purl=PackageURL("pypi", None, "meshc", version)
    )
    meshc.bom_ref.value = str(meshc.purl)
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, f"{version}\n{lock}"))
    bom.metadata.timestamp = None  # type: ignore[assignment] # the library leaves it out then
    bom.metadata.component = meshc
    locked = [(pin, _component(pin)) for pin in pins(lock)]
    for _, component in locked:
        bom.components.add(component)
    for name, user in [("meshc", meshc), *((pin.name, component) for pin, component in locked)]:
        bom.register_dependency(user, [component for pin, component in locked if name in pin.needed_by])
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _component(pin: Pin) -> Component:
    purl = PackageURL("pypi", None, pin.name, pin.version)
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(str(purl)),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in pin.digests],
    )
    marker = [Property(name="meshc:environment", value=pin.marker)] if pin.marker else []
    component = Component(name=pin.name, version=pin.version, purl=purl, external_references=[files], properties=marker)
    component.bom_ref.value = str(purl)
    return component
