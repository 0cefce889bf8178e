"""Queries many clusters in parallel, with a timeout for each."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
_AT_ONCE = 32
_GRACE = 5.0


def at_once(
    items: Sequence[Item],
    ask: Callable[[Item], Answer],
    late: Callable[[Item], Answer],
    seconds: float,
    step: Callable[[], None] = lambda: None,
) -> list[Answer]:
    """One answer for each item, in order.

    `ask` should end within `seconds`. If it doesn't, for example because a login program hangs, the answer comes from
    `late`, and the hanging thread doesn't delay the end of the command. Raises what `ask` raises.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    answers: queue.SimpleQueue[tuple[int, Answer | None, BaseException | None]] = queue.SimpleQueue()
    for number in range(len(items)):
        waiting.put(number)

    for _ in range(min(_AT_ONCE, len(items))):
        threading.Thread(target=_work, args=(waiting, answers, lambda number: ask(items[number])), daemon=True).start()
    found: dict[int, Answer] = {}
    while len(found) < len(items):
        try:
            number, answer, error = answers.get(timeout=seconds + _GRACE)
        except queue.Empty:
            break
        if error is not None:
            raise error
        found[number] = answer  # type: ignore[assignment] # there is a result if nothing was raised
        step()
    return [found[number] if number in found else late(item) for number, item in enumerate(items)]


def _work(
    waiting: queue.SimpleQueue[int],
    answers: queue.SimpleQueue[tuple[int, Answer | None, BaseException | None]],
    ask: Callable[[int], Answer],
) -> None:
    while True:
        try:
            number = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            answers.put((number, ask(number), None))
        except BaseException as error:
            answers.put((number, None, error))
