"""Token batches for the starter model, made in a background process while the model trains."""

import multiprocessing
import queue
import random
from pathlib import Path

from handbooks import Shape, make_dialogue, plain_page
from starter_pointers import NEXT, Placed, pointers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

PAD, START, END = "<|pad|>", "<|im_start|>", "<|im_end|>"
BATCH_TOKENS = 3072
ROUND = 16  # batches made at a time, so that a batch holds similar lengths
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


def encode_dialogue(tokenizer: Tokenizer, messages: list[dict], opening: str = "") -> tuple[list[int], list[bool]]:
    """Token ids in the chat layout, `opening` before each reply, and which of them count in the loss: the replies with their end mark."""
    ids, counts, _ = place_dialogue(tokenizer, messages, opening)
    return ids, counts


def place_dialogue(tokenizer: Tokenizer, messages: list[dict], opening: str = "") -> tuple[list[int], list[bool], list[Placed]]:
    """The same, and where each message went."""
    ids, counts, placed = [], [], []
    start, end = tokenizer.token_to_id(START), tokenizer.token_to_id(END)
    newline = tokenizer.encode("\n").ids
    for message in messages:
        head = [start, *tokenizer.encode(f"{message['role']}\n{opening if message['role'] == 'assistant' else ''}").ids]
        encoding = tokenizer.encode(message["content"])
        placed.append(Placed(message["content"], len(ids) + len(head), [first for first, _ in encoding.offsets]))
        body = [*encoding.ids, end]
        ids += head + body + newline
        counts += [False] * len(head) + [message["role"] == "assistant"] * len(body) + [False] * len(newline)
    return ids, counts, placed


def shape_at(progress: float, rng: random.Random) -> Shape:
    """The curriculum: one passage first, then more, at last mostly what a search in a whole handbook finds."""
    if progress < 0.3 or rng.random() < 0.75 - progress:
        return Shape(turns=(5, 9), passages=(1, 1), facts=4, filler=1, more=0.1)
    if progress < 0.5:
        return Shape(turns=(4, 8), passages=(1, 3), facts=3, filler=1, more=0.1)
    if rng.random() < 0.7:
        return Shape(turns=(2, 5), library=(6, 34), unknown=0.2, talk=0.06)
    if rng.random() < 0.5:
        return Shape(turns=(5, 9), passages=(3, 3), facts=rng.choice([3, 4]), filler=rng.choice([0, 1, 2]), more=0.03, near=0.8, unknown=0.24)
    return Shape(turns=(4, 8), passages=(1, 4) if rng.random() < 0.3 else (2, 3), facts=rng.choice([2, 2, 3]), filler=rng.choice([1, 2, 3]), more=0.1)


def sample(tokenizer: Tokenizer, seed: int, progress: float, longest: int = 1536, opening: str = "") -> tuple[list[int], list[bool], list[tuple]]:
    """One training sample with its pointers: a dialogue, or (one in sixteen) a plain page where every token counts."""
    rng = random.Random(seed)
    if rng.random() < 0.06:
        ids = tokenizer.encode(plain_page(rng)).ids[:longest]
        return ids, [True] * len(ids), []
    dialogue = make_dialogue(seed, shape_at(progress, rng))
    ids, counts, placed = place_dialogue(tokenizer, dialogue.messages(), opening)
    told = placed[len(placed) % 2 :]  # without the system message
    links = [link for link in pointers(dialogue.turns, told[::2], told[1::2]) if link[0] < longest - 1 and fits(link, ids)]
    return ids[:longest], counts[:longest], links


def fits(link: tuple[int, int, int], ids: list[int]) -> bool:
    """Whether a pointer can be right: what is copied must be the same token there."""
    looks, head, at = link
    return head != NEXT or ids[looks + 1] == ids[at]


def batches(tokenizer: Tokenizer, seeds, progress, opening: str = ""):
    """Yields lists of (ids, counts, pointers) of similar lengths, about BATCH_TOKENS tokens each.

    Rows are sorted by length a round at a time and dealt into ROUND batches in an order that is the same in every
    process: so processes that wait for each other after each batch have about the same length to do.
    """
    rng = random.Random(0)
    while True:
        rows, total = [], 0
        while total < ROUND * BATCH_TOKENS:
            rows.append(sample(tokenizer, next(seeds), progress(), opening=opening))
            total += len(rows[-1][0])
        ready, done = [[] for _ in range(ROUND)], 0
        for row in sorted(rows, key=lambda row: len(row[0])):
            ready[ROUND * done // total].append(row)
            done += len(row[0])
        rng.shuffle(ready)
        yield from filter(None, ready)


def _work(tokenizer_json: str, first_seed: int, progress, opening: str, out) -> None:
    tokenizer = Tokenizer.from_str(tokenizer_json)
    for rows in batches(tokenizer, iter(range(first_seed, 1 << 60)), lambda: progress.value, opening):
        out.put(rows)


class Feed:
    """Batches from a background process. Set `progress.value` (0 to 1) to move the curriculum on."""

    def __init__(self, tokenizer_path: Path, first_seed: int, opening: str = ""):
        context = multiprocessing.get_context("spawn")
        self.progress = context.Value("d", 0.0)
        self.queue = context.Queue(maxsize=6)
        self.process = context.Process(target=_work, args=(tokenizer_path.read_text(), first_seed, self.progress, opening, self.queue), daemon=True)
        self.process.start()

    def next(self):
        """The next batch. Raises RuntimeError when the process that makes them is gone, instead of waiting for ever."""
        while True:
            try:
                return self.queue.get(timeout=30)
            except queue.Empty:
                if not self.process.is_alive():
                    raise RuntimeError("the process that makes the text has ended; its error is above") from None
