"""Reads the topic tables: what handbooks talk about, how facts are stated, and how people ask for them.

A line begins with its role:  @ audience | page titles | section headings      = fact | labels | value spec [| slot]
+ a statement (or its "yes" form)      - its "no" form      ? a question.  Statements and questions are patterns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ..wording import is_reserved

FOLDER = Path(__file__).parent


@dataclass(eq=False)  # each is itself alone, and comparing by content is slow
class Fact:
    """One kind of fact, such as the yearly vacation or the price of a plan (slot "plan")."""

    id: str
    labels: list[str]
    spec: str
    slot: str
    says: list[tuple[bool, str]] = field(default_factory=list)  # (is it the "yes" form, pattern)
    asks: list[str] = field(default_factory=list)

    @property
    def yes_no(self) -> bool:
        return self.spec == "yes"


@dataclass(eq=False)  # each is itself alone, and comparing by content is slow
class Topic:
    """A section's subject: facts that handbooks tell together."""

    audience: str
    pages: list[str]
    heads: list[str]
    facts: list[Fact] = field(default_factory=list)


@lru_cache(maxsize=1)
def load() -> list[Topic]:
    """All topics of all tables."""
    topics: list[Topic] = []
    for path in sorted(FOLDER.glob("*.txt")):
        for line in path.read_text().splitlines():
            if line.strip():
                _take(topics, line[0], [part.strip() for part in line[2:].split(" | ")], line[2:].strip())
    return topics


def _take(topics: list[Topic], role: str, parts: list[str], text: str) -> None:
    """Adds one line of a table to what was read so far."""
    if role == "@":
        topics.append(Topic(parts[0], _words(parts[1]), _words(parts[2])))
    elif role == "=":
        topics[-1].facts.append(Fact(parts[0], _words(parts[1]), parts[2], parts[3] if len(parts) > 3 else ""))
    elif role in "+-":
        topics[-1].facts[-1].says.append((role == "+", text))
    elif role == "?":
        topics[-1].facts[-1].asks.append(text)
    else:
        raise ValueError(f"a line must begin with one of @ = + - ?: {role} {text}")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(", ")]


def on_side(patterns: Sequence[str], held_out: bool, rng) -> str:
    """One pattern for this side of the split: training never sees a reserved one, evaluation takes either kind."""
    patterns, free, reserved = _sides(tuple(patterns))
    if len(patterns) < 3 or not free:
        return rng.choice(patterns)
    if not held_out:
        return rng.choice(free)
    return rng.choice(reserved) if reserved and rng.random() < 0.5 else rng.choice(patterns)


@lru_cache(maxsize=None)
def _sides(patterns: tuple) -> tuple[tuple, list, list]:
    """All patterns, those that training may use, and those kept for evaluation."""
    return patterns, [p for p in patterns if not is_reserved(p)], [p for p in patterns if is_reserved(p)]
