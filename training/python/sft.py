"""SFT on liked replies, corrections and imported examples; the loss is on the reply alone."""

from pathlib import Path

from common import lora_config, training_settings
from datasets import Dataset
from job import Job
from replay import replaying
from trl import SFTConfig, SFTTrainer

NEEDS = ("prompt", "completion")


def build(job: Job, base, rows: list[dict], replay: list[dict], work: Path, progress):
    """A TRL trainer for `rows`; replay rows are simply more rows, for their loss is the same one."""
    model, tokenizer = base
    return replaying(SFTTrainer, None, 0.0, progress)(
        model=model,
        args=SFTConfig(**training_settings(job, work), completion_only_loss=True),
        train_dataset=Dataset.from_list(rows + replay),
        processing_class=tokenizer,
        peft_config=None if job.method == "full" else lora_config(job),
        callbacks=[progress],
    )
