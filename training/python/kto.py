"""KTO on lone thumbs: replies with a label, no pairs needed. https://arxiv.org/abs/2402.01306"""

import random
from pathlib import Path

from common import lora_config, training_settings
from datasets import Dataset
from job import BadData, Job
from replay import Replay, replaying
from trl import KTOConfig, KTOTrainer

NEEDS = ("prompt", "completion", "label")
REPLAY_WEIGHT = 1.0
# TRL estimates the divergence inside a block of one batch by giving each prompt its neighbour's reply.
SMALLEST_BATCH = 2


def build(job: Job, base, rows: list[dict], replay: list[dict], work: Path, progress):
    """A TRL trainer for the labelled replies in `rows`, with both labels weighing the same in total."""
    model, tokenizer = base
    liked = sum(row["label"] for row in rows)
    if not 0 < liked < len(rows):
        raise BadData(f"KTO needs thumbs of both kinds; train.jsonl has {liked} up and {len(rows) - liked} down.")
    if job.fit.microBatch < SMALLEST_BATCH:
        raise BadData(f"job.fit.microBatch is {job.fit.microBatch}; KTO needs at least {SMALLEST_BATCH}.")
    disliked = len(rows) - liked
    batches = Replay(replay, tokenizer, job.hyper.batchSize, job.seed) if replay else None
    return replaying(KTOTrainer, batches, REPLAY_WEIGHT, progress)(
        model=model,
        args=KTOConfig(
            **training_settings(job, work),
            beta=job.hyper.beta,
            train_sampling_strategy="sequential",
            desirable_weight=max(1.0, disliked / liked),
            undesirable_weight=max(1.0, liked / disliked),
        ),
        train_dataset=Dataset.from_list(mixed(rows, job.seed)),
        processing_class=tokenizer,
        peft_config=lora_config(job),
        callbacks=[progress],
    )


def mixed(rows: list[dict], seed: int) -> list[dict]:
    """Rows in a fixed random order, labels spread evenly: TRL reads them in order and needs both in every block."""
    shuffled = random.Random(seed).sample(rows, len(rows))
    spots = []
    for label in (True, False):
        group = [row for row in shuffled if row["label"] is label]
        spots += [((index + 0.5) / len(group), row) for index, row in enumerate(group)]
    return [row for _, row in sorted(spots, key=lambda spot: spot[0])]
