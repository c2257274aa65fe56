"""Puts a finished LoRA into place: all of it or nothing, also across a power cut."""

import hashlib
import os
import shutil
from pathlib import Path

from job import BadData, Job
from lora_gguf import write_lora_gguf


def publish(job: Job, model, tokenizer) -> dict:
    """Writes `<output>/peft` and `<output>/lora.gguf`, and returns the fields of the `done` event.

    Everything is written to a folder beside it, flushed to the disk and renamed, so `output` is never half there.
    """
    refuse_broken(model)
    job.output.parent.mkdir(parents=True, exist_ok=True)
    draft = job.output.with_name(f"{job.output.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    peft, gguf = draft / "peft", draft / "lora.gguf"
    model.save_pretrained(peft)
    (peft / "README.md").unlink(missing_ok=True)
    write_lora_gguf(peft, job.model, gguf)
    digest = hashlib.sha256(gguf.read_bytes()).hexdigest()
    _flush(draft)
    if job.output.exists():
        shutil.rmtree(job.output)
    os.rename(draft, job.output)
    _flush_one(job.output.parent)
    return {
        "peft": str(job.output / "peft"),
        "gguf": str(job.output / "lora.gguf"),
        "sha256": digest,
        "templateSha256": template_sha256(tokenizer),
    }


def refuse_broken(model) -> None:
    """A weight that is not a finite number ruins every reply: such a LoRA is never written."""
    for name, weight in model.named_parameters():
        if weight.requires_grad and not bool(weight.isfinite().all()):
            raise BadData(f"Training diverged: {name} is not finite. Lower hyper.learningRate.")


def template_sha256(tokenizer) -> str:
    """SHA-256 of the chat template's text. The engine that serves the LoRA must use the same template."""
    return hashlib.sha256((tokenizer.chat_template or "").encode("utf-8")).hexdigest()


def _flush(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        _flush_one(path)
    _flush_one(folder)


def _flush_one(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
