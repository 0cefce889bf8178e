"""Whose fault a difference is: overlays of meshc's own objects are compared as text, a few others are built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from meshc.errors import BuildError
from meshc.overlays.kustomization import kustomization
from meshc.review.honest import BUILT, Honest
from meshc.tree import HEADER, FileTree

ONE = b"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: one\n"
TWO = b"apiVersion: v1\nkind: Service\nmetadata:\n  name: two\n"


@contextmanager
def bar(_: int) -> Iterator[Callable[[], None]]:
    yield lambda: None


def trees(overlays: Mapping[str, bytes], output: Mapping[str, bytes]) -> FileTree:
    both = {f"overlays/{path}": data for path, data in overlays.items()}
    return FileTree(both | {f"output/{path}": data for path, data in output.items()})


def test_own_objects_are_compared_without_a_build() -> None:
    overlays = {
        "_services/all/kustomization.yaml": kustomization(["services.yaml"]),
        "_services/all/services.yaml": HEADER + TWO,
        "a/kustomization.yaml": kustomization(["namespaces.yaml", "../_services/all"]),
        "a/namespaces.yaml": HEADER + ONE,
        "b/kustomization.yaml": kustomization(["namespaces.yaml", "../_services/all"]),
        "b/namespaces.yaml": HEADER + ONE,
    }
    output = {
        "a/kustomization.yaml": kustomization(["namespaces.yaml"]),
        "a/namespaces.yaml": HEADER + ONE,
        "a/services.yaml": HEADER + TWO,
        "b/namespaces.yaml": HEADER + ONE,
        "b/services.yaml": HEADER + TWO.replace(b"two", b"three"),
    }
    honest = Honest(trees(overlays, output), EMPTY, _never, bar, 1, explain=False)

    assert honest.told(["a", "b"]) == {"a": True, "b": False}
    assert honest.skipped == 0


def test_a_kustomization_that_does_more_is_built() -> None:
    """Whoever edited it: patches, a file that is elsewhere, a base that isn't there."""
    for text in (
        kustomization(["one.yaml"], [("patches/p.yaml", {})]),
        kustomization(["one.yaml"]) + b"namePrefix: x\n",
        kustomization(["one.yaml", "../b"]),
        kustomization(["resources/one.yaml"]),
        kustomization(["../_services/gone"]),
    ):
        overlays = {"a/kustomization.yaml": text, "a/one.yaml": ONE, "a/resources/one.yaml": ONE}
        honest = Honest(trees(overlays, {"a/one.yaml": HEADER + ONE}), EMPTY, lambda *_: ONE, bar, 1, explain=False)

        assert honest._linked("a") is None
        assert honest.told(["a"]) == {"a": True}


def test_only_a_handful_is_built_unless_all_are_asked_for() -> None:
    names = [f"c{number}" for number in range(BUILT + 2)]
    overlays = {f"{name}/kustomization.yaml": b"patches: []\n" for name in names}
    output = {f"{name}/one.yaml": HEADER + ONE for name in names}
    few = Honest(trees(overlays, output), EMPTY, lambda *_: ONE, bar, 2, explain=False)
    every = Honest(trees(overlays, output), EMPTY, lambda *_: TWO, bar, 2, explain=True)

    assert few.told(names) == dict.fromkeys(names[:BUILT], True)
    assert few.skipped == 2
    assert every.told(names) == dict.fromkeys(names, False)
    assert every.skipped == 0


PATCHED = kustomization(["one.yaml", "../_services/all"], [("patches/p.yaml", {})])
BASE = kustomization(["services.yaml"])
THREE = TWO.replace(b"two", b"three")


def patched(one: bytes, services: bytes, *, one_out: bytes, services_out: bytes, patch: bytes = b"p") -> FileTree:
    overlays = {"a/kustomization.yaml": PATCHED, "a/one.yaml": HEADER + one, "a/patches/p.yaml": patch}
    overlays |= {"_services/all/kustomization.yaml": BASE, "_services/all/services.yaml": HEADER + services}
    return trees(overlays, {"a/one.yaml": HEADER + one_out, "a/services.yaml": HEADER + services_out})


def test_what_no_patch_reached_is_compared_without_a_build() -> None:
    """The patch turns one into something else, before and after; the services of the base changed since."""
    expected = patched(ONE, THREE, one_out=ONE + b"# patched\n", services_out=THREE)
    found = patched(ONE, TWO, one_out=ONE + b"# patched\n", services_out=TWO)
    edited = patched(ONE, TWO, one_out=ONE + b"# edited\n", services_out=TWO)
    otherwise = patched(ONE, TWO, one_out=ONE + b"# patched\n", services_out=TWO, patch=b"q")
    told = {
        name: Honest(tree, expected, _never, bar, 1, explain=False).told(["a"])["a"]
        for name, tree in {"found": found, "edited": edited, "another patch": otherwise}.items()
    }

    assert told == {"found": True, "edited": False, "another patch": False}


def test_a_file_of_output_follows_by_itself() -> None:
    """An edit in one file says nothing of another one."""
    expected = patched(ONE, THREE, one_out=ONE, services_out=THREE)
    edited = Honest(
        patched(ONE, TWO, one_out=ONE + b"# x\n", services_out=TWO), expected, _never, bar, 1, explain=False
    )

    assert edited.told(["a"]) == {"a": False}
    assert edited.follows("output/a/services.yaml")
    assert not edited.follows("output/a/one.yaml")


def test_an_overlay_that_no_kustomize_builds_is_not_followed() -> None:
    honest = Honest(trees({"a/kustomization.yaml": b"x"}, {}), EMPTY, _never, bar, 1, explain=False)

    assert honest.told(["a"]) == {"a": False}


EMPTY = FileTree({})


def _never(_files: Mapping[str, bytes], _folder: str) -> bytes:
    raise BuildError("not here")
