"""The stories by name. The only list of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proof.stories import from_nothing
from proof.world import World


@dataclass(frozen=True)
class Story:
    """A story, and what it shows. One that is known to fail says by which fault, and is red when it passes.

    `after` names the story whose world it goes on with.
    """

    name: str
    shows: str
    tell: Callable[[World], None]
    after: str = ""
    known: str = ""


STORIES = (Story("from-nothing", "init, CA, seal, commit, Flux applies, requests with mutual TLS", from_nothing.tell),)
