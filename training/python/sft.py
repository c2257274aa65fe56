"""SFT on liked replies, corrections and imported examples; the loss is on the reply alone."""

from pathlib import Path

from common import lora_config, training_settings
from datasets import Dataset
from job import Job
from replay import replaying
from trl import SFTConfig, SFTTrainer

NEEDS = ("prompt", "completion")


def build(job: Job, base, rows: list[dict], replay: list[dict], work: Path, progress):
    """A TRL trainer for `rows`."""
    return on_rows(job, base, rows + replay, work, progress, None if job.method == "full" else lora_config(job))


def on_rows(job: Job, base, rows: list[dict], work: Path, progress, adapter):
    """A TRL trainer of an adapter, or of the whole model. Replay rows are simply more rows, for their loss is the same one."""
    model, tokenizer = base
    return replaying(SFTTrainer, None, 0.0, progress)(
        model=model,
        args=SFTConfig(**training_settings(job, work), completion_only_loss=True),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=adapter,
        callbacks=[progress],
    )
