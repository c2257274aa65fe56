"""Makes dialogues: passages, questions and replies, laid out exactly as the product lays out its prompts."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from . import answers, smalltalk
from .questions import Asked, ask, ask_unknown, follow_up, off_topic
from .sections import Claim, Section, build
from .topics import Topic, load
from .world import World


FEW_WORDS = 4  # a question of so few words is searched together with the one before it
Near = Callable[[str, list[Section], random.Random], list[str]]  # the sentences of passages that are nearest to a question


@dataclass
class Shape:
    """How large a dialogue is. The trainer makes it grow."""

    turns: tuple[int, int] = (2, 5)
    passages: tuple[int, int] = (1, 4)  # in the first turn; a later turn adds fewer
    facts: int = 3
    filler: int = 3
    more: float = 0.35  # chance that a later turn brings new passages
    near: float = 0.5  # chance that a passage is about something near the one before it
    unknown: float = 0.17
    talk: float = 0.10
    library: tuple[int, int] | None = None  # sections of a handbook that each question searches; None: passages are picked
    found: int = 3  # passages that a search finds


@dataclass
class Turn:
    """One question with its reply, and what an evaluation needs to check the reply."""

    user: str
    reply: str
    kind: str  # a fact's id, "unknown", "talk", or with a "follow:" before it
    value: str | None = None
    citation: int | None = None
    items: list[str] = field(default_factory=list)
    question: str = ""
    claim: Claim | None = None  # what the reply states, and in which passage it stands


@dataclass
class Dialogue:
    """A system message, or none, and the turns."""

    system: str
    turns: list[Turn]
    world: World

    def messages(self) -> list[dict]:
        """The dialogue as chat messages."""
        head = [{"role": "system", "content": self.system}] if self.system else []
        return head + [m for t in self.turns for m in ({"role": "user", "content": t.user}, {"role": "assistant", "content": t.reply})]


SYSTEM_OPEN = ["You are {n}, the assistant of {c}.", "You are {n}, the helpful assistant of {c}.", "Your name is {n}. You work for {c}.", "You are {n} and you answer questions for {c}.",
               "You are {n}, a bot of {c}.", "You are called {n}. You help the people at {c}.", "This is the help desk of {c}. You are {n}.", "I am {c}; you are my assistant {n}."]
SYSTEM_RULES = ["Answer from the passages.", "Say so when you don't know.", "Cite the passages.", "Use only the passages.", "Answer only from the passages you are given.", "Never guess.",
                "Give the number of the passage.", "If the passages don't say, say that you don't know.", "Be polite.", "Answer in English.", "Stay with the facts.", "Be correct.",
                "Read the passages with care.", "The passages come from the handbook.", "Name your source.", "Help the reader.", "Reply in the language of the question.", "Never invent anything."]


def system_message(world: World, directive: str) -> str:
    """A persona with rules, worded in one of many ways."""
    rng = world.rng
    rules = rng.sample(SYSTEM_RULES, rng.randint(0, 4))
    if directive:
        rules.insert(rng.randint(0, len(rules)), rng.choice(answers.DIRECTIVES[directive]))
    parts = [rng.choice(SYSTEM_OPEN).replace("{n}", world.assistant).replace("{c}", world.company)] + rules
    return ("\n" if rng.random() < 0.15 else " ").join(parts)


def laid_out(passages: list[Section], question: str, highlights: list[str] = ()) -> str:
    """A user turn: new passages, the sentences nearest to the question, the question."""
    nearest = ["\n".join(["Nearest:", *highlights])] if highlights else []
    return "\n\n".join([*(s.shown() for s in passages), *nearest, question])


class Maker:
    """Makes one dialogue. It remembers what was shown, so that numbers go on and nothing is stated twice."""

    def __init__(self, rng: random.Random, shape: Shape, held_out: bool = False, near: Near | None = None):
        self.rng, self.shape, self.near = rng, shape, near
        self.before = ""  # the question before this one
        self.world = World(rng, held_out)
        self.directive = answers.pick_style(rng) if rng.random() < 0.15 else ""
        self.named = rng.random() < 0.85 or bool(self.directive)
        self.shown: list[Section] = []
        self.used: list[Topic] = []
        self.asked: set[int] = set()
        self.last: Asked | None = None

    def make(self) -> Dialogue:
        turns = [self.turn(first=i == 0) for i in range(self.rng.randint(*self.shape.turns))]
        return Dialogue(system_message(self.world, self.directive) if self.named else "", turns, self.world)

    def turn(self, first: bool) -> Turn:
        rng, new = self.rng, []
        if first and rng.random() > 0.05:
            new = self.add_sections(rng.randint(*self.shape.passages))
        elif not first and rng.random() < self.shape.more:
            new = self.add_sections(rng.randint(1, max(1, min(3, self.shape.passages[1] - 1))))
        roll = rng.random()
        if roll < self.shape.talk:
            turn = self.talk()
        elif roll < self.shape.talk + self.shape.unknown or not self.shown:
            turn = self.unknown()
        else:
            turn = self.known(new)
        return self.lay_out(turn, new, self.shown)

    def lay_out(self, turn: Turn, new: list[Section], found: list[Section]) -> Turn:
        """The turn with what its question is shown: new passages, and highlights from `found`."""
        asked = self.searched(turn.user)
        turn.question = self.before = turn.user
        turn.user = laid_out(new, turn.user, self.near(asked, [s for s in found if s.number], random.Random(asked)) if self.near else [])
        return turn

    def searched(self, question: str) -> str:
        """What is searched for a question: one of few words with the one before it, as src/respond.ts does it."""
        return " ".join([question, question, question, self.before]) if len(question.split()) <= FEW_WORDS and self.before else question

    def add_sections(self, count: int) -> list[Section]:
        """New passages: sections of topics not shown before, in one firm, near ones preferred."""
        rng, new = self.rng, []
        for _ in range(count):
            topic = self.fresh_topic()
            section = build(self.world, topic, rng.randint(1, self.shape.facts), rng.randint(0, self.shape.filler))
            section.number = len(self.shown) + 1
            self.shown.append(section)
            new.append(section)
        return new

    def fresh_topic(self) -> Topic:
        rng, topics = self.rng, load()
        last = self.used[-1] if self.used and rng.random() < self.shape.near else None
        near = [t for t in topics if t not in self.used and (last is None or set(t.pages) & set(last.pages))]
        topic = rng.choice(near or [t for t in topics if t not in self.used] or topics)
        self.used.append(topic)
        return topic

    def style(self) -> str:
        return self.directive or answers.pick_style(self.rng)

    def talk(self) -> Turn:
        name = self.world.assistant if self.named else ""
        said, reply, kind = smalltalk.exchange(name, self.world.company, self.rng)
        return Turn(said, reply, f"talk:{kind}")

    def unknown(self) -> Turn:
        rng = self.rng
        following = self.last and self.last.claim.entity and rng.random() < 0.15
        if following:
            question = follow_up(self.world, self.last.claim, self.stranger(self.last.claim.fact.slot, self.last.claim.fact.id))
        elif rng.random() < 0.18:
            question = off_topic(rng)
        else:
            question = ask_unknown(self.world, self.shown, self.used, self.stranger)
        return self.unanswered(question, "follow:unknown" if following else "unknown")

    def unanswered(self, question: str, kind: str) -> Turn:
        return Turn(question, answers.unknown(self.style(), self.rng), kind)

    def stranger(self, slot: str, fact_id: str) -> str:
        """An entity of whom no passage states this fact."""
        known = {c.entity for s in self.all_sections() for c in s.claims if c.fact.id == fact_id}
        return self.rng.choice([e for e in self.world.entities(slot, 14) if e not in known] or ["Xanadu"])

    def all_sections(self) -> list[Section]:
        """Every passage that the dialogue may show."""
        return self.shown

    def known(self, new: list[Section]) -> Turn:
        """A question that a shown passage answers."""
        return self.answered(*self.pick(new))

    def pick(self, sections: list[Section]) -> tuple[Claim, str, str]:
        """A claim with a question about it and its kind: a follow-up if one fits, else a fresh one, sooner about `sections`."""
        rng = self.rng
        follower = self.follower() if rng.random() < 0.4 else None
        if follower:
            return *follower, f"follow:{follower[0].fact.id}"
        told = lambda sections: [c for s in sections for c in s.claims if c.fact.id != "section-contact"]
        first, second = (sections, self.shown) if rng.random() < 0.85 else (self.shown, sections)
        claims = told(first) or told(second)
        claim = rng.choice([c for c in claims if id(c) not in self.asked] or claims)
        return claim, ask(self.world, claim), claim.fact.id

    def answered(self, claim: Claim, question: str, kind: str) -> Turn:
        """The turn that answers a question with a claim."""
        self.asked.add(id(claim))
        self.last = Asked(claim, question)
        reply = answers.reply(claim, self.style(), self.rng)
        return Turn(question, reply, kind, claim.value, claim.section.number, claim.items, claim=claim)

    def follower(self) -> tuple[Claim, str] | None:
        """A claim that goes on from the last question, with a question that only makes sense after it."""
        if self.last is None:
            return None
        claim, section = self.last.claim, self.last.claim.section
        alike = [c for s in self.shown for c in s.claims if c is not claim and c.fact.id == claim.fact.id and (c.entity or c.qualifier)]
        contact = [c for c in section.claims if c.fact.id == "section-contact" and c is not claim]
        if contact and (not alike or self.rng.random() < 0.5):
            return contact[0], self.rng.choice(["Who do I ask about that?", "Whom can I ask about that?", "Who can help me with that?", "Who knows more about this?", "And who do I ask?", "Who is the contact?",
                                                "I have more questions. Who can I ask?", "Who would know?", "Is there somebody I can ask?", "Can you give me a contact?", "Who do I turn to?",
                                                "And if I have questions?", "Who do I write to about this?", "Whom should I contact?"])
        if alike:
            target = self.rng.choice(alike)
            return target, follow_up(self.world, target, target.entity)
        return None


def make_dialogue(seed: int, shape: Shape, held_out: bool = False, near: Near | None = None) -> Dialogue:
    """The dialogue of a seed, with highlights if `near` finds them."""
    from .library import Reader  # it builds on this module

    return (Reader if shape.library else Maker)(random.Random(seed), shape, held_out, near).make()
