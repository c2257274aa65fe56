"""Our DPO beside TRL's, called by hand with the same settings.   Run:  python dpo_by_hand.py MODEL PAIRS.jsonl [ROUNDS]

In turns, in one process: TRL by hand, ours, ours without shared prefixes, TRL by hand again (the control). What is
measured is the CPU time of building the trainer, which computes the reference, and of all steps; loading is left out. The last
line on stdout has the seconds by variant and round, and the losses of each; those before it are our trainer's events.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "training" / "python"))
os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}

import common
import dpo
from datasets import Dataset
from events import emit, take_stdout
from job import Fit, Hyper, Job, read_rows
from peft import LoraConfig
from render import fit_rows
from trl import DPOConfig, DPOTrainer

HYPER = Hyper(learningRate=1e-3, epochs=2, batchSize=4, beta=0.1, sftWeight=1, labelSmoothing=0, strength=1, rank=16, alpha=32, targets="mlp", maxLength=768)


def by_hand(job: Job, base, rows: list[dict], work: Path):
    """What somebody would write who knows TRL: our settings, TRL's classes, nothing of ours."""
    model, tokenizer = base
    settings = DPOConfig(
        output_dir=str(work), seed=job.seed, learning_rate=HYPER.learningRate, num_train_epochs=HYPER.epochs,
        per_device_train_batch_size=HYPER.batchSize, max_length=HYPER.maxLength, beta=HYPER.beta,
        loss_type=["sigmoid", "sft"], loss_weights=[1.0, HYPER.sftWeight], precompute_ref_log_probs=True,
        lr_scheduler_type="linear", warmup_steps=0.1, max_grad_norm=1.0, logging_steps=1, save_strategy="no",
        report_to="none", disable_tqdm=True, use_cpu=True, bf16=False, gradient_checkpointing=False, dataloader_pin_memory=False,
    )  # fmt: skip
    lora = LoraConfig(r=HYPER.rank, lora_alpha=HYPER.alpha, target_modules=["gate_proj", "up_proj", "down_proj"], task_type="CAUSAL_LM")
    return DPOTrainer(model=model, args=settings, train_dataset=Dataset.from_list(rows), processing_class=tokenizer, peft_config=lora)


def ours(trainer_class):
    """The product's own way, with the class that shares prefixes or with TRL's."""

    def build(job: Job, base, rows: list[dict], work: Path):
        shared, dpo.PairTrainer = dpo.PairTrainer, trainer_class
        try:
            return dpo.build(job, base, rows, [], work, common.Progress(1e9))
        finally:
            dpo.PairTrainer = shared

    return build


def main(model: Path, pairs: Path, rounds: int = 2) -> None:
    take_stdout()
    variants = {"trl": by_hand, "ours": ours(dpo.PairTrainer), "unshared": ours(DPOTrainer), "control": by_hand}
    found = {name: {"cpu": [], "wall": [], "losses": []} for name in variants}
    with tempfile.TemporaryDirectory() as folder:
        job = Job("bench", "dpo", model, pairs.parent, Path(folder) / "out", 7, HYPER, Fit(HYPER.batchSize, False), 1e9)
        # The first round warms up.
        for number in range(rounds + 1):
            for name, build in variants.items():
                base = common.load_base(job)
                rows = fit_rows(base[1], read_rows(pairs, dpo.NEEDS), HYPER.maxLength, pairs.name)
                cpu, wall = time.process_time(), time.perf_counter()
                trainer = build(job, base, rows, Path(folder) / f"{name}-{number}")
                trainer.train()
                if number == 0:
                    found[name]["losses"] = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
                    continue
                found[name]["cpu"].append(time.process_time() - cpu)
                found[name]["wall"].append(time.perf_counter() - wall)
                print(f"round {number} of {rounds}, {name}: {found[name]['cpu'][-1]:.1f} s", file=sys.stderr)
    emit("found", variants=found)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
