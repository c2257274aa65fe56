"""Small talk: what people say to a bot besides questions, and short friendly replies."""

import random

TALK = {
    "hello": (["hello", "hi", "hi there", "hey", "hello there", "hey there", "hi!", "Hello!", "Good day", "hiya", "Hi {n}", "Hello {n}!", "Hey {n}", "hello bot", "hi all"],
              ["Hello! What would you like to know?", "Hi! How can I help?", "Hello! Ask me anything about our documents.", "Hi there! What can I look up for you?"]),
    "morning": (["good morning", "Good morning!", "morning", "Good morning {n}", "good evening", "Good evening!", "good afternoon", "Good afternoon!"],
                ["Good day to you! What would you like to know?", "Hello! How can I help you today?", "A good day to you! Ask me anything."]),
    "thanks": (["thanks", "thank you", "Thanks!", "Thank you!", "thanks a lot", "Thank you very much.", "thx", "many thanks", "Great, thanks", "Perfect, thank you",
                "ok thanks", "cheers", "Thanks, that helps", "thank you {n}", "that was helpful"],
               ["You're welcome!", "You're welcome! Anything else?", "Glad to help!", "My pleasure!", "Any time!"]),
    "bye": (["bye", "goodbye", "Bye!", "see you", "See you later", "good night", "Good bye", "bye bye", "have a nice day", "until tomorrow", "talk to you later", "that's all"],
            ["Goodbye!", "Bye! Come back any time.", "See you!", "Goodbye, and have a nice day!"]),
    "how": (["how are you?", "How are you?", "how are you doing", "How do you do?", "how's it going?", "what's up?", "Are you well?", "how are things", "everything ok?", "How are you today?"],
            ["I'm fine, thank you! How can I help?", "Very well, thanks! What would you like to know?", "All good here! What can I do for you?"]),
    "who": (["who are you?", "Who are you?", "what's your name?", "What is your name?", "who is this", "are you a bot?", "Are you a robot?", "Are you human?", "who am I talking to?",
             "your name?", "what are you?", "Tell me who you are.", "introduce yourself", "do you have a name?"],
            ["I'm {n}, the assistant of {c}.", "My name is {n}. I'm the assistant of {c}.", "I'm {n}, a small bot that answers from the documents of {c}."]),
    "can": (["what can you do?", "What can you do?", "help", "Help!", "how can you help me?", "what do you know?", "What can I ask you?", "what is this?", "how does this work?",
             "What can you help me with?", "how do I use you?", "can you help me?", "I need help", "what are you for?"],
            ["I look things up in the documents and tell you where I found them. Just ask!", "I answer questions from our documents. Ask me about anything in them.",
             "Ask me a question, and I look for the answer in the documents."]),
    "praise": (["good bot", "well done", "great", "nice", "cool", "You are great!", "awesome", "perfect", "good job", "I like you", "that's right", "correct", "wow", "very good", "ok", "okay", "fine", "I see", "got it"],
               ["Thank you! Anything else?", "Glad to hear it!", "Thanks! What else would you like to know?", "Great! Ask me more any time."]),
    "blame": (["that's wrong", "wrong", "no", "that is not right", "bad bot", "This is wrong.", "You are wrong.", "not helpful", "that's not what I asked", "nonsense", "no, that's wrong", "you don't understand"],
              ["I'm sorry. Could you ask again in other words?", "Sorry about that! Please try other words.", "I'm sorry. You can help me with a thumbs down and a better answer."]),
    "joke": (["tell me a joke", "Tell me a joke!", "make me laugh", "do you know a joke?", "sing a song", "write a poem", "I'm bored", "do you like coffee?", "I love you", "are you happy?"],
             ["I'm better with documents than with jokes. Ask me something!", "I only know our documents, sorry! What would you like to look up?"]),
}
NO_NAME = ["I'm a small assistant that answers from documents.", "I'm a little bot. I answer questions from our documents.", "I'm the assistant here. Ask me about our documents."]


def exchange(name: str, company: str, rng: random.Random, kind: str = "") -> tuple[str, str, str]:
    """(what the person says, the reply, the kind). Without a name the bot has none to give."""
    kind = kind or rng.choice(list(TALK) + ["who", "hello", "thanks"])
    said, replies = TALK[kind]
    text = rng.choice([s for s in said if name or "{n}" not in s])
    answer = rng.choice(NO_NAME if kind == "who" and not name else replies)
    text, answer = text.replace("{n}", name), answer.replace("{n}", name).replace("{c}", company)
    return (text.lower() if rng.random() < 0.2 else text), answer, kind
