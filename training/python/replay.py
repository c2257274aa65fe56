"""Replay: keeps what the base can do while it learns what people prefer.

Each step adds the loss on a few of the base's own answers to other questions (`replay.jsonl`), and the divergence from
the base on what stands before those answers: passages and questions, where no answer says what to keep. Without it a
short run at a rate that works drags the whole model along; README.md has the measurements.
"""

import random

import torch
import torch.nn.functional as F
from render import token_ids

COMPARED = 64_000_000  # so many logits of a batch are compared with the base at most: a quarter of a gigabyte


class Replay:
    """Batches of replay rows. The batch of a step depends on the seed and the step alone, so a resumed run goes on
    with the same ones."""

    def __init__(self, rows: list[dict], tokenizer, batch: int, seed: int) -> None:
        self._ids = [token_ids(tokenizer, row["prompt"], row["completion"], "replay") for row in rows]
        self._pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
        self._batch, self._seed = batch, seed

    def batch(self, step: int, part: int, parts: int, device) -> tuple[dict, tuple[float, float]] | None:
        """(padded input ids, attention mask and labels; weights) of a step's micro-batch. Only replies have labels.

        The weights, of replies and of what stands before them, make the mean over the step's `parts` the loss on all its
        rows at once.
        """
        whole = random.Random(f"{self._seed}:{step}").sample(self._ids, min(self._batch, len(self._ids)))
        picked = whole[part::parts]
        if not picked:
            return None
        shares = tuple(parts * sum(len(row[at]) for row in picked) / sum(len(row[at]) for row in whole) for at in (1, 0))
        length = max(len(head) + len(tail) for head, tail in picked)
        rows = {"input_ids": [], "attention_mask": [], "labels": []}
        for head, tail in picked:
            rest = length - len(head) - len(tail)
            rows["input_ids"].append(head + tail + [self._pad] * rest)
            rows["attention_mask"].append([1] * (len(head) + len(tail)) + [0] * rest)
            rows["labels"].append([-100] * len(head) + tail + [-100] * rest)
        return {key: torch.tensor(value, device=device) for key, value in rows.items()}, shares


def contrasts(replay: list[dict]) -> list[dict]:
    """The replay rows that say what not to answer, as pairs; they are replayed as well.

    A few dozen pairs that all have an answer teach its form, and to answer in it whatever the passages say. A pair whose passages
    belong to other questions, with the base's "I don't know" against the question's own answer, has the form on its wrong side.
    Refusals as preferences: Trust-Align, https://arxiv.org/abs/2409.11242.
    """
    return [{"prompt": row["prompt"], "chosen": row["completion"], "rejected": row["rejected"]} for row in replay if "rejected" in row]


def both_ways(rows: list[dict], refusals: list[dict]) -> list[dict]:
    """The pairs in which "I don't know" is better, and as many in which it is worse than what people chose, from all over the rows.

    From the first alone a model learns that refusing is always better: RL's then refuses everything, and DPO's declines a question or two
    of the gate's 28 more, which its passages do answer.
    """
    unsure = [refusal["chosen"] for refusal in refusals]
    sure = [row for row in rows if row["chosen"] not in unsure]
    answers = [
        {"prompt": row["prompt"], "chosen": row["chosen"], "rejected": said}
        for row, said in zip((sure[n * len(sure) // len(unsure)] for n in range(len(unsure))), unsure)
    ] if sure else []
    return refusals + answers


def replaying(trainer_class, replay: Replay | None, weight: float, progress):
    """`trainer_class` with `weight` times the replay loss added at every training step."""

    class Replaying(trainer_class):
        _replayed = (-1, 0)

        def _replay_part(self) -> tuple[int, int, int]:
            """(step, micro-batch in it, how many there are): those of all processes together."""
            step, (before, part) = self.state.global_step, self._replayed
            self._replayed = (step, part + 1 if before == step else 0)
            of = self.accelerator.num_processes
            part = self._replayed[1] * of + self.accelerator.process_index
            return step, part, self.current_gradient_accumulation_steps * of

        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            if return_outputs or not model.training:
                return loss
            masks = ("attention_mask",) if "attention_mask" in inputs else ("prompt_mask", "completion_mask")
            for mask in masks:
                if mask in inputs:
                    progress.count(inputs[mask])
            found = replay.batch(*self._replay_part(), loss.device) if replay else None
            if found is None:
                return loss
            batch, shares = found
            progress.count(batch["attention_mask"])
            return loss + weight * kept(model, self.accelerator.unwrap_model(model), batch, shares)

    return Replaying


def kept(model, peft, batch: dict, shares: tuple[float, float]) -> torch.Tensor:
    """Cross entropy of the answers plus the mean KL(base || model) of what stands before them, each times its share.

    Where the vocabulary is large, some positions stand for all; which ones depends on the random state that a checkpoint
    keeps. `peft` is the model without wrappers: its LoRA is switched off for the base.
    """
    labels, inputs = batch["labels"][:, 1:], {key: value for key, value in batch.items() if key != "labels"}
    logits = model(**inputs, use_cache=False).logits[:, :-1]
    loss = shares[0] * F.cross_entropy(logits[labels != -100].float(), labels[labels != -100])
    columns = torch.randperm(labels.shape[1], device=labels.device)[: COMPARED // (len(labels) * logits.shape[-1])].sort().values
    before = (labels[:, columns] == -100) & (batch["attention_mask"][:, 1:][:, columns] == 1)
    if not before.any():
        return loss
    with torch.no_grad(), peft.disable_adapter():
        base = peft(**inputs, use_cache=False, logits_to_keep=columns).logits[before]
    ours, theirs = (F.log_softmax(rows.float(), -1) for rows in (logits[:, columns][before], base))
    return loss + shares[1] * F.kl_div(ours, theirs, log_target=True, reduction="batchmean")
