"""`meshc adopt`: a first mesh.yaml for clusters that run already, and what ours would change in them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from meshc.capture.adopt import adopt
from meshc.capture.dump import Dump, dumps
from meshc.capture.living import Home
from meshc.capture.many import at_once
from meshc.capture.survey import survey
from meshc.capture.theirs import as_applied
from meshc.capture.trouble import AskError, Trouble
from meshc.cli.live import opened_api
from meshc.cli.progress import TERMINAL
from meshc.cli.report import count, paint, say, tell
from meshc.cli.schema import schema_text
from meshc.commands.compiling import compiled_whole, expected_trees
from meshc.commands.opened import Opened
from meshc.disk.repository import Repository
from meshc.errors import Exit, UsageError
from meshc.kube import LABEL, Body
from meshc.output.trees import OUTPUT
from meshc.plain import plain
from meshc.review.diff import compare
from meshc.review.terminal import lines
from meshc.tree import FileTree


def adopt_command(
    file: Path,
    folder: Path | None,
    words: Sequence[str],
    kubeconfig: Path | None,
    timeout: float,
    namespace: str,
    difference: bool,
) -> None:
    """Writes files that aren't there yet, or none; with `difference`, compares and writes nothing."""
    if (folder is None) == (not words):
        raise UsageError("either a folder or clusters", "--from DIR, or --context CLUSTER=CONTEXT for each")
    if folder is not None and not folder.is_dir():
        raise UsageError(f'there is no folder "{folder}"')
    found = dumps(Repository.around(folder)) if folder is not None else _living(words, kubeconfig, timeout, namespace)
    if difference:
        _difference(file, {Home.of(dump).name: dump.bodies for dump in found})
        return
    made = adopt(found)
    files = {file.name: made.mesh.encode(), "mesh.schema.json": schema_text().encode(), **made.files}
    Repository.around(file.parent).create(FileTree(files))
    for path in files:
        tell(f"wrote {(file.parent / path).as_posix()}")
    for dump in found:
        over = f", {count(dump.passed_over, 'file')} passed over" if dump.passed_over else ""
        say(f"  {dump.cluster}: {count(len(dump.bodies), 'object')} read{over}")
        for why in dump.unread:
            say(f"  look at: {plain(why)}{': the whole file is passed over' if folder else ''}")
    for note in made.notes:
        say(f"  look at: {plain(note)}")
    tell("next: meshc validate, then the same command with --diff")


def _living(words: Sequence[str], kubeconfig: Path | None, timeout: float, namespace: str) -> list[Dump]:
    """All clusters at once. Raises the first AskError: a mesh.yaml that lacks a cluster would be a wrong one."""
    pairs = [word.partition("=") for word in words]
    contexts = {name: context or name for name, _, context in pairs}
    if bad := [name for name in contexts if not LABEL.fullmatch(name)]:
        raise UsageError(f"\"{plain(bad[0])}\" can't be a cluster's name", f"--context NAME={plain(bad[0])}")

    def ask(name: str) -> Dump | AskError:
        try:
            return survey(opened_api(name, contexts, kubeconfig, timeout), namespace)
        except AskError as error:
            return error

    def late(name: str) -> Dump | AskError:
        return AskError(Trouble.SLOW, f"{name}: nothing within {timeout:g} s")

    answers = at_once(list(contexts), ask, late, timeout)
    for answer in answers:
        if isinstance(answer, AskError):
            raise answer
    return [answer for answer in answers if isinstance(answer, Dump)]


def _difference(file: Path, theirs: Mapping[str, Sequence[Body]]) -> None:
    """What the first sync would do, object by object; exit 1 where it does something."""
    opened = Opened(file, listener=TERMINAL)
    output = expected_trees(opened, compiled_whole(opened), None).under(OUTPUT)
    found = compare(*as_applied(theirs, output))
    for line in lines(found, (), lambda text, colour: paint(text, colour, sys.stdout)):
        tell(line)
    say("secrets aren't compared; of an object that runs, only what meshc would set in it")
    if found:
        raise typer.Exit(Exit.DIFFERS)
