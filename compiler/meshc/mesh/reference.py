"""Writes the reference page of mesh.yaml from its model: one table for each mapping, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshc.mesh.schema import json_schema

_INTRODUCTION = """# mesh.yaml

This page lists every key of mesh.yaml. It is generated from meshc's model (`meshc schema --markdown`).
`meshc schema > mesh.schema.json` writes the schema for editors: the first line
`# yaml-language-server: $schema=mesh.schema.json` turns on completion and checks while typing.

The file is read strictly: as YAML 1.2, one document, no key twice, no unknown key, no tags, no merge keys.
Words that older YAML reads as something else (`no`, `on`, `010`) must be quoted. Paths are relative to
the file that contains them, and must stay inside its Git repository. Files that `spec.include` names contain
more entries of the same lists ([parts](parts.md)).

**Selections.** All keys that select clusters accept these four forms:

| spelling | means |
|---|---|
| `all` | every cluster |
| `[hub, edge-1]` | these |
| `{matchLabels: {env: prod}, matchExpressions: [...]}` | clusters whose `labels` fit |
| `{except: [hub]}` | every cluster but these; also beside `names`, `matchLabels` and `matchExpressions` |

"""


def reference() -> str:
    """docs/mesh-yaml.md."""
    schema = json_schema()
    definitions = schema["$defs"]
    sections = [_section("mesh.yaml", schema, schema)]
    seen: set[str] = set()
    for path, name in _in_order("", schema, definitions):
        if name not in seen:
            seen.add(name)
            sections.append(_section(path, definitions[name], schema))
    return _INTRODUCTION + "\n".join(sections)


def _in_order(path: str, mapping: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in mapping.get("properties", {}).items():
        for name in _references(value):
            if name in ("Selector", "MatchExpression"):
                continue
            below = f"{path}.{key}".lstrip(".") + ("[]" if _is_list(value) else "")
            yield below, name
            yield from _in_order(below, definitions[name], definitions)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if "$ref" in value:
            yield value["$ref"].rpartition("/")[2]
        for key, item in value.items():
            if key != "discriminator":
                yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _is_list(value: Mapping[str, Any]) -> bool:
    return value.get("type") == "array" or any(_is_list(option) for option in value.get("anyOf", []))


def _section(title: str, mapping: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    required = mapping.get("required", [])
    lines = [
        f"## {title}",
        "",
        _one_line(mapping.get("description", "")),
        "",
        "| key | value | default | meaning |",
        "|---|---|---|---|",
    ]
    for key, value in mapping["properties"].items():
        default = "required" if key in required else _default(value.get("default"))
        meaning = _one_line(value.get("description") or _referenced(value, schema))
        lines.append(f"| `{key}` | {_type(value)} | {default} | {meaning} |")
    return "\n".join([*lines, ""])


def _referenced(value: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    names = list(_references(value))
    return str(schema["$defs"][names[0]].get("description", "")) if names else ""


def _type(value: Mapping[str, Any]) -> str:
    if value.get("oneOf") and "Selector" in {*_references(value)}:
        return "selection"
    if "$ref" in value:
        return "mapping"
    if "const" in value:
        return f"`{_word(value['const'])}`"
    if "enum" in value:
        return " \\| ".join(f"`{_word(item)}`" for item in value["enum"]) if len(value["enum"]) <= _FEW else "text"
    for options in ("anyOf", "oneOf"):
        if options in value:
            kinds = [_type(option) for option in value[options] if option.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if value.get("type") == "array":
        return f"list of {_type(value.get('items', {}))}"
    if value.get("type") == "object":
        keys = next((one["enum"] for one in value.get("propertyNames", {}).get("anyOf", ()) if "enum" in one), ())
        return f"mapping of {', '.join(f'`{key}`' for key in keys)}" if keys else "mapping of text"
    return {"string": "text", "integer": "number", "boolean": "`true` \\| `false`"}.get(str(value.get("type")), "text")


_FEW = 12
"""Words that are listed in a table."""


def _default(value: Any) -> str:
    if value in (None, {}, []) or isinstance(value, dict):
        return ""
    return f"`{_word(value)}`"


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
