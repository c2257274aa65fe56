"""Builds sections: Markdown that states facts, and for each fact a claim that says what was stated and where."""

import random
import re
from dataclasses import dataclass, field

from .filler import ABOUT, PLAIN
from .topics import Fact, Topic, on_side
from .wording import capital, expand
from .world import World

LOWERABLE = set("The Our A An You Your We Every Each Everyone All After For On In If Unused There Please Both Most Some At To "
                "Vacation Passwords Requests Salaries Laptops Visitors If When Whenever Anyone Whoever Nobody No Only Before Until Once As With By Up Above Below "
                "During Besides Apart Write Please Take Book Call Ask Send Bring Keep Order Choose Customers Staff Parcels Orders Everybody These This It They".split())
IT = {"club", "service", "hall", "course", "event", "thing", "product", "food", "room-name"}  # slots whose entity a later sentence may call "it"
THEY = {"role", "check"}
OPENERS = ["As a rule, ", "Since last year, ", "From this year on, ", "Please note: ", "Normally ", "In general, ", "Important: ", "From day one, ",
           "At the moment ", "By the way, ", "Good news: ", "Here, too: ", "For the time being, ", "To be clear: ", "As most of you know, ", "In short, ", "Since the spring, ",
           "As agreed with the works council, ", "To keep it simple, ", "A short reminder: ", "Worth knowing: ", "In our firm, ", "As in past years, ", "It is a fixed rule: "]
TAILS = [" unless agreed otherwise", ", and this holds for all sites", " (see the intranet)", ", as before", ", no matter how long you have been with us",
         ", without exception", ", at the moment", ", as the law asks", " if nothing else was agreed", ", which is more than most firms offer", ", and that will not change soon",
         ", so please plan with it", " (ask us if this is a problem)", ", as everybody should know", " for the time being", ", which has worked well", ", in all our teams",
         " (as agreed)", ", just like last year", ", from now on", ", to be fair to everybody", ", as long as nothing changes", ", even in busy weeks"]
QUALIFIERS = [  # (a group's name, how a sentence says it, how a question adds it)
    ("interns", "for interns", "as an intern"), ("trainees", "for trainees", "as a trainee"), ("part-timers", "for part-timers", "if I work part-time"),
    ("managers", "for managers", "as a manager"), ("students", "for students", "as a student"), ("newcomers", "for newcomers", "as a newcomer"),
    ("the second year", "in the second year", "in the second year"), ("the first year", "in the first year", "in the first year"),
    ("shift workers", "for shift workers", "as a shift worker"), ("weekends", "on weekends", "on weekends"),
    ("the night team", "for the night team", "in the night team"), ("drivers", "for drivers", "as a driver"), ("abroad", "abroad", "abroad"),
    ("the summer", "in the summer", "in the summer"), ("senior staff", "for senior staff", "as a senior"), ("parents", "for parents", "as a parent"),
]
NUMERIC = {"days", "n", "money", "length", "pct"}
HEDGES = ["up to {}", "at most {}", "about {}", "at least {}"]
ASK_CONTACT = Fact("section-contact", ["Contact"], "person", "", [], [])


@dataclass
class Claim:
    """One stated fact: its value, the words that state it, and the passage it stands in."""

    fact: Fact
    value: str
    evidence: str  # the sentence or "Label: value", without Markdown
    entity: str = ""
    qualifier: tuple | None = None
    items: list[str] = field(default_factory=list)
    says_yes: bool = True
    section: "Section | None" = None

    @property
    def leans(self) -> bool:
        """Whether its sentence only makes sense after the one before it."""
        return self.qualifier is not None or (self.entity != "" and self.entity.lower() not in self.evidence.lower())


@dataclass
class Section:
    """A passage as retrieval returns it: a title and Markdown; `number` is given when it is shown."""

    page: str
    head: str
    body: str
    claims: list[Claim]
    number: int = 0  # in the thread; 0 while it is not shown
    file: str = ""  # the page of a handbook that holds it

    @property
    def title(self) -> str:
        return f"{self.page} - {self.head}" if self.head else self.page

    def shown(self) -> str:
        return f"[{self.number}] {self.title}\n{self.body}"


def lower_first(sentence: str) -> str:
    """The sentence as it would go on after a comma, if its first word isn't a name."""
    return sentence[0].lower() + sentence[1:] if sentence.split(" ")[0] in LOWERABLE else sentence


def fill(pattern: str, entity: str, value: str, count: int, rng: random.Random) -> str:
    """A pattern's surface form with the entity and value put in."""
    text = expand(pattern, rng).replace("{p}", entity).replace("{P}", capital(entity))
    words = ["", "one", "two", "three", "four", "five"]
    return capital(text.replace("{v}", value).replace("{n}", words[count] if count < 6 else str(count)))


def make_claims(world: World, topic: Topic, count: int) -> list[Claim]:
    """Claims for a section of a topic: facts without a slot once, facts with one for several entities."""
    rng, claims = world.rng, []
    alike = [f for f in topic.facts if f.slot in IT | THEY]
    if len(alike) > 1 and rng.random() < 0.6:
        return about_one(world, rng.sample(alike, min(max(2, count), len(alike))))
    for fact in rng.sample(topic.facts, min(count, len(topic.facts))):
        if fact.slot:
            pool = world.entities(fact.slot, rng.choice([2, 3, 4, 6]))
            claims += [new_claim(world, fact, p) for p in rng.sample(pool, rng.randint(1, min(len(pool), 4 if count < 3 else 2)))]
            continue
        claims.append(new_claim(world, fact))
        if fact.spec.split()[0] in NUMERIC and rng.random() < 0.12:
            for qualifier in rng.sample(QUALIFIERS, rng.choice([1, 1, 2])):
                claims.append(new_claim(world, fact, qualifier=qualifier))
    return claims


def about_one(world: World, facts: list[Fact]) -> list[Claim]:
    """Claims about one entity: the first sentence names it, later ones mostly call it "it"."""
    rng, slot = world.rng, facts[0].slot
    entity = rng.choice(world.entities(slot, 4))
    claims = [new_claim(world, fact, entity) for fact in facts if fact.slot == slot]
    for claim in claims[1:]:
        if rng.random() < 0.75:
            claim.evidence = with_pronoun(claim.evidence, entity, slot)
    return claims


def with_pronoun(sentence: str, entity: str, slot: str) -> str:
    """The sentence with a pronoun in place of the entity: "The chess club meets in room 3." becomes "It meets in room 3." """
    subject, other = ("They", " them") if slot in THEY else ("It", " it")
    for name in (f"The {entity} ", f"{capital(entity)} "):
        if sentence.startswith(name):
            return f"{subject} {sentence[len(name):]}"
    named = rf"(?<! of) {re.escape(entity)}(?= by|\.)" if slot in THEY else rf"(?<! of)(?<! at)(?<! in)(?<!At)(?<!In)(?<!nside) the {re.escape(entity)}\b"
    return re.sub(named, other, sentence, count=1)


def new_claim(world: World, fact: Fact, entity: str = "", qualifier: tuple | None = None) -> Claim:
    """A claim with its sentence."""
    rng = world.rng
    says_yes = not fact.yes_no or rng.random() < 0.5
    value, items = world.value(fact, says_yes)
    pattern = on_side([p for yes, p in fact.says if yes == says_yes], world.held_out, rng)
    sentence = fill(pattern, entity, value, len(items), rng)
    if qualifier:
        sentence = qualified(rng, qualifier, value)
    elif not fact.yes_no and rng.random() < 0.16:
        sentence = dressed(sentence, rng)
    return Claim(fact, value, sentence, entity, qualifier, items, says_yes)


def qualified(rng: random.Random, qualifier: tuple, value: str) -> str:
    """A sentence that gives another value for a group: "For interns it is 12 days." """
    name, phrase, _ = qualifier
    patterns = ["{Q} it is {v}.", "{Q} (this is|that is|we have) {v}.", "It is {v} {q}.", "{Q}: {v}.", "{Q} {v} (apply|hold|is the rule).", "{Q}, however, it is {v}.", "{Q} another rule holds: {v}.", "{Q} we make it {v}.", "It is different {q}: {v}.",
                "(An exception|A special rule) holds {q}: {v}.", "Only {q} is it {v}."]
    if phrase.startswith("for"):
        patterns += ["{N} (have|get) {v}.", "{N} (have|get) {v} instead.", "With {n} it is {v}.", "If you are one of the {n}, it is {v}.", "{N}, on the other hand, (have|get) {v}."]
    text = expand(rng.choice(patterns), rng)
    return text.replace("{Q}", capital(phrase)).replace("{q}", phrase).replace("{N}", capital(name)).replace("{n}", name).replace("{v}", value)


def dressed(sentence: str, rng: random.Random) -> str:
    """The sentence with an opener or a tail, as people write."""
    if rng.random() < 0.5 and sentence.split(" ")[0] in LOWERABLE:
        return rng.choice(OPENERS) + lower_first(sentence)
    return sentence[:-1] + rng.choice(TAILS) + "."


def build(world: World, topic: Topic, facts: int, filler: int, page: str = "") -> Section:
    """One section about a topic, in prose, as a list or as a table."""
    rng = world.rng
    head = rng.choice(topic.heads)
    section = Section(page or rng.choice(topic.pages), head if rng.random() < 0.9 else "", "", make_claims(world, topic, facts))
    rng.shuffle(section.claims) if rng.random() < 0.3 and not any(c.leans for c in section.claims) else None
    entities = {c.entity for c in section.claims}
    if len(section.claims) > 1 and len(entities) == 1 and (entity := entities.pop()) and rng.random() < 0.5:
        section.head = capital(entity)
    roll = rng.random()
    if roll < 0.62 or any(c.fact.yes_no or c.items or (c.entity and c.leans) for c in section.claims):
        section.body = prose(world, section, head, filler)
    elif roll < 0.86:
        section.body = bullets(world, section, head, filler)
    else:
        section.body = table(world, section, head, filler)
    for claim in section.claims:
        claim.section = section
    return section


def fillers(world: World, head: str, count: int) -> list[str]:
    """Sentences without facts, one in four about the section's own subject."""
    rng, texts = world.rng, []
    for _ in range(count):
        pattern = on_side(ABOUT if rng.random() < 0.3 else PLAIN, world.held_out, rng)
        texts.append(capital(expand(pattern, rng).replace("{h}", head.lower()).replace("{H}", head)))
    return texts


def bold(text: str, claim: Claim) -> str:
    """The text with the claim's value in bold."""
    return text.replace(claim.value, f"**{claim.value}**", 1) if not claim.items else text


def prose(world: World, section: Section, head: str, filler: int) -> str:
    """Sentences with the claims in order and filler between them."""
    rng, strong = world.rng, world.rng.random() < 0.35
    sentences, claims, at = [], section.claims, 0
    leaning = []  # whether the sentence at that place must stand right after the one before it
    while at < len(claims):
        claim, text = claims[at], claims[at].evidence
        leaning.append(claim.leans)
        follower = claims[at + 1] if at + 1 < len(claims) else None
        if follower and not follower.qualifier and not claim.items and not claim.fact.yes_no and not follower.fact.yes_no and rng.random() < 0.12:
            text = f"{text[:-1]}{rng.choice([', and', ';', ', but'])} {lower_first(follower.evidence)}"
            claim.evidence = follower.evidence = text
            at += 1
        if claim.items and rng.random() < 0.4:
            sentences.append(itemised(claim, section, rng))
        else:
            sentences.append(bold(text, claim) if strong and not claim.fact.yes_no else text)
        at += 1
    for text in fillers(world, head, filler):
        place = rng.choice([i for i in range(len(sentences) + 1) if i in (0, len(sentences)) or not leaning[i]])
        sentences.insert(place, text)
        leaning.insert(place, False)
    if rng.random() < 0.18:
        sentences.append(contact_line(world, section, head))
    if any("\n" in s for s in sentences):
        return "\n".join(sentences)
    if len(sentences) > 3 and rng.random() < 0.2:
        cut = rng.randint(1, len(sentences) - 1)
        return " ".join(sentences[:cut]) + "\n\n" + " ".join(sentences[cut:])
    return " ".join(sentences)


def itemised(claim: Claim, section: Section, rng: random.Random) -> str:
    """A list claim as bullets; its evidence becomes "Label: A, B and C"."""
    label = rng.choice(claim.fact.labels)
    claim.evidence = f"{label}: {claim.value}."
    return f"{label}:\n" + "\n".join(f"- {capital(item)}" for item in claim.items)


def contact_line(world: World, section: Section, head: str) -> str:
    """A closing line that says who knows more; it is a claim too."""
    who = world.names.person() if world.rng.random() < 0.7 else f"{world.rng.choice(['hr', 'office', 'help', 'team', 'info', 'people'])}@{world.domain}"
    verb = world.rng.choice(["Questions? Ask {}.", "Your contact is {}.", "Contact: {}.", "If you have questions, ask {}.", "{} knows more.", "Please ask {} for help.",
                            "Turn to {} if anything is unclear.", "Your questions are answered by {}.", "For details, ask {}.", "{} will help you.", "Still unsure? Write to {}.", "You can always ask {}."])
    line = verb.format(who)
    section.claims.append(Claim(ASK_CONTACT, who, line.removeprefix("Questions? ").removeprefix("Still unsure? ")))
    return line


def label_of(claim: Claim, rng: random.Random) -> str:
    """What stands before the colon in a list or in a table's first column."""
    if claim.entity:
        return capital(claim.entity)
    label = rng.choice(claim.fact.labels)
    return f"{label} {claim.qualifier[1]}" if claim.qualifier else label


def bullets(world: World, section: Section, head: str, filler: int) -> str:
    """One bullet a claim: "- Hotel: up to 140 euros a night"."""
    rng = world.rng
    lines, strong, mark = fillers(world, head, min(filler, 1)), rng.random(), rng.choice(["- ", "- ", "* "])
    several = len({c.fact.id for c in section.claims if c.entity}) > 1
    for claim in section.claims:
        label, value = label_of(claim, rng), claim.value
        if several and claim.entity:
            label += f", {claim.fact.labels[0].lower()}"
        if claim.fact.spec.split()[0] in NUMERIC and rng.random() < 0.2:
            value = rng.choice(HEDGES).format(value)
        claim.evidence = f"{label}: {value}."
        shown = f"**{label}**: {value}" if strong < 0.15 else f"{label}: {value.replace(claim.value, f'**{claim.value}**')}" if strong < 0.3 else f"{label}: {value}"
        lines.append(mark + shown)
    if section.claims[0].entity and not several:
        lines.insert(0, f"{section.claims[0].fact.labels[0]}:")
    return "\n".join(lines)


def table(world: World, section: Section, head: str, filler: int) -> str:
    """A small table: entities by facts, or facts by value."""
    rng, lines = world.rng, fillers(world, head, min(filler, 1))
    entities = list(dict.fromkeys(c.entity for c in section.claims if c.entity))
    plain = [c for c in section.claims if not c.entity]
    if plain:
        lines += ["| " + rng.choice(["What | Rule", "Subject | Value", "What | How much", " | "]) + " |", "|---|---|"]
        for claim in plain:
            label = label_of(claim, rng)
            claim.evidence = f"{label}: {claim.value}."
            lines.append(f"| {label} | {claim.value} |")
    if entities:
        lines += [""] if plain else []
        kinds = list({c.fact.id: c.fact for c in section.claims if c.entity}.values())
        lines += ["| Name | " + " | ".join(f.labels[0] for f in kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
        cells = {(c.entity, c.fact.id): c for c in section.claims if c.entity}
        for entity in entities:
            row = [cells.get((entity, f.id)) for f in kinds]
            for claim in filter(None, row):
                claim.evidence = f"{capital(entity)}: {claim.value}."
            lines.append("| " + " | ".join([capital(entity)] + [c.value if c else "-" for c in row]) + " |")
    return "\n".join(lines)
