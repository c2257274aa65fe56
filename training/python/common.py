"""What the methods share: loading, the LoRA, trainer settings, progress and stopping."""

import time
from pathlib import Path

import torch
from events import emit
from job import BadData, BadEnvironment, Cancelled, Job
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from transformers.trainer_utils import get_last_checkpoint


def load_base(job: Job):
    """(model, tokenizer) of the base: bf16 on a GPU, float32 else. Local safetensors only, no code from the folder."""
    tokenizer = AutoTokenizer.from_pretrained(job.model, local_files_only=True, trust_remote_code=False)
    if not tokenizer.chat_template:
        raise BadData(f"{job.model} has no chat template; training needs the one that the engine serves with.")
    if tokenizer.eos_token is None:
        raise BadData(f"{job.model} has no end-of-turn token (eos_token).")
    try:
        model = AutoModelForCausalLM.from_pretrained(
            job.model, dtype=torch.bfloat16 if torch.cuda.is_available() else torch.float32,
            local_files_only=True, trust_remote_code=False, use_safetensors=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise BadEnvironment(f"{job.model} cannot be loaded: {error}") from error
    return model, tokenizer


def lora_config(job: Job, task_type: str = "CAUSAL_LM", **more) -> LoraConfig:
    """A fresh LoRA on every linear layer but the output layer, which a GGUF LoRA of a tied model cannot hold."""
    hyper = job.hyper
    return LoraConfig(r=hyper.rank, lora_alpha=hyper.alpha, target_modules="all-linear", task_type=task_type, **more)


def training_settings(job: Job, work: Path) -> dict:
    """Settings for any TRL trainer: no reports, no hub, a fixed seed, bf16 only where there is a GPU."""
    gpu = torch.cuda.is_available()
    return dict(
        output_dir=str(work), seed=job.seed, data_seed=job.seed,
        learning_rate=job.hyper.learningRate, num_train_epochs=job.hyper.epochs,
        per_device_train_batch_size=job.hyper.batchSize, max_length=job.hyper.maxLength,
        lr_scheduler_type="linear", warmup_steps=0.1, max_grad_norm=1.0, weight_decay=0.0,
        logging_steps=1, logging_first_step=True, save_strategy="no", save_only_model=False,
        report_to="none", disable_tqdm=True, push_to_hub=False,
        use_cpu=not gpu, bf16=gpu, gradient_checkpointing=gpu,
        dataloader_pin_memory=gpu, dataloader_num_workers=0,
    )  # fmt: skip


def train_to_end(trainer, progress) -> None:
    """Trains to the end, from the checkpoint in the trainer's folder when there is one. Raises `Cancelled`."""
    trainer.train(resume_from_checkpoint=get_last_checkpoint(trainer.args.output_dir))
    progress.running = False
    if progress.stopping:
        raise Cancelled(f"Stopped at step {progress.before + trainer.state.global_step}.")


class Progress(TrainerCallback):
    """Step events, and the stop at the next step with a checkpoint once `stop()` was called.

    A run of two trainings counts on: `before` are the steps of the first, `of` those of both.
    """

    def __init__(self) -> None:
        self.running = False
        self.stopping = False
        self.before, self.of = 0, None
        self._started = self._first = 0
        self._tokens = 0

    def stop(self) -> None:
        self.stopping = True

    def count(self, attention_mask) -> None:
        """Adds a batch's tokens to the rate."""
        self._tokens += int(attention_mask.sum())

    def on_train_begin(self, args, state, control, **_) -> None:
        self.running, self._started, self._first = True, time.monotonic(), state.global_step

    def on_step_end(self, args, state, control, **_) -> None:
        if self.stopping:
            control.should_save = control.should_training_stop = True

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
            etaSeconds=round(seconds / done * (of - step), 1),
        )  # fmt: skip
