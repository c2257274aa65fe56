"""JSON-line events on stdout, and nothing else there: whatever a library prints goes to stderr, the human log.

    {"type": "stage", "stage": "train", "state": "start"}

The parent reads one object a line and ignores types it does not know. Only rank 0 of a multi-GPU run writes.
"""

import json
import math
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

HEARTBEAT_SECONDS = 15

_stdout = None
_lock = threading.Lock()


def take_stdout() -> None:
    """Keeps stdout for events alone. Prints, progress bars and C libraries are sent to stderr from here on."""
    global _stdout
    if _stdout is not None:
        return
    _stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr


def give_back_stdout() -> None:
    """Undoes `take_stdout`, for a process that is about to replace itself."""
    if _stdout is not None:
        os.dup2(_stdout.fileno(), 1)


def emit(type: str, **fields) -> None:
    """Writes one event. A number that is not finite is left out, for JSON has no NaN."""
    if os.environ.get("RANK", "0") != "0":
        return
    clean = {key: value for key, value in fields.items() if value is not None and not _nan(value)}
    line = json.dumps({"type": type, **clean}, ensure_ascii=False)
    with _lock:
        print(line, file=_stdout or sys.stdout, flush=True)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Says that a stage starts, and that it is done unless it raised."""
    emit("stage", stage=name, state="start")
    yield
    emit("stage", stage=name, state="done")


def start_heartbeat(seconds: float = HEARTBEAT_SECONDS) -> None:
    """A line every so often, so that a parent can tell slow from stuck."""
    stopped = threading.Event()

    def beat() -> None:
        while not stopped.wait(seconds):
            emit("heartbeat")

    threading.Thread(target=beat, name="heartbeat", daemon=True).start()


def _nan(value) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
