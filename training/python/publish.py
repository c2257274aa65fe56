"""Puts a finished LoRA or model into place: all of it or nothing, also across a power cut."""

import hashlib
import os
import shutil
from pathlib import Path

from checkpoints import file_sha256
from full_gguf import write_full_gguf
from job import BadData, Job
from lora_gguf import write_lora_gguf


def publish(job: Job, model, tokenizer, weights: dict | None = None) -> dict:
    """Writes `<output>/peft` and `<output>/lora.gguf`, or `<output>/model` and `<output>/model.gguf` where every weight
    was trained, and returns the fields of the `done` event. `weights` are the model's where it does not hold them whole.

    Everything is written to a folder beside it, flushed to the disk and renamed, so `output` is never half there.
    """
    refuse_broken(model if weights is None else weights)
    whole = job.method == "full"
    if not whole:
        # Between the base and what was trained: fewer of the base's answers change, while those that people chose still win.
        model.peft_config["default"].lora_alpha *= job.hyper.strength

    def save(folder: Path) -> None:
        model.save_pretrained(folder, **({} if weights is None else {"state_dict": weights}))
        (folder / "README.md").unlink(missing_ok=True)
        if whole:
            tokenizer.save_pretrained(folder)

    return put_in_place(job, tokenizer, save, whole=whole)


def publish_soft_prompt(job: Job, model, tokenizer) -> dict:
    """Writes `<output>/peft` alone: GGUF has no form for a soft prompt. Returns the fields of the `done` event."""
    refuse_broken(model)
    draft = _draft(job)
    model.save_pretrained(draft / "peft")
    (draft / "peft" / "README.md").unlink(missing_ok=True)
    digest = file_sha256(draft / "peft" / "adapter_model.safetensors")
    _rename(draft, job)
    return {"peft": str(job.output / "peft"), "sha256": digest, "templateSha256": template_sha256(tokenizer)}


def put_in_place(job: Job, tokenizer, save, made_gguf: Path | None = None, whole: bool = False) -> dict:
    """The output from `save(folder)`, or from a finished GGUF alone; the fields of the `done` event."""
    draft = _draft(job)
    kind, name = ("model", "model.gguf") if whole else ("peft", "lora.gguf")
    if made_gguf:
        shutil.copyfile(made_gguf, draft / name)
    else:
        save(draft / kind)
        if whole:
            write_full_gguf(draft / kind, job.gguf, draft / name)
        else:
            write_lora_gguf(draft / kind, job.model, draft / name)
    digest = file_sha256(draft / name)
    _rename(draft, job)
    return {
        kind: None if made_gguf else str(job.output / kind),
        "gguf": str(job.output / name),
        "sha256": digest,
        "templateSha256": template_sha256(tokenizer),
    }


def _draft(job: Job) -> Path:
    """An empty folder beside the output."""
    job.output.parent.mkdir(parents=True, exist_ok=True)
    draft = job.output.with_name(f"{job.output.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    return draft


def _rename(draft: Path, job: Job) -> None:
    _flush(draft)
    if job.output.exists():
        shutil.rmtree(job.output)
    os.rename(draft, job.output)
    _flush_one(job.output.parent)


def refuse_broken(model) -> None:
    """A weight that is not a finite number ruins every reply: such a LoRA or model is never written."""
    trained = model.items() if isinstance(model, dict) else ((n, w) for n, w in model.named_parameters() if w.requires_grad)
    for name, weight in trained:
        if not bool(weight.isfinite().all()):
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
