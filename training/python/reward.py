"""The reward model: the base with one number for an output, a LoRA of its own, trained on the pairs.

It lives for one run. What it learns is which of two replies people preferred (Bradley-Terry), so its scores mean
nothing by themselves; `judge_of` puts them on the scale of the replies that people judged.
"""

import statistics
from pathlib import Path

import torch
from common import Progress, lora_config, train_to_end, training_settings
from datasets import Dataset
from job import BadData, BadEnvironment, Job
from publish import refuse_broken
from render import prompt_ids, token_ids
from transformers import AutoModelForSequenceClassification, set_seed
from trl import RewardConfig, RewardTrainer

# Below this share of its own training pairs in the right order, its word is no better than a coin's.
LEAST_ACCURACY = 0.6
# People judged whole replies; one that never ends is worse than its text, by this many standard deviations.
UNFINISHED = 1.0


def train_judge(job: Job, tokenizer, rows: list[dict], folder: Path, progress: Progress, steps: int):
    """Trains the reward model (or goes on from `folder`) and answers `judge(prompts, completion_ids) -> rewards`.

    Raises `BadData` when it can't tell what people liked from what they didn't: RL would then learn noise.
    """
    pairs = [{f"{side}_ids": whole_ids(tokenizer, row, side) for side in ("chosen", "rejected")} for row in rows]
    settings = {**training_settings(job, folder), "save_strategy": "steps", "save_steps": steps, "max_steps": steps}
    trainer = RewardTrainer(
        model=_load(job),
        args=RewardConfig(**settings, center_rewards_coefficient=0.01),
        train_dataset=Dataset.from_list(pairs),
        processing_class=tokenizer,
        peft_config=lora_config(job, task_type="SEQ_CLS", modules_to_save=["score"]),
        callbacks=[progress],
    )
    train_to_end(trainer, progress)
    model = trainer.accelerator.unwrap_model(trainer.model).eval()
    refuse_broken(model)
    return judge_of(model, tokenizer, pairs, job.fit.microBatch)


def judge_of(model, tokenizer, pairs: list[dict], batch: int):
    """The reward of a reply: its score, in standard deviations from the mean of the judged replies' scores."""
    better, worse = (_scores(model, [pair[side] for pair in pairs], batch) for side in ("chosen_ids", "rejected_ids"))
    right = sum(a > b for a, b in zip(better, worse, strict=True))
    if right < LEAST_ACCURACY * len(pairs):
        raise BadData(
            f"The reward model puts only {right} of {len(pairs)} pairs in the order that people did, so there is "
            "nothing for RL to follow. Collect votes that agree more, raise hyper.epochs, or train with dpo."
        )
    mean, spread = statistics.fmean(better + worse), statistics.pstdev(better + worse)
    heads: dict[str, list[int]] = {}

    def reward(prompts, completion_ids, **_) -> list[float]:
        texts = [
            heads.setdefault(repr(prompt), prompt_ids(tokenizer, prompt)) + list(ids)
            for prompt, ids in zip(prompts, completion_ids, strict=True)
        ]
        ended = [ids[-1] == tokenizer.eos_token_id for ids in completion_ids]
        scores = _scores(model, texts, batch)
        return [(score - mean) / spread - (0 if end else UNFINISHED) for score, end in zip(scores, ended, strict=True)]

    return reward


def whole_ids(tokenizer, row: dict, side: str) -> list[int]:
    """Prompt and reply up to the end of the turn, as generation leaves them; templates may add a line break after."""
    head, tail = token_ids(tokenizer, row["prompt"], row[side])
    return head + tail[: len(tail) - tail[::-1].index(tokenizer.eos_token_id)]


def _load(job: Job):
    # The head is drawn at random as the model is loaded.
    set_seed(job.seed)
    try:
        return AutoModelForSequenceClassification.from_pretrained(
            job.model, num_labels=1, dtype=torch.bfloat16 if torch.cuda.is_available() else torch.float32,
            local_files_only=True, trust_remote_code=False, use_safetensors=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise BadEnvironment(f"{job.model} cannot be loaded as a reward model: {error}") from error


@torch.no_grad()
def _scores(model, texts: list[list[int]], batch: int) -> list[float]:
    scores = []
    pad = model.config.get_text_config().pad_token_id
    for at in range(0, len(texts), batch):
        some = texts[at : at + batch]
        length = max(map(len, some))
        ids = torch.tensor([row + [pad] * (length - len(row)) for row in some], device=model.device)
        mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in some], device=model.device)
        scores += model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, 0].float().tolist()
    return scores
