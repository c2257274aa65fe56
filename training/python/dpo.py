"""DPO with an SFT term on the chosen side, replay, and pairs that keep "I don't know": the default method.

DPO: https://arxiv.org/abs/2305.18290. The SFT term holds the chosen reply's likelihood up, which plain DPO lets sink
(https://arxiv.org/abs/2410.08847). With label smoothing, the loss is as if that share of the pairs were the wrong way round
(robust DPO: https://arxiv.org/abs/2403.00409).
"""

from pathlib import Path

from common import lora_config, training_settings
from datasets import Dataset
from job import Job
from pairs import PairTrainer
from replay import Replay, both_ways, contrasts, replaying
from trl import DPOConfig

NEEDS = ("prompt", "chosen", "rejected")
REPLAY_WEIGHT = 1.0


def build(job: Job, base, rows: list[dict], replay: list[dict], work: Path, progress):
    """A TRL trainer for the pairs in `rows`. `base` is (model, tokenizer)."""
    model, tokenizer = base
    hyper = job.hyper
    with_sft = hyper.sftWeight > 0
    loss = "robust" if hyper.labelSmoothing > 0 else "sigmoid"
    settings = DPOConfig(
        **training_settings(job, work),
        beta=hyper.beta,
        label_smoothing=hyper.labelSmoothing,
        loss_type=[loss, "sft"] if with_sft else [loss],
        loss_weights=[1.0, hyper.sftWeight] if with_sft else [1.0],
        # The base does not change, so what it thinks of each reply is needed once, not once an epoch.
        precompute_ref_log_probs=hyper.epochs > 1,
    )
    batches = Replay(replay, tokenizer, hyper.batchSize, job.seed) if replay else None
    return replaying(PairTrainer, batches, REPLAY_WEIGHT, progress)(
        model=model,
        args=settings,
        train_dataset=Dataset.from_list(rows + both_ways(rows, contrasts(replay))),
        processing_class=tokenizer,
        peft_config=lora_config(job),
        callbacks=[progress],
    )
