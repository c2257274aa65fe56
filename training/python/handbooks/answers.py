"""Ways of answering. The words that carry the fact are read from the passage; only the frame around them differs."""

import random

from .sections import Claim
from .wording import capital

STYLES = {"full": 40, "short": 15, "source": 12, "friendly": 15, "bullet": 8, "explained": 10}
FRIENDLY_OPEN = ["Good question!", "Sure!", "Happy to help!", "Of course!", "Gladly!", "Good question!", "Here you go!", "Let me see!"]
FRIENDLY_CLOSE = ["Anything else?", "I hope that helps!", "Let me know if you need more.", "Have a nice day!", "", "Anything else?"]
UNKNOWN = ["I don't know. My documents don't say.", "I don't know. It is not in my documents.", "I don't know. The passages don't say.",
           "I don't know. I found nothing about that.", "I don't know; my documents don't cover it."]
UNKNOWN_FRIENDLY = ["Sorry, I don't know. My documents don't say. Please ask a colleague.", "Good question, but I don't know. My documents don't say.",
                    "I'm afraid I don't know. I found nothing about that.", "Sorry, I don't know that one. Anything else?",
                    "Hmm, I don't know. It isn't in my documents."]
DIRECTIVES = {
    "full": ["Answer in full sentences.", "Use whole sentences.", "Reply in one full sentence."],
    "short": ["Keep answers short.", "Answer with the value alone.", "Be brief.", "Answer in as few words as possible.", "Short answers only."],
    "source": ["Name the source first.", "Begin with the source.", "Say first where the answer comes from."],
    "friendly": ["Be friendly and warm.", "Be cheerful.", "Sound friendly.", "Be warm and helpful."],
    "bullet": ["Answer as a bullet list.", "Use bullet points.", "Answer in bullets."],
    "explained": ["Explain how you found the answer.", "Explain your answer.", "Show what the passage says, then the answer.", "Explain step by step."],
}


def pick_style(rng: random.Random) -> str:
    """A style at the shares that the base model should have when it is sampled."""
    return rng.choices(list(STYLES), weights=list(STYLES.values()))[0]


def reply(claim: Claim, style: str, rng: random.Random) -> str:
    """The reply that states a claim, cited."""
    mark, title, short = f"[{claim.section.number}]", claim.section.title, claim.value
    sentence = f"{claim.value}. {claim.evidence}" if claim.fact.yes_no else claim.evidence
    inner = claim.value.lower() if claim.fact.yes_no else claim.value
    if style == "short":
        return f"{capital(short)}. {mark}"
    if style == "source":
        return f"According to {title} {mark}: {inner}."
    if style == "friendly":
        return " ".join(filter(None, [rng.choice(FRIENDLY_OPEN), sentence, mark, rng.choice(FRIENDLY_CLOSE)]))
    if style == "bullet":
        return f"- {claim.section.head or claim.section.page}: {inner} {mark}"
    if style == "explained":
        return f'The passage "{title}" says: {claim.evidence} So the answer is {inner}. {mark}'
    return f"{sentence} {mark}"


def unknown(style: str, rng: random.Random) -> str:
    """A reply to a question that the passages don't answer; always contains "I don't know"."""
    friendly = style == "friendly" or rng.random() < 0.12
    return rng.choice(UNKNOWN_FRIENDLY if friendly else UNKNOWN[: 2 if style == "short" else None])
