"""No regular expression of meshc takes more time than in proportion to the text, however hostile the text is."""

from __future__ import annotations

import importlib
import pkgutil
import re
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import meshc
from support.patterns import Use, built_from_values, held_by, hostile, methods_in, written_in

pytestmark = pytest.mark.thorough

LENGTH = 16_000
FLOOR, LIMIT = 0.02, 0.3
"""Seconds of the processor. A linear pattern needs a hundredth of the first; what needs the second is given up."""
FILES = sorted(Path(meshc.__file__).parent.rglob("*.py"))


class TooLongError(Exception):
    pass


def seconds(run: Callable[[], object]) -> float:
    """Time of the processor that something takes, or LIMIT where it takes longer. Python's engine heeds signals."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGVTALRM, stop)
    start = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
    try:
        run()
    except TooLongError:
        return LIMIT
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return time.process_time() - start


def runs(use: Use, text: str) -> Iterator[Callable[[], object]]:
    data: Any = text if isinstance(use.pattern.pattern, str) else text.encode()
    for method in sorted({_AS_SEARCH.get(method, method) for method in use.methods}):
        called = partial(getattr(use.pattern, method), data)
        yield partial(_emptied, called) if method == "finditer" else called


def _emptied(find: Callable[[], Iterator[object]]) -> None:
    for _ in find():
        pass


_AS_SEARCH = {"split": "finditer", "sub": "finditer", "subn": "finditer", "findall": "finditer"}


def hurts(use: Use) -> str | None:
    """A short form of a text for which the time grows faster than the text."""
    for text in hostile(use.pattern, LENGTH):
        took = max(map(seconds, runs(use, text)))
        if took >= LIMIT or (took > FLOOR and grows(use, text)):
            return f"{text[:40]!r}...{text[-10:]!r}"
    return None


def grows(use: Use, text: str) -> bool:
    """Whether four times the text takes much more than four times the time; each the best of two."""
    short, _, long = (
        max(min(seconds(run), seconds(run)) for run in runs(use, text[: len(text) // part] + text[-2:]))
        for part in (4, 2, 1)
    )
    return long >= LIMIT or long > 7 * short


def uses() -> Iterator[Use]:
    names = [one.name for one in pkgutil.walk_packages(meshc.__path__, "meshc.") if not one.name.endswith("__main__")]
    modules = [importlib.import_module(name) for name in names]
    called: dict[str, set[str]] = {}
    by_file = {}
    for module in modules:
        file = Path(str(module.__file__))
        by_file[module.__name__] = methods_in(file)
        for name, methods in by_file[module.__name__].items():
            if not name.startswith("_"):
                called.setdefault(name, set()).update(methods)
        for where, text, method in written_in(file):
            yield Use(where, re.compile(text), frozenset({method}))
    for module in modules:
        here = by_file[module.__name__]
        handed = set(re.findall(r"\bmatching\((\w+)", Path(str(module.__file__)).read_text()))  # a rule of a word
        others = {
            method
            for name, methods in here.items()
            if name.islower() and name != "re"
            for method in methods - {"split"}
        }
        for name, value in vars(module).items():
            for pattern in held_by(value):
                methods = here.get(name, set()) | called.get(name, set())
                methods |= by_file["meshc.mesh.model.words"]["pattern"] if name in handed else set()
                methods = methods or others or {"search", "fullmatch"}
                yield Use(f"{module.__name__}.{name}", pattern, frozenset(methods))


def every() -> list[Use]:
    """Each pattern once, with all methods that it is used by."""
    found: dict[re.Pattern[Any], Use] = {}
    for use in uses():
        known = found.get(use.pattern, use)
        found[use.pattern] = Use(known.where, use.pattern, known.methods | use.methods)
    return list(found.values())


def test_no_pattern_is_slow() -> None:
    all_of_them = every()
    slow = {use.where: (use.pattern.pattern, text) for use in all_of_them if (text := hurts(use))}
    assert not slow
    assert len(all_of_them) > 100


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"a[a-z]*\.b", "search"),
        (r"eyJ[A-Za-z0-9_-]{10,}\.eyJ", "search"),
        (r"\s*,?\s*x", "match"),
        (r"(?m)^[\s{-]*kind", "search"),
        (rb"-----BEGIN ([A-Z ]*)-----.*?-----END \1-----", "search"),
        (r"(a+)+b", "fullmatch"),
        (r"([a-z-]+)+[A-Z]", "fullmatch"),
        (r"(a|a)*b", "match"),
        (r"(?:\n?\s*-\s*\S+)+x", "search"),
    ],
)
def test_a_slow_pattern_would_be_found(pattern: str | bytes, method: str) -> None:
    assert hurts(Use("planted", re.compile(pattern), frozenset({method})))


BUILT = {
    "diff.py: re.compile(f'(?<=/cluster/){re.escape(name)}(?![A-Za-z0-9.-])')": "a name that is escaped",
    "sops_format.py: re.compile(f'^{names[0]}$' if len(names) == 1 else f\"^({'|'.join(names)})$\")": "meshc's own",
    "needles.py: re.compile(_FIRST_PART + rest)": "written down beside it",
    "sops_format.py: re.compile(regex)": "names between ^ and $, which _NAMES has checked",
}
"""The patterns that functions build, and why none of them can be a stranger's."""


def test_patterns_are_written_down() -> None:
    assert {one for file in FILES for one in built_from_values(file)} == BUILT.keys()
