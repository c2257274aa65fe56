"""Replay: keeps what the base can do while it learns what people prefer.

Each step adds the loss on a few of the base's own answers to other questions (`replay.jsonl`). Without it a short run
at a rate that works drags the whole model along; README.md has the measurements.
"""

import random

import torch
from render import token_ids


class Replay:
    """Batches of replay rows. The batch of a step depends on the seed and the step alone, so a resumed run goes on
    with the same ones."""

    def __init__(self, rows: list[dict], tokenizer, batch: int, seed: int) -> None:
        self._ids = [token_ids(tokenizer, row["prompt"], row["completion"], "replay") for row in rows]
        self._pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
        self._batch, self._seed = batch, seed

    def batch(self, step: int, device) -> dict:
        """Padded input ids, attention mask and labels; only the replies carry a loss."""
        picked = random.Random(f"{self._seed}:{step}").sample(self._ids, min(self._batch, len(self._ids)))
        length = max(len(head) + len(tail) for head, tail in picked)
        rows = {"input_ids": [], "attention_mask": [], "labels": []}
        for head, tail in picked:
            rest = length - len(head) - len(tail)
            rows["input_ids"].append(head + tail + [self._pad] * rest)
            rows["attention_mask"].append([1] * (len(head) + len(tail)) + [0] * rest)
            rows["labels"].append([-100] * len(head) + tail + [-100] * rest)
        return {key: torch.tensor(value, device=device) for key, value in rows.items()}


def replaying(trainer_class, replay: Replay | None, weight: float, progress):
    """`trainer_class` with `weight` times the replay loss added at every training step."""

    class Replaying(trainer_class):
        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            if return_outputs or not model.training:
                return loss
            masks = ("attention_mask",) if "attention_mask" in inputs else ("prompt_mask", "completion_mask")
            for mask in masks:
                if mask in inputs:
                    progress.count(inputs[mask])
            if replay is None:
                return loss
            batch = replay.batch(self.state.global_step, loss.device)
            progress.count(batch["attention_mask"])
            return loss + weight * model(**batch, use_cache=False).loss

    return Replaying
