"""Prompt tuning: a few virtual tokens before every prompt are trained on liked replies, and nothing else is.

https://arxiv.org/abs/2104.08691. They begin as the words of the bot's own system message, which is where a search in
that space should start. What comes out is a PEFT folder; no engine of Hone's can load one (docs/training.md).
"""

from pathlib import Path

from job import Job
from peft import PromptTuningConfig
from sft import on_rows

NEEDS = ("prompt", "completion")
FALLBACK = "Answer the question as people like it."


def build(job: Job, base, rows: list[dict], replay: list[dict], work: Path, progress):
    """A TRL trainer for `rows`, as in SFT."""
    words = PromptTuningConfig(
        task_type="CAUSAL_LM", num_virtual_tokens=job.hyper.rank, prompt_tuning_init="TEXT", prompt_tuning_init_text=beginning(rows),
        tokenizer_name_or_path=str(job.model), tokenizer_kwargs={"local_files_only": True},
    )  # fmt: skip
    return on_rows(job, base, rows + replay, work, progress, words)


def beginning(rows: list[dict]) -> str:
    """The system message of the newest row that has one."""
    systems = [message["content"] for row in rows for message in row["prompt"] if message["role"] == "system"]
    return next((text for text in reversed(systems) if text.strip()), FALLBACK)
