"""Reads `job.json` (`TrainJob` in src/ports/trainer.ts) and the rows of a frozen dataset, and checks both.

A wrong job or row raises `BadData` with the field or the line in its message; nothing is guessed.
"""

import json
from dataclasses import dataclass
from pathlib import Path

METHODS = ("dpo", "sft", "kto", "rl", "explain", "full", "soft-prompt")


class BadData(Exception):
    """The job or its data is wrong: exit code 2. The message says where and what was expected."""


class BadEnvironment(Exception):
    """A file, package or the disk is not as it must be: exit code 3."""


class Cancelled(Exception):
    """Stopped on request (SIGTERM): exit code 6."""


@dataclass(frozen=True)
class Hyper:
    """Settings of one run. The defaults that Hone sends, and how they were chosen, are in README.md. `rank` is that of a
    LoRA, or the number of virtual tokens of a soft prompt."""

    learningRate: float
    epochs: int
    batchSize: int
    beta: float
    sftWeight: float
    labelSmoothing: float
    strength: float
    rank: int
    alpha: float
    targets: str
    maxLength: int


@dataclass(frozen=True)
class Fit:
    """How a run fits the machine; changes its memory and its speed, not what it learns."""

    microBatch: int
    checkpointing: bool
    processes: int = 1
    sharded: bool = False


@dataclass(frozen=True)
class Job:
    id: str
    method: str
    model: Path
    dataset: Path
    output: Path
    seed: int
    hyper: Hyper
    fit: Fit
    checkpointSeconds: float
    gguf: Path | None = None


TARGETS = ("all-linear", "mlp")
# field: (types, lowest value allowed, whether the lowest itself is allowed)
_HYPER = {
    "learningRate": ((int, float), 0, False),
    "epochs": (int, 1, True),
    "batchSize": (int, 1, True),
    "beta": ((int, float), 0, False),
    "sftWeight": ((int, float), 0, True),
    "labelSmoothing": ((int, float), 0, True),
    "strength": ((int, float), 0, False),
    "rank": (int, 1, True),
    "alpha": ((int, float), 0, False),
    "maxLength": (int, 16, True),
}


def read_job(path: Path) -> Job:
    """The job in `path`, checked.

    >>> read_job(Path("job.json")).hyper.epochs  # doctest: +SKIP
    """
    raw = _read_object(path)
    _known(raw, tuple(Job.__dataclass_fields__), "job")
    method = _text(raw, "method")
    if method not in METHODS:
        raise BadData(f"job.method is {method!r}; it must be one of {', '.join(METHODS)}.")
    seed = raw.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise BadData(f"job.seed is {seed!r}; it must be a whole number from 0 to 4294967295.")
    hyper = _hyper(raw.get("hyper"))
    return Job(
        id=_text(raw, "id"),
        method=method,
        model=_folder(raw, "model", "config.json"),
        dataset=_folder(raw, "dataset", "train.jsonl"),
        output=_path(raw, "output"),
        seed=seed,
        hyper=hyper,
        fit=_fit(raw.get("fit"), hyper.batchSize),
        checkpointSeconds=_seconds(raw.get("checkpointSeconds")),
        gguf=_gguf(raw) if method == "full" else None,
    )


def read_rows(path: Path, needs: tuple[str, ...], may: tuple[str, ...] = ()) -> list[dict]:
    """Rows of a JSONL file, each with its `line` number, the fields in `needs`, and those in `may` that it has; an absent
    file has no rows.

    `prompt`, `chosen`, `rejected` and `completion` are lists of {"role", "content"}; `label` is true or false.
    """
    if not path.exists():
        return []
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            rows.append({"line": number, **_row(line, needs, may, f"{path.name} line {number}")})
    return rows


def _row(line: str, needs: tuple[str, ...], may: tuple[str, ...], where: str) -> dict:
    try:
        raw = json.loads(line)
    except ValueError as error:
        raise BadData(f"{where} is not JSON: {error}.") from None
    if not isinstance(raw, dict):
        raise BadData(f"{where} must be an object.")
    fields = (*needs, *(field for field in may if field in raw))
    for field in fields:
        if field == "label":
            if not isinstance(raw.get(field), bool):
                raise BadData(f"{where}: label must be true or false.")
        else:
            _messages(raw.get(field), f"{where}: {field}", reply=field != "prompt")
    return {field: raw[field] for field in fields}


def _messages(value, where: str, reply: bool) -> None:
    """A reply is one message of the assistant; a prompt ends with a message of the user."""
    if not isinstance(value, list) or not value:
        raise BadData(f"{where} must be a list of messages that is not empty.")
    for message in value:
        if not isinstance(message, dict) or set(message) != {"role", "content"}:
            raise BadData(f"{where} must hold messages of the form {{role, content}}.")
        if message["role"] not in ("system", "user", "assistant") or not isinstance(message["content"], str):
            raise BadData(f"{where} has a message with a wrong role or a content that is not text.")
    if reply and (len(value) != 1 or value[0]["role"] != "assistant"):
        raise BadData(f"{where} must be one message of the assistant.")
    if reply and not value[0]["content"].strip():
        raise BadData(f"{where} is empty.")
    if not reply and value[-1]["role"] != "user":
        raise BadData(f"{where} must end with a message of the user.")


def _hyper(raw) -> Hyper:
    if not isinstance(raw, dict):
        raise BadData("job.hyper must be an object.")
    _known(raw, (*_HYPER, "targets"), "job.hyper")
    if raw.get("targets") not in TARGETS:
        raise BadData(f"job.hyper.targets is {raw.get('targets')!r}; it must be one of {', '.join(TARGETS)}.")
    for field, (types, lowest, inclusive) in _HYPER.items():
        value = raw.get(field)
        kind = "a whole number" if types is int else "a number"
        limit = f"{'of at least' if inclusive else 'above'} {lowest}"
        good = isinstance(value, types) and not isinstance(value, bool)
        if not good or value < lowest or (value == lowest and not inclusive):
            raise BadData(f"job.hyper.{field} is {value!r}; it must be {kind} {limit}.")
    if raw["labelSmoothing"] >= 0.5:
        raise BadData(f"job.hyper.labelSmoothing is {raw['labelSmoothing']!r}; from 0.5 on nothing is learned: it must be below.")
    if raw["strength"] > 1:
        raise BadData(f"job.hyper.strength is {raw['strength']!r}; it must be at most 1, the LoRA as it was trained.")
    return Hyper(**{field: raw[field] for field in (*_HYPER, "targets")})


def _fit(raw, batch: int) -> Fit:
    if not isinstance(raw, dict):
        raise BadData("job.fit must be an object.")
    _known(raw, tuple(Fit.__dataclass_fields__), "job.fit")
    fit = Fit(raw.get("microBatch"), raw.get("checkpointing"), raw.get("processes", 1), raw.get("sharded", False))
    for field, value, of in (("processes", fit.processes, batch), ("microBatch", fit.microBatch, batch)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1 or of % value:
            raise BadData(f"job.fit.{field} is {value!r}; it must be a whole number that divides hyper.batchSize ({of}).")
    if batch % (fit.microBatch * fit.processes):
        raise BadData(f"job.fit.microBatch x processes is {fit.microBatch * fit.processes}; it must divide hyper.batchSize ({batch}).")
    for field in ("checkpointing", "sharded"):
        if not isinstance(getattr(fit, field), bool):
            raise BadData(f"job.fit.{field} is {getattr(fit, field)!r}; it must be true or false.")
    return fit


def _gguf(raw: dict) -> Path:
    path = _path(raw, "gguf")
    if not path.is_file():
        raise BadData(f"job.gguf is {path}, which is no file; full fine-tuning needs the base's GGUF.")
    return path


def _seconds(value) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
        raise BadData(f"job.checkpointSeconds is {value!r}; it must be a number of at least 0.")
    return value


def _read_object(path: Path) -> dict:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadData(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise BadData(f"{path} is not JSON: {error}.") from None
    if not isinstance(raw, dict):
        raise BadData(f"{path} must hold an object.")
    return raw


def _known(raw: dict, fields: tuple[str, ...], where: str) -> None:
    for field in raw:
        if field not in fields:
            raise BadData(f"{where}.{field} is no field of a job.")


def _text(raw: dict, field: str) -> str:
    value = raw.get(field)
    if not isinstance(value, str) or not value:
        raise BadData(f"job.{field} is {value!r}; it must be text that is not empty.")
    return value


def _path(raw: dict, field: str) -> Path:
    path = Path(_text(raw, field))
    if not path.is_absolute():
        raise BadData(f"job.{field} is {str(path)!r}; it must be an absolute path.")
    return path


def _folder(raw: dict, field: str, must_hold: str) -> Path:
    path = _path(raw, field)
    if not (path / must_hold).is_file():
        raise BadData(f"job.{field} is {str(path)!r}, which is no folder with a {must_hold}.")
    return path
