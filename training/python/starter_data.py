"""Token batches for the starter model, made in a background process while the model trains."""

import multiprocessing
import random
from pathlib import Path

from handbooks import Shape, make_dialogue, plain_page
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

PAD, START, END = "<|pad|>", "<|im_start|>", "<|im_end|>"
BATCH_TOKENS = 3072
POOL = 72  # samples sorted by length at a time, so that a batch holds similar lengths
TRAIN_SEEDS = 1_000_000  # training seeds begin here; evaluation stays below


def train_tokenizer(vocab: int = 2048) -> Tokenizer:
    """Byte-level BPE with digits one by one: the pre-tokenizer that llama.cpp calls "smollm"."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab, special_tokens=[PAD, START, END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(tokenizer_text(), trainer)
    return tokenizer


def tokenizer_text():
    """Text that the vocabulary is learned from."""
    for seed in range(TRAIN_SEEDS, TRAIN_SEEDS + 12_000):
        for message in make_dialogue(seed, Shape()).messages():
            yield message["content"]
        if seed % 3 == 0:
            yield plain_page(random.Random(seed))


def encode_dialogue(tokenizer: Tokenizer, messages: list[dict]) -> tuple[list[int], list[bool]]:
    """Token ids in the chat layout, and which of them count in the loss: the replies with their end mark."""
    ids, counts = [], []
    start, end = tokenizer.token_to_id(START), tokenizer.token_to_id(END)
    newline = tokenizer.encode("\n").ids
    for message in messages:
        head = [start, *tokenizer.encode(f"{message['role']}\n").ids]
        body = [*tokenizer.encode(message["content"]).ids, end]
        ids += head + body + newline
        counts += [False] * len(head) + [message["role"] == "assistant"] * len(body) + [False] * len(newline)
    return ids, counts


def shape_at(progress: float, rng: random.Random) -> Shape:
    """The curriculum: short contexts first and for long in the mix, then more passages, at last some long dialogues."""
    if progress < 0.15 or rng.random() < 0.75 - progress:
        return Shape(turns=(3, 6), passages=(1, 1), facts=3, filler=1, more=0.15)
    if progress < 0.5:
        return Shape(turns=(4, 8), passages=(1, 3), facts=3, filler=1, more=0.1)
    if progress > 0.75 and rng.random() < 0.03:
        return Shape(turns=(7, 11), passages=(2, 4), facts=4, filler=4, more=0.5)
    return Shape(turns=(4, 8), passages=(1, 4) if rng.random() < 0.15 else (2, 3), facts=rng.choice([2, 2, 3]), filler=rng.choice([1, 1, 2]), more=0.1)


def sample(tokenizer: Tokenizer, seed: int, progress: float, longest: int) -> tuple[list[int], list[bool]]:
    """One training sample: a dialogue, or (one in twelve) a plain page where every token counts."""
    rng = random.Random(seed)
    if rng.random() < 0.06:
        ids = tokenizer.encode(plain_page(rng)).ids
        counts = [True] * len(ids)
    else:
        ids, counts = encode_dialogue(tokenizer, make_dialogue(seed, shape_at(progress, rng)).messages())
    return ids[:longest], counts[:longest]


def batches(tokenizer: Tokenizer, seeds, progress, longest: int = 1536):
    """Yields (ids, counts) lists with equal lengths after padding; at most BATCH_TOKENS tokens each."""
    rng = random.Random(0)
    while True:
        pool = sorted((sample(tokenizer, next(seeds), progress(), longest) for _ in range(POOL)), key=lambda s: len(s[0]))
        ready, rows = [], []
        for row in pool:
            if rows and (len(rows) + 1) * len(row[0]) > BATCH_TOKENS:
                ready.append(rows)
                rows = []
            rows.append(row)
        ready += [rows] if rows else []
        rng.shuffle(ready)
        yield from ready


def _work(tokenizer_json: str, first_seed: int, progress, queue) -> None:
    tokenizer = Tokenizer.from_str(tokenizer_json)
    for rows in batches(tokenizer, iter(range(first_seed, 1 << 60)), lambda: progress.value):
        queue.put(rows)


class Feed:
    """Batches from a background process. Set `progress.value` (0 to 1) to move the curriculum on."""

    def __init__(self, tokenizer_path: Path, first_seed: int):
        context = multiprocessing.get_context("spawn")
        self.progress = context.Value("d", 0.0)
        self.queue = context.Queue(maxsize=6)
        self.process = context.Process(target=_work, args=(tokenizer_path.read_text(), first_seed, self.progress, self.queue), daemon=True)
        self.process.start()

    def next(self):
        return self.queue.get()
