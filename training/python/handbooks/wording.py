"""Turns short patterns into many surface forms, and roughens questions the way people type them.

A pattern holds `(a|b|c)` for alternatives and `[x]` for something optional; both nest. `{v}` and the like stay.
"""

import random
import zlib
from functools import lru_cache

RESERVED_SHARE = 10  # one wording or name in ten is kept for evaluation


def is_reserved(text: str) -> bool:
    """Whether a wording or a name is kept out of training. Depends on the text alone, so it never moves."""
    return zlib.crc32(text.encode()) % RESERVED_SHARE == 0


@lru_cache(maxsize=None)
def parse(pattern: str) -> tuple:
    """A pattern as nested tuples: a sequence of strings and of alternatives (each again a sequence)."""
    sequence, rest = _sequence(pattern, 0, "")
    assert rest == len(pattern), f"unbalanced bracket in {pattern!r}"
    return sequence


def _sequence(text: str, at: int, closers: str) -> tuple[tuple, int]:
    parts, plain = [], ""
    while at < len(text) and text[at] not in closers:
        if text[at] in "([":
            parts.append(plain)
            plain = ""
            options, at = _alternatives(text, at)
            parts.append(options)
        else:
            plain += text[at]
            at += 1
    return tuple(part for part in (*parts, plain) if part != ""), at


def _alternatives(text: str, at: int) -> tuple[list, int]:
    optional = text[at] == "["
    closer = "]" if optional else ")"
    options = [()] if optional else []
    while True:
        option, at = _sequence(text, at + 1, "|" + closer)
        assert at < len(text), f"unbalanced bracket in {text!r}"
        options.append(option)
        if text[at] == closer:
            return options, at + 1


def expand(pattern: str, rng: random.Random) -> str:
    """One surface form of a pattern."""
    return _pick(parse(pattern), rng)


def _pick(sequence: tuple, rng: random.Random) -> str:
    return "".join(part if isinstance(part, str) else _pick(rng.choice(part), rng) for part in sequence)


def capital(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def join(items: list[str]) -> str:
    """["A", "B", "C"] as "A, B and C"."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


GREETINGS = ["Hi, ", "Hello, ", "Hi! ", "Hello! ", "Hey, ", "Good morning, ", "Quick question: ", "One more thing: ", "Please tell me: ",
             "Quick one: ", "I was wondering: ", "Can you help me? ", "I need some help. ", "Could you look this up? ", "Maybe you know this. ", "Dear bot, ", "A short question: ",
             "I couldn't find this. ", "Next question: ", "Good afternoon, ", "Thank you. ", "Great. ", "Hm, ", "By the way, ", "Sorry, ", "Excuse me, ", "I have a question. ", "Thanks. ", "Ok, ", "Hi there, ", "And ", "So ", "Just wondering: ", "Also, "]
CLOSERS = [" Thanks!", " Thank you.", " Please.", " I can't find it.", " I forgot.", " My colleague asked me.", " I'm new here.", " It's urgent.", " I'm not sure.", " Do you know?", " Any idea?", " Can you help?",
           " Somebody asked me.", " Thanks in advance.", " I looked everywhere."]


def typo(text: str, rng: random.Random) -> str:
    """The text with one letter swapped, dropped or doubled, never a digit or the start of a word."""
    spots = [i for i in range(1, len(text) - 1) if text[i - 1 : i + 2].isalpha() and text[i].islower()]
    if not spots:
        return text
    at, how = rng.choice(spots), rng.random()
    if how < 0.4:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if how < 0.7 else text[:at] + text[at] + text[at:]


def roughen(question: str, rng: random.Random, keep: str = "") -> str:
    """A question as somebody might type it. `keep` (a name that was asked about) is spared from typos."""
    roll = rng.random()
    if roll < 0.10:
        greeting = rng.choice(GREETINGS)
        whole = greeting[-2] in ".!?" or question.startswith(("I ", "I'"))
        question = greeting + (question if whole else question[0].lower() + question[1:])
    elif roll < 0.14:
        question += rng.choice(CLOSERS)
    if rng.random() < 0.03:
        at = question.find(keep) if keep else -1
        question = typo(question, rng) if at < 0 else typo(question[:at], rng) + question[at:]
    if rng.random() < 0.08:
        question = question.rstrip("?.!") + rng.choice(["", "", "", "??", "...", " ?", "?!"])
    if rng.random() < 0.04 and "'" in question:
        question = question.replace("'", rng.choice(["", "’"]))
    if rng.random() < 0.08:
        question = question.lower()
    return question
