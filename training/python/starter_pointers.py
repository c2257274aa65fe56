"""Where a reply's words come from: the generator knows, so attention can be taught instead of waited for.

Finding the one sentence that a question asks about is the slowest thing for a small model to learn from the words of the
replies alone: the reply says which fact was meant only through what is copied. Here four heads are told where to look:
at the first token of the value, of the sentence that states it, at the number of its passage, and, while words are copied,
at the word that comes next. For what the passages don't hold, the first two look at the very first token, which says
nothing. (Supervised attention: Liu et al. 2016, https://aclanthology.org/C16-1291.)
"""

from bisect import bisect_right
from dataclasses import dataclass

from handbooks import Turn
from handbooks.sections import Claim

VALUE, SENTENCE, NUMBER, NEXT = 0, 1, 2, 3  # which head looks there


@dataclass
class Placed:
    """A message in a sequence of tokens: its text, where its body begins, and where each token begins in the text."""

    text: str
    first: int
    starts: list[int]

    def token(self, offset: int) -> int:
        """The token that holds the character at an offset."""
        return self.first + bisect_right(self.starts, offset) - 1


def plain(text: str) -> tuple[str, list[int]]:
    """The text without its bold marks, and where each character stood."""
    kept = [i for i in range(len(text)) if text[i] != "*"]
    return "".join(text[i] for i in kept), kept


def stated(claim: Claim) -> tuple[list[int], list[int]]:
    """Where in its passage's body each character of a claim's value and of its sentence stands; empty if not found."""
    text, at = plain(claim.section.body)
    sentence = text.find(claim.evidence)
    if sentence < 0 and (rest := text.find(claim.evidence[1:])) > 0:
        sentence = rest - 1
    inside = claim.evidence.find(claim.value)
    if sentence >= 0:
        words = at[sentence : sentence + len(claim.evidence)]
        return (words[inside : inside + len(claim.value)] if inside >= 0 else []), words
    value = text.find(claim.value) if text.count(claim.value) == 1 else -1
    return (at[value : value + len(claim.value)] if value >= 0 else []), []


def copied(reply: Placed, words: str, places: list[int], shown: Placed, base: int) -> dict[int, int]:
    """For each token of a reply that belongs to copied words: the token before it, and the one it is copied from."""
    begins = reply.text.lower().find(words.lower())
    if begins < 0 or len(places) != len(words):
        return {}
    found = {}
    for token in range(reply.token(begins), reply.token(begins + len(words) - 1) + 1):
        offset = max(0, reply.starts[token - reply.first] - begins)
        blank = offset < len(words) - 1 and words[offset] == " "
        found[token - 1] = shown.token(base + places[offset + blank])
    return found


def pointers(turns: list[Turn], users: list[Placed], replies: list[Placed]) -> list[tuple[int, int, int]]:
    """(token that looks, head, token looked at) for the turns of a dialogue."""
    found = []
    for i, (turn, reply) in enumerate(zip(turns, replies, strict=True)):
        if turn.claim is None:
            found += [(reply.first - 1, VALUE, 0), (reply.first - 1, SENTENCE, 0)]
            continue
        section = turn.claim.section
        head = f"[{section.number}] {section.title}\n"
        shown = next((user for user in users[: i + 1] if head in user.text), None)
        if shown is not None:
            begins = shown.text.index(head)
            found += links_of(turn.claim, reply, shown, (begins + 1, begins + len(head)))
    return found


def links_of(claim: Claim, reply: Placed, shown: Placed, begins: tuple[int, int]) -> list[tuple[int, int, int]]:
    """The pointers of one reply. `begins` says where in `shown` the passage's number and its body begin."""
    start, number, body = reply.first - 1, shown.token(begins[0]), begins[1]
    value, sentence = stated(claim)
    found = [(start, NUMBER, number)]
    cited = reply.text.find(f"[{claim.section.number}]")
    if cited >= 0:
        found.append((reply.token(cited + 1) - 1, NUMBER, number))
    if sentence:
        found.append((start, SENTENCE, shown.token(body + sentence[0])))
    if value:
        found.append((start, VALUE, shown.token(body + value[0])))
        said = reply.text.lower().find(claim.value.lower())
        if said > 0:
            found.append((reply.token(said) - 1, VALUE, shown.token(body + value[0])))
    links = copied(reply, claim.value, value, shown, body) | copied(reply, claim.evidence, sentence, shown, body)
    return found + [(looks, NEXT, at) for looks, at in links.items()]
