"""Decides whether a reply is right: the value is in it, the citation fits, or it says that it doesn't know."""

import re
from collections import defaultdict

from .dialogues import Turn

UNKNOWN = re.compile(r"don.?t know", re.IGNORECASE)


def says_unknown(reply: str) -> bool:
    """Whether the reply admits that it doesn't know."""
    return bool(UNKNOWN.search(reply))


def cites(reply: str) -> list[int]:
    """The passage numbers that a reply cites."""
    return [int(n) for n in re.findall(r"\[(\d+)\]", reply)]


def is_right(turn: Turn, reply: str) -> bool:
    """Whether a reply holds the turn's value; of a list all items; of a question without an answer, that it's unknown."""
    if turn.kind.endswith("unknown"):
        return says_unknown(reply)
    if turn.value is None:
        return not cites(reply) and not says_unknown(reply)
    low = reply.lower()
    if turn.items:
        return all(item.lower() in low for item in turn.items)
    if turn.value in ("Yes", "No"):
        return re.search(r"\b(yes|no)\b", low) is not None and re.search(r"\b(yes|no)\b", low)[0] == turn.value.lower()
    return re.search(r"(?<!\d)" + re.escape(turn.value.lower()) + r"(?!\d)", low) is not None


def group_of(turn: Turn) -> str:
    """The coarse kind that figures are given for."""
    head = turn.kind.split(":")[0]
    if head in ("unknown", "talk"):
        return head
    if turn.kind == "follow:unknown":
        return "unknown-follow-up"
    if head == "follow":
        return "follow-up"
    return "list" if turn.items else "yes-no" if turn.value in ("Yes", "No") else "fact"


def figures(turns: list[Turn], replies: list[str]) -> dict:
    """Shares of right replies by group, of false "don't know", and of citations that fit."""
    right, total, false_unknown, answerable, cited, misses = defaultdict(int), defaultdict(int), 0, 0, 0, []
    for turn, reply in zip(turns, replies, strict=True):
        group, good = group_of(turn), is_right(turn, reply)
        total[group] += 1
        right[group] += good
        if turn.citation is not None:
            answerable += 1
            false_unknown += says_unknown(reply)
            cited += cites(reply) == [turn.citation]
        if not good:
            misses.append({"kind": turn.kind, "question": turn.question, "value": turn.value, "reply": reply})
    known = [g for g in total if not g.startswith("unknown") and g != "talk"]
    unknown = [g for g in total if g.startswith("unknown")]
    share = lambda groups: round(sum(right[g] for g in groups) / max(1, sum(total[g] for g in groups)), 3)
    return {"right": share(known), "unknown": share(unknown), "false_unknown": round(false_unknown / max(1, answerable), 3),
            "citation": round(cited / max(1, answerable), 3), "groups": {g: f"{right[g]}/{total[g]}" for g in sorted(total)}, "misses": misses}
