"""The image is made from pinned parts alone, and holds nothing else of the repository."""

from __future__ import annotations

import fnmatch
import re
import tomllib

from support.paths import ROOT

DOCKERFILE = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
LINES = [
    (line.split()[0], line.split(None, 1)[1]) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")
]


def of(word: str) -> list[str]:
    return [rest for first, rest in LINES if first == word]


def test_the_image_is_made_of_exact_versions() -> None:
    names = [re.fullmatch(r"(\S+?):(\S+?)(@sha256:[0-9a-f]{64})?( AS \w+)?", base) for base in of("FROM")]
    assert len(names) == 3
    for found in names:
        assert found is not None
        assert re.match(r"\d+\.\d+\.\d+", found[2]), found[0]
    for command in of("RUN"):
        for step in command.split("&&"):
            if "pip install" in step:
                assert "--require-hashes" in step or "--no-index" in step, step
            if "apt-get install" in step:
                assert {"--yes", "--no-install-recommends"} <= set(step.split())
                assert command.rstrip().endswith("rm -rf /var/lib/apt/lists/*")
        assert not re.search(r"\b(curl|wget|sudo|chmod 777)\b", command)
    assert not of("ADD")


def test_the_image_runs_meshc_as_nobody() -> None:
    last = max(number for number, (word, _) in enumerate(LINES) if word == "FROM")
    words = dict(LINES[last:])
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", words["USER"])
    assert words["ENTRYPOINT"] == '["meshc"]'
    assert not any(re.search(r"(?i)token|password|key", rest) for rest in [*of("ENV"), *of("ARG")])


def test_what_the_image_copies_is_there_and_nothing_else_reaches_the_builder() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    copied = {name for rest in of("COPY") if not rest.startswith("--from") for name in rest.split()[:-1]}
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied
    for name in copied:
        assert (ROOT / name).exists(), name
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["metadata"]["hooks"]["custom"]["path"] in copied  # the build runs it
    assert not any(fnmatch.fnmatch(name, "*key*") for name in copied)
