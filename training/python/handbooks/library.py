"""A handbook with a search of its own, and dialogues that read what it finds.

Passages that were picked for a dialogue are easy to tell apart. Those that a search returns share the question's words,
so this is what a model must practise on: every question searches, and what the thread hasn't shown yet is shown.
"""

import math
import random
import re
from collections import Counter

from .dialogues import Dialogue, Maker, Near, Turn, system_message
from .questions import ask, ask_unknown, near, off_topic
from .sections import Section, build, fillers
from .topics import load

MOST_ASKED = 10  # questions on one sheet
MOST_SHOWN = 9  # passages in a thread, after which it only asks about those
COMMON = set("a an and are at be can do does for from get have how i in is it long many may me much my of on or our please that the there this to up was we what when where which who will with you your".split())


def terms(text: str) -> list[str]:
    """Words that carry a subject, without the commonest endings."""
    return [re.sub(r"(?:ing|ed|es|s)$", "", w) or w for w in re.findall(r"[a-z0-9]+", text.lower()) if w not in COMMON]


class Library:
    """Sections of one firm, ranked by BM25 (k1 1.2, b 0.5) with a little noise, as no two searches rank alike."""

    def __init__(self, sections: list[Section], rng: random.Random):
        self.sections, self.rng = sections, rng
        self.counts = [Counter(terms(f"{s.title} {s.title} {s.body}")) for s in sections]
        self.lengths = [sum(c.values()) for c in self.counts]
        self.mean = sum(self.lengths) / max(1, len(sections))
        held = Counter(t for c in self.counts for t in c)
        self.weight = {t: math.log(1 + (len(sections) - n + 0.5) / (n + 0.5)) for t, n in held.items()}

    def search(self, query: str, count: int) -> list[Section]:
        """The sections nearest to a query, best first."""
        asked = [t for t in terms(query) if t in self.weight]
        return [self.sections[i] for i in sorted(range(len(self.sections)), key=lambda i: -self.score(i, asked))[:count]]

    def score(self, at: int, asked: list[str]) -> float:
        counts, norm = self.counts[at], 1.2 * (0.5 + 0.5 * self.lengths[at] / self.mean)
        return sum(self.weight[t] * 2.2 * counts[t] / (counts[t] + norm) for t in asked if counts[t]) + self.rng.random() * 0.8


class Reader(Maker):
    """Makes one dialogue about a handbook of its own: what is shown is what the search returns."""

    def __init__(self, rng: random.Random, shape, held_out: bool = False, near: Near | None = None):
        super().__init__(rng, shape, held_out, near)
        self.found: list[Section] = []  # by the last search
        self.library = Library(self.write_sections(rng.randint(*shape.library)), rng)

    def write_sections(self, count: int) -> list[Section]:
        """Sections of as many topics, pages with neighbours first; now and then a page's opening words, which state nothing."""
        topics = load()[:]
        self.rng.shuffle(topics)
        pages, made = set(), []
        for topic in topics:
            page = next((p for p in topic.pages if p in pages), None) or self.rng.choice(topic.pages)
            if page not in pages:
                pages.add(page)
                if self.rng.random() < 0.5:
                    made.append(Section(page, "", " ".join([f"This page is for everyone at {self.world.company}.", *fillers(self.world, page, 1)]), []))
            made.append(build(self.world, topic, self.rng.randint(1, 4), self.rng.randint(0, 3), page))
            self.used.append(topic)
            if len(made) >= count:
                break
        return made

    def turn(self, first: bool) -> Turn:
        roll = self.rng.random()
        if roll < self.shape.talk:
            turn = self.talk()
            new = self.search(turn.user)
        elif roll < self.shape.talk + self.shape.unknown:
            turn = self.unanswered(self.nowhere(), "unknown")
            new = self.search(turn.user)
        else:
            claim, question, kind = self.pick(self.about())
            new = self.search(question, claim.section)
            turn = self.answered(claim, question, kind)
        return self.lay_out(turn, new, self.found)

    def search(self, question: str, gold: Section | None = None) -> list[Section]:
        """What the search finds and the thread hasn't shown, numbered on; the section that answers is always among it."""
        found = self.library.search(self.searched(question), self.shape.found)
        if gold and not any(s is gold for s in found):
            found[self.rng.randrange(len(found))] = gold
        self.found = found
        new = [s for s in found if s.number == 0 and (len(self.shown) < MOST_SHOWN or s is gold)]
        for section in new:
            section.number = len(self.shown) + 1
            self.shown.append(section)
        return new

    def nowhere(self) -> str:
        """A question that no section answers, though the search finds something for it."""
        return off_topic(self.rng) if self.rng.random() < 0.12 else ask_unknown(self.world, self.library.sections, self.used, self.stranger)

    def about(self) -> list[Section]:
        """Where the next question's answer stands: in what is shown already, or in any section."""
        stay = self.shown and (len(self.shown) >= MOST_SHOWN or self.rng.random() < 0.6)
        stating = [s for s in self.shown if any(c.fact.id != "section-contact" for c in s.claims)]
        return stating if stay and stating else self.library.sections

    def all_sections(self) -> list[Section]:
        return self.library.sections


class Sheet(Reader):
    """Makes many questions about what one search found, each the first of a thread of its own.

    To tell the sentence that is meant from its neighbours is what a small model learns last. Here all of them are asked for,
    and what none of them says.
    """

    def dialogues(self) -> list[Dialogue]:
        """One-turn dialogues that have the system message and the passages in common, in any order."""
        rng = self.rng
        system = system_message(self.world, self.directive) if self.named else ""
        opening = self.opening()
        turns = [opening, *self.stated(), *[self.unanswered(self.missing(), "unknown") for _ in range(rng.choice([1, 1, 2, 2, 3]))]]
        for turn in turns:
            self.lay_out(turn, self.shown, self.shown)
            self.before = ""
        chosen = rng.sample(turns, min(len(turns), MOST_ASKED))
        return [Dialogue(system, [turn], self.world) for turn in chosen]

    def opening(self) -> Turn:
        """The question that the search is made for."""
        count = self.shape.found
        if self.rng.random() < 0.25:
            turn = self.unanswered(self.nowhere(), "unknown")
            self.show(self.library.search(turn.user, count))
            return turn
        claim, question, kind = self.pick(self.library.sections)
        found = self.library.search(question, count)
        if not any(s is claim.section for s in found):
            found[self.rng.randrange(count)] = claim.section
        self.show(found)
        return self.answered(claim, question, kind)

    def show(self, sections: list[Section]) -> None:
        self.shown = sections
        for number, section in enumerate(sections, 1):
            section.number = number

    def stated(self) -> list[Turn]:
        """Each claim of the passages asked for, every other one twice."""
        claims = [c for s in self.shown for c in s.claims]
        again = [c for c in claims if self.rng.random() < 0.5]
        return [self.answered(c, ask(self.world, c), c.fact.id) for c in claims + again]

    def missing(self) -> str:
        """A question that the passages don't answer: one that another section does, or a near miss."""
        present = {c.fact.id for s in self.shown for c in s.claims}
        elsewhere = [c for s in self.library.sections if s.number == 0 for c in s.claims if c.fact.id != "section-contact" and not near(c.fact, present)]
        if elsewhere and self.rng.random() < 0.4:
            return ask(self.world, self.rng.choice(elsewhere))
        topics = [t for t in load() if any(f.id in present for f in t.facts)]
        return ask_unknown(self.world, self.shown, topics, self.stranger)

    def all_sections(self) -> list[Section]:
        return self.shown or self.library.sections


def make_sheet(seed: int, shape, held_out: bool = False, near: Near | None = None) -> list[Dialogue]:
    """The sheet of a seed: dialogues of one turn that begin alike."""
    return Sheet(random.Random(seed), shape, held_out, near).dialogues()
