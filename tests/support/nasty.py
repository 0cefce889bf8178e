"""Values and keys that a mistake, a merge or an attacker may put into YAML."""

from __future__ import annotations

import json
from collections.abc import Callable

HARMFUL = "a\u0007\u001b[31m\u009b2J\u0000\u2028b"
BIDI = "a\u202ereversed\u2066inside\u2069\u200f\ufeffb"

TYPES = {
    "number": "17",
    "truth": "true",
    "float": "2.5",
    "list": "[[]]",
    "mapping": "{x: {}}",
    "list of mappings": "[{x: {}}, 3]",
}
"""Values that almost no field of mesh.yaml accepts. The few fields that do are recognized by their earlier value."""

VALUES = TYPES | {
    "nothing": "",
    "empty text": '""',
    "empty list": "[]",
    "empty mapping": "{}",
    "blank": '"  "',
    "huge": json.dumps("x" * 100_000),
    "control": json.dumps(HARMFUL),
    "control, raw": '"a\u0007b"',
    "bidi": json.dumps(BIDI, ensure_ascii=True),
    "bidi, raw": f'"{BIDI.replace(chr(0xFEFF), "")}"',
    "path outside": '"../../../../../../etc/passwd"',
    "absolute path": '"/etc/passwd"',
    "path into .git": '".git/config"',
    "template": '"${HOME} {{ .Values }} $(id) `id` %s"',
    "negative": "-1",
    "huge number": "9" * 5000,
    "exponent": "1e999",
    "infinite": ".inf",
    "no number": ".nan",
    "word of YAML 1.1": "yes",
    "deep": "[" * 40 + "]" * 40,
    "too deep": "{a: " * 100 + "b" + "}" * 100,
    "alias": "*nowhere",
    "tag": "!!python/object/apply:os.system [id]",
}

KEYS: dict[str, Callable[[str], str]] = {
    "letters swapped": lambda key: key[:1] + key[2] + key[1] + key[3:] if len(set(key[1:3])) == 2 else key[::-1],
    "letter dropped": lambda key: key[:-1],
    "letter doubled": lambda key: key[:1] + key,
    "upper case": str.upper,
}
ODD_KEYS: dict[str, Callable[[str], str]] = {
    "huge key": lambda key: key * 20_000,
    "long key": lambda key: key + "x" * 900,  # a plain key may have 1024 characters
    "control in key": lambda key: json.dumps(key + HARMFUL),
    "bidi in key": lambda key: json.dumps(key + BIDI),
    "empty key": lambda _: '""',
    "null key": lambda _: "~",
    "number as key": lambda _: "17",
    "merge key": lambda _: "<<",
}

RARE = (
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "!!binary aGk=",
    "!!set {a, b}",
    "!!timestamp 9999-12-31",
    "!!float 1",
    "!!int 9" + "9" * 5000,
    "0x" + "f" * 5000,
    "-" + "1" * 5000,
    "1e-999",
    "-0.0",
    "0o777",
    '"\\ud800"',
    '"\\0"',
    '"a\\nb: c"',
    "|\n      text\n",
    "&a [*a]",
    "{? [a]: b}",
    "{? {a: b}: c}",
    "{<<: {a: 1}}",
    "{<<: [1]}",
    "{a: 1, a: 2}",
    "{1: a, true: b, ~: c, 1.5: d}",
    "[[[[[[[[[[{}]]]]]]]]]]",
    "[" + ", ".join(["{a: 1}"] * 2000) + "]",
    "xn--nxasmq6b",
    '"\\u05d0.example"',
    '"https://[::1"',
    '"https://a:99999999999"',
    '"https://exa mple:6443"',
    "256.1.1.1",
    "10.0.0.0/99",
    '"::ffff:1.2.3.4%eth0"',
    '"' + "a." * 300 + '"',
    '"' + "(" * 3000 + '"',
    '"ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]"',
    '"-----BEGIN CERTIFICATE-----"',
    '"AgBy"',
    "null",
    "{apiVersion: v1, kind: List, items: [{kind: List, items: [{}]}]}",
    "{apiVersion: v1, kind: Secret, metadata: [], data: 7}",
)
"""Further values, which the tests of mesh.yaml use only by chance."""

BOMB = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10) if n else 'a'}]\n" for n in range(10))
"""A small text that becomes a billion values when its aliases are expanded."""
