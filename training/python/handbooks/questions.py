"""Words questions: about a claim, after a claim, about something that isn't there."""

import random
from dataclasses import dataclass

from .sections import QUALIFIERS, Claim, Section, fill
from .topics import Fact, Topic, load, on_side
from .wording import capital, roughen
from .world import World

# Facts that could be taken for one another. A question about one of them isn't called unanswerable when another is shown.
ALIKE = [
    {"vacation", "office-vacation"}, {"shop-hours", "shop-open", "shop-close", "day-hours", "office-hours", "support-hours", "chat-days", "doors", "shop-closed", "lunch-time"},
    {"delivery", "delivery-country", "express", "shipping-cost", "free-shipping", "cutoff"}, {"return", "refund", "return-cost", "return-where", "exchange", "sale-items"},
    {"notice", "cancel"}, {"lead", "contact", "office-boss", "director", "founder", "contact-mail", "item-keeper", "thing-host", "first-aid", "privacy-officer"},
    {"support-mail", "contact-mail"}, {"probation", "trial"}, {"support-phone", "emergency", "outage", "unlock", "room-phone"}, {"retention", "backup", "server", "export"},
    {"room-floor", "item-place", "contact-room", "printer", "parking-where", "bike-where", "first-aid-box", "extinguisher", "thing-place", "badge-where"},
    {"staff-count", "team-size", "office-people"}, {"teams", "team-size", "lead"}, {"plans", "price", "seats", "storage"}, {"products", "product-price"},
    {"remote", "remote-day", "remote-abroad"}, {"bonus", "bonus-month", "thirteenth", "referral"}, {"payday", "raise"}, {"hotel", "meals", "approval-limit"},
    {"overtime-pay", "overtime-take"}, {"sick-call", "sick-note", "sick-pay", "sick-child"}, {"language", "languages", "support-language"}, {"training-money", "training-days"},
    {"parking-cost", "parking-spaces", "shop-park"}, {"sites", "office-street", "head-office"}, {"core-hours", "week-hours", "flex-start", "first-day"}, {"two-factor", "lockout"},
    {"sabbatical", "unpaid", "parental"}, {"jury", "volunteer", "wedding", "moving", "bereavement", "sick-child"}, {"doctor-visit", "checkup"},
    {"car-level", "car-private", "fuel-card", "mileage"}, {"car-damage", "emergency", "outage", "unlock", "support-phone", "room-phone", "repair"},
    {"phone-money", "phone-plan", "remote-money"}, {"usb", "own-device", "private-use"}, {"updates", "maintenance"}, {"phishing", "support-mail", "contact-mail"},
    {"lost-property", "quiet-room", "shower", "shredder", "exit-return", "item-place", "printer", "contact-room", "room-floor", "thing-place", "first-aid-box"},
    {"desk-book", "room-book", "book-tool"}, {"waste", "fridge"}, {"one-on-one", "mentoring", "review-month"}, {"promotion", "raise", "review-month"},
    {"library", "training-money", "contact-mail", "support-mail"}, {"complaint", "contact", "lead", "director", "office-boss", "first-aid", "privacy-officer"},
    {"gift", "gift-max"}, {"points", "points-expire"}, {"nonprofit", "group-size", "annual"}, {"order-change", "return", "exchange", "cancel"},
    {"order-track", "delivery", "carrier"}, {"invoice-post", "invoice-day", "late-fee"}, {"pickup", "return", "delivery"}, {"damaged", "return", "warranty", "claim-mail", "lost"},
    {"order-min", "free-shipping"}, {"claim-mail", "support-mail", "contact-mail", "warranty"}, {"parts", "warranty"}, {"repair-time", "quote-cost", "software"},
    {"data-request", "retention", "export"}, {"delete-account", "cancel", "retention"}, {"newsletter", "thing-often"}, {"shop-closed", "holidays-open", "shop-hours"},
    {"payday", "bonus-month"}, {"coffee", "lunch-price"}, {"lockers", "badge-cost"}, {"remote-abroad", "remote-money"}, {"vacation", "vacation-carry"}, {"server", "made-in", "head-office"},
    {"pension", "insurance"}, {"order-change", "upgrade"}, {"unlock", "password-age", "lockout"}, {"lost", "repair"}, {"teams", "sites"}, {"contact", "item-keeper", "unlock", "repair"},
    {"post-time", "pickup"}, {"approval-limit", "vacation-approve"}, {"course-repay", "training-money"}, {"print-limit", "printer"}, {"remote", "core-hours"}, {"birthday", "wedding"},
    {"countries", "delivery-country"}, {"expense-paid", "expense-deadline"}, {"drill", "alarm", "assembly"}, {"pause", "upgrade", "cancel"}, {"annual", "nonprofit"},
    {"club-room", "thing-place"}, {"club-day", "thing-day"}, {"club-lead", "thing-host"}, {"club-fee", "thing-fee"}, {"service-until", "service-from"},
    {"service-place", "item-place"}, {"service-run", "item-keeper", "hall-key"}, {"food-until", "food-from", "lunch-time"}, {"food-price", "lunch-price"},
    {"hall-room", "hall-floor", "contact-room", "room-floor"}, {"hall-lock", "doors", "alarm"}, {"role-pay", "role-extra"}, {"role-boss", "lead"}, {"role-meet", "assembly"},
    {"role-pause", "break"}, {"course-again", "course-valid"}, {"course-cost", "thing-fee"}, {"course-teacher", "thing-host"}, {"course-long", "thing-long"},
    {"check-often", "check-new", "check-year", "item-life"}, {"check-who", "item-keeper"}, {"check-store", "item-place"},
]
OFF_TOPIC = ["What is the capital of France?", "Who won the world cup?", "What's the weather like today?", "How tall is the Eiffel Tower?", "What is two plus two?", "Who is the president?",
             "What is the meaning of life?", "How do I bake bread?", "What time is it?", "What day is it today?", "What colour is the boss's car?", "What is the boss's favourite song?",
             "Who wrote Hamlet?", "How far is the moon?", "Which stocks should I buy?", "What's on TV tonight?", "How old are you?", "Can you book me a flight?", "What's my password?",
             "What is my salary?", "How much does the director earn?", "Who will win the election?", "What's the latest news?", "Translate this into Spanish.", "How many stars are there?",
             "Where can I buy shoes?", "What is the best film?", "How do I fix my bike?", "Is there life on Mars?", "What's the speed of light?", "Where did I put my keys?", "How much is a litre of milk?"]
CLOSE_TO = {fact: set().union(*(group for group in ALIKE if fact in group)) for fact in set().union(*ALIKE)}
FOLLOW = ["And {w}?", "And {w}?", "What about {w}?", "How about {w}?", "and {w}", "{W}?", "Ok, and {w}?", "And what about {w}?", "I see. And {w}?",
          "Thanks. What about {w}?", "Then what about {w}?", "and what about {w}", "And now {w}?", "Great, and {w}?", "how about {w}", "But {w}?", "Fine, and {w}?"]
FOLLOW_NAME = ["The same for {w}?", "Is it different for {w}?", "What is it with {w}?", "And with {w}?", "{W}, too?", "Does that also hold for {w}?",
               "Please tell me the same about {w}.", "And how is it with {w}?"]  # only a bare name fits


@dataclass
class Asked:
    """The last question that was answered, which a follow-up may lean on."""

    claim: Claim
    question: str


def plain_ask(world: World, fact: Fact, entity: str) -> str:
    """A question about a fact in one of its wordings, not roughened."""
    pattern = on_side(fact.asks, world.held_out, world.rng)
    question = fill(pattern, entity, "", 0, world.rng)
    told = question.startswith(("I'd like to know", "I was wondering")) and ". " not in question
    return question[:-1] + "." if told else question


def qualify(question: str, words: str) -> str:
    """The question with words added before its end: "How many days?" and "as an intern" make "How many days as an intern?" """
    return f"{question.rstrip('?.')} {words}{'.' if question.endswith('.') else '?'}"


def ask(world: World, claim: Claim) -> str:
    """A question that this claim answers."""
    rng = world.rng
    if claim.fact.id == "section-contact":
        return f"Who do I ask about {(claim.section.head or claim.section.page).lower()}?"
    question = plain_ask(world, claim.fact, claim.entity)
    if claim.qualifier:
        question = qualify(question, rng.choice(claim.qualifier[1:]))
    return roughen(question, rng, keep=claim.entity)


def follow_up(world: World, claim: Claim, entity: str) -> str:
    """A question that makes sense only after another: "And in Riga?" """
    rng = world.rng
    if claim.qualifier and not claim.entity:
        words = [claim.qualifier[1], claim.qualifier[2], claim.qualifier[0]]
    else:
        words = [entity, f"for {entity}"] + ([f"in {entity}"] * 2 if claim.fact.slot in ("place", "country") else []) + ([f"on {entity}"] * 2 if claim.fact.slot == "day" else [])
        words += [f"the {entity}"] if claim.fact.slot in ("thing", "event", "product") else []
    word = rng.choice(words)
    bare = word in (entity, (claim.qualifier or [""])[0])
    text = rng.choice(FOLLOW + FOLLOW_NAME if bare else FOLLOW).replace("{w}", word).replace("{W}", capital(word))
    return text.lower() if rng.random() < 0.1 else text


def off_topic(rng: random.Random) -> str:
    """A question that no handbook answers."""
    return rng.choice(OFF_TOPIC)


def near(fact: Fact, present: set[str]) -> bool:
    """Whether a shown fact might be taken for an answer about this one."""
    return fact.id in present or not present.isdisjoint(CLOSE_TO.get(fact.id, ()))


def unsaid(claim: Claim, said: list[Claim]) -> list[tuple[Fact, str]]:
    """What could be asked about a claim's entity that no claim says of it, though one may say it of another entity."""
    known = {c.fact.id for c in said if c.entity == claim.entity}
    return [(f, claim.entity) for t in load() if claim.fact in t.facts for f in t.facts if f.slot == claim.fact.slot and not near(f, known)]


def ask_unknown(world: World, shown: list[Section], used: list[Topic], stranger) -> str:
    """A question that the shown passages don't answer: what they don't say of an entity, another entity, a missing fact, or another topic."""
    rng = world.rng
    present = {c.fact.id for s in shown for c in s.claims}
    named = [c for s in shown for c in s.claims if c.entity]
    roll = rng.random()
    if named and roll < 0.25 and (crossed := unsaid(rng.choice(named), named)):
        fact, entity = rng.choice(crossed)
        return roughen(plain_ask(world, fact, entity), rng, keep=entity)
    if named and roll < 0.5:
        fact = rng.choice(named).fact
        entity = stranger(fact.slot, fact.id)
        return roughen(plain_ask(world, fact, entity), rng, keep=entity)
    topics = used if used and roll < 0.7 else load()
    facts = [f for t in topics for f in t.facts if not near(f, present)] or [f for t in load() for f in t.facts if not near(f, present)]
    fact = rng.choice(facts)
    entity = rng.choice(world.entities(fact.slot, 4)) if fact.slot else ""
    question = plain_ask(world, fact, entity)
    if not fact.slot and rng.random() < 0.1:
        question = qualify(question, rng.choice(QUALIFIERS)[2])
    return roughen(question, rng, keep=entity)
