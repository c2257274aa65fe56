"""What the methods share: loading, the LoRA, trainer settings, progress and stopping."""

import os
import sys
import time
from pathlib import Path

import checkpoints

import torch
from events import emit
from job import BadData, BadEnvironment, Cancelled, Job
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback

try:
    import resource
except ImportError:  # Windows
    resource = None


def load_base(job: Job):
    """(model, tokenizer) of the base: bf16 under a LoRA on a GPU, float32 else. Local safetensors only, no code from the
    folder."""
    tokenizer = AutoTokenizer.from_pretrained(job.model, local_files_only=True, trust_remote_code=False)
    if not tokenizer.chat_template:
        raise BadData(f"{job.model} has no chat template; training needs the one that the engine serves with.")
    if tokenizer.eos_token is None:
        raise BadData(f"{job.model} has no end-of-turn token (eos_token).")
    # FSDP2 wants one type for the base and the LoRA.
    float32 = job.method == "full" or job.fit.sharded
    try:
        model = AutoModelForCausalLM.from_pretrained(
            job.model, dtype=torch.bfloat16 if torch.cuda.is_available() and not float32 else torch.float32,
            local_files_only=True, trust_remote_code=False, use_safetensors=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise BadEnvironment(f"{job.model} cannot be loaded: {error}") from error
    return model, tokenizer


def lora_config(job: Job, task_type: str = "CAUSAL_LM", **more) -> LoraConfig:
    """A fresh LoRA on every linear layer but the output layer, which a GGUF LoRA of a tied model cannot hold; or on the
    feed-forward layers alone (the names are those of Llama, Mistral, Qwen and Gemma)."""
    hyper = job.hyper
    modules = "all-linear" if hyper.targets == "all-linear" else ["gate_proj", "up_proj", "down_proj"]
    return LoraConfig(r=hyper.rank, lora_alpha=hyper.alpha, target_modules=modules, task_type=task_type, **more)


def world() -> int:
    """Processes that share the run."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def agreed(*wishes: bool) -> list[bool]:
    """Which wishes any process has: what only one did, the others would wait for in vain."""
    if not torch.distributed.is_initialized():
        return list(wishes)
    votes = torch.tensor(wishes, dtype=torch.int32, device="cuda" if torch.cuda.is_available() else "cpu")
    torch.distributed.all_reduce(votes, op=torch.distributed.ReduceOp.MAX)
    return [bool(vote) for vote in votes.tolist()]


def training_settings(job: Job, work: Path) -> dict:
    """Settings for any TRL trainer: no reports, no hub, a fixed seed, bf16 only where there is a GPU."""
    gpu = torch.cuda.is_available()
    return dict(
        output_dir=str(work), seed=job.seed, data_seed=job.seed,
        learning_rate=job.hyper.learningRate, num_train_epochs=job.hyper.epochs,
        per_device_train_batch_size=job.fit.microBatch, max_length=job.hyper.maxLength,
        gradient_accumulation_steps=job.hyper.batchSize // (job.fit.microBatch * world()),
        lr_scheduler_type="linear", warmup_steps=0.1, max_grad_norm=1.0, weight_decay=0.0,
        logging_steps=1, logging_first_step=True, save_strategy="no", save_only_model=False, save_total_limit=2,
        report_to="none", disable_tqdm=True, push_to_hub=False,
        use_cpu=not gpu, bf16=gpu, gradient_checkpointing=job.fit.checkpointing,
        dataloader_pin_memory=gpu, dataloader_num_workers=0, ddp_find_unused_parameters=False,
    )  # fmt: skip


def train_to_end(trainer, progress) -> None:
    """Trains to the end, from the last whole checkpoint in the trainer's folder if there is one. Raises `Cancelled`."""
    # Broken ones are removed; by one process at a time.
    with trainer.accelerator.main_process_first():
        last = checkpoints.last(Path(trainer.args.output_dir))
    trainer.train(resume_from_checkpoint=last)
    progress.running = False
    if progress.stopping:
        raise Cancelled(f"Stopped at step {progress.before + trainer.state.global_step}.")


def peak_memory_mb() -> int | None:
    """The most memory that the run had at once so far: of the GPU, or of all its processes where there is none."""
    if torch.cuda.is_available():
        return round(torch.cuda.max_memory_reserved() / 1e6)
    if resource is None:
        return None
    # Kilobytes, but bytes on a Mac.
    return world() * round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3))


class Progress(TrainerCallback):
    """Step events, and the stop at the next step with a checkpoint once `stop()` was called.

    A checkpoint is written every `checkpoint_seconds` as well, for ends that nobody asked for. A run of two trainings
    counts on: `before` are the steps of the first, `of` those of both.
    """

    def __init__(self, checkpoint_seconds: float) -> None:
        self.running = False
        self._every, self._saved = checkpoint_seconds, 0.0
        self.stopping = False
        self.before, self.of = 0, None
        self._started = self._first = 0
        self._tokens = 0

    def stop(self) -> None:
        self.stopping = True

    def count(self, attention_mask) -> None:
        """Adds a batch's tokens to the rate; other processes have about as many."""
        self._tokens += world() * int(attention_mask.sum())

    def on_train_begin(self, args, state, control, **_) -> None:
        self.running, self._started, self._first = True, time.monotonic(), state.global_step
        self._saved = self._started

    def on_step_end(self, args, state, control, **_) -> None:
        self.stopping, due = agreed(self.stopping, time.monotonic() - self._saved >= self._every)
        if self.stopping:
            control.should_save = control.should_training_stop = True
        elif due:
            control.should_save = True

    def on_save(self, args, state, control, **_) -> None:
        self._saved = time.monotonic()
        agreed(True)  # Each process has written its part.
        if state.is_world_process_zero:
            checkpoints.seal(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    def on_log(self, args, state, control, logs=None, **_) -> None:
        if not logs or "loss" not in logs:
            return
        step, of = self.before + state.global_step, self.of or state.max_steps
        seconds = max(time.monotonic() - self._started, 1e-9)
        done = max(state.global_step - self._first, 1)
        emit(
            "step", step=step, of=of, loss=logs["loss"],
            margin=logs.get("rewards/margins", logs.get("margin")),
            accuracy=logs.get("rewards/accuracies", logs.get("accuracy")),
            reward=logs.get("reward"), kl=logs.get("kl"),
            tokensPerSecond=round(self._tokens / seconds, 1) if self._tokens else None,
            etaSeconds=round(seconds / done * (of - step), 1), memoryMb=peak_memory_mb(),
        )  # fmt: skip
