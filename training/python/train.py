"""Trains one LoRA, one whole model or one soft prompt from a frozen dataset.   Run:  python train.py job.json

stdout has JSON-line events (events.py), stderr the log. SIGTERM saves a checkpoint beside the output and ends with
code 6; the same job started again goes on from it. With --follow-stdin it also ends when stdin closes, so that it
never outlives the parent that holds the other end. `fit.processes` of them share a run: launch.py starts them.

Exit codes: 0 done, 1 bug, 2 bad job or data, 3 environment, 4 out of memory, 6 cancelled.
"""

import argparse
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from dataclasses import replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import launch
from events import emit, stage, start_heartbeat, take_stdout
from job import BadData, BadEnvironment, Cancelled, Job, read_job, read_rows

EXIT = {"INTERNAL": 1, "BAD_DATA": 2, "ENVIRONMENT": 3, "OUT_OF_MEMORY": 4, "CANCELLED": 6}
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "gguf", "safetensors")


def main(arguments: list[str]) -> int:
    """Runs a job and answers the exit code. Never raises for anything a job can contain."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", type=Path, help="path of job.json")
    parser.add_argument("--follow-stdin", action="store_true", help="end when stdin closes")
    options = parser.parse_args(arguments)
    take_stdout()
    if launch.is_worker():
        launch.die_with_launcher()
    signal.signal(signal.SIGTERM, _cancel)
    if options.follow_stdin:
        threading.Thread(target=_follow_stdin, daemon=True).start()
    start_heartbeat()
    job = None
    try:
        job = read_job(options.job)
        if job.fit.processes > 1 and not launch.is_worker():
            work = working_folder(job)
            stay_offline(work)
            launch.launch(job, Path(__file__).resolve(), arguments, work)
            shutil.rmtree(work, ignore_errors=True)
        else:
            run(job)
        return 0
    except BaseException as error:  # noqa: BLE001 - every end is an event and a code
        code, message = classify(error)
        if code == "INTERNAL":
            traceback.print_exc()
        if job and launch.is_worker():
            launch.tell_launcher(working_folder(job), code, message)
        else:
            emit("error", code=code, message=message)
        return EXIT[code]


def run(job: Job) -> None:
    """The job, stage by stage."""
    work = working_folder(job)
    with stage("environment"):
        stay_offline(work)
        method = load_libraries(job)
    with stage("data"):
        rows = read_rows(job.dataset / "train.jsonl", method.NEEDS)
        replay = read_rows(job.dataset / "replay.jsonl", ("prompt", "completion"), ("rejected",))
        if not rows:
            raise BadData("train.jsonl has no rows.")
    with stage("model"):
        trainer = prepare(job, method, rows, replay, work)
    from common import train_to_end

    with stage("train"):
        train_to_end(trainer, _state["progress"])
    with stage("publish"):
        done = _publish(job, trainer)
    if not launch.is_worker():
        shutil.rmtree(work, ignore_errors=True)
    emit("done", **done)


def working_folder(job: Job) -> Path:
    """The folder beside the output where a run keeps its checkpoints; emptied when they are of another job."""
    work = job.output.with_name(f"{job.output.name}.work")
    mark, digest = work / "job.sha256", _digest(job)
    if not mark.exists() or mark.read_text() != digest:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        mark.write_text(digest)
    return work


def stay_offline(work: Path) -> None:
    """No hub, no telemetry, nothing written outside the job, and idle threads that sleep: the bot serves on the same cores.

    Must come before the libraries are imported.
    """
    tempfile.tempdir = str(work)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.update(
        HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1",
        HF_HOME=str(work / "cache"), HF_DATASETS_DISABLE_PROGRESS_BARS="1", TOKENIZERS_PARALLELISM="false",
    )  # fmt: skip


def load_libraries(job: Job):
    """Imports torch and TRL (seconds), says `hello`, and answers the module of the job's method."""
    if not launch.is_worker():
        launch.use_one_gpu()
    try:
        import torch

        method = import_module(job.method.replace("-", "_"))
    except ImportError as error:
        raise BadEnvironment(f"The training environment is incomplete: {error}.") from error
    gpu = torch.cuda.is_available()
    each = torch.cuda.get_device_name(0) if gpu else f"{torch.get_num_threads()} threads"
    device = f"{'cuda' if gpu else 'cpu'} ({job.fit.processes} x {each})" if gpu or job.fit.processes > 1 else f"cpu ({each})"
    emit("hello", device=device, versions=_versions())
    return method


def prepare(job: Job, method, rows: list[dict], replay: list[dict], work: Path):
    """Loads the base, checks and cuts the rows, and builds the trainer."""
    from common import Progress, load_base
    from render import fit_rows

    base = load_base(job)
    rows = fit_rows(base[1], rows, job.hyper.maxLength, "train.jsonl")
    replay = fit_rows(base[1], replay, job.hyper.maxLength, "replay.jsonl", spare=True)
    _state["progress"] = Progress(job.checkpointSeconds)
    return method.build(job, base, rows, replay, work, _state["progress"])


def classify(error: BaseException) -> tuple[str, str]:
    """(code, message) of the error event."""
    text = str(error) or type(error).__name__
    if isinstance(error, launch.WorkerFailed):
        return error.code, text
    if isinstance(error, BadData):
        return "BAD_DATA", text
    if isinstance(error, BadEnvironment):
        return "ENVIRONMENT", text
    if isinstance(error, (Cancelled, KeyboardInterrupt)):
        return "CANCELLED", text
    lowered = text.lower()
    if isinstance(error, MemoryError) or "out of memory" in lowered or "can't allocate memory" in lowered:
        return "OUT_OF_MEMORY", f"Out of memory: {text.splitlines()[0]}"
    if isinstance(error, OSError):
        return "ENVIRONMENT", text
    return "INTERNAL", f"{type(error).__name__}: {text.splitlines()[0]}"


_state: dict = {"progress": None}


def _cancel(_signal, _frame) -> None:
    """While steps run, the step is finished and saved; before and after, the run ends at once."""
    progress = _state["progress"]
    if progress is not None and progress.running:
        progress.stop()
    else:
        raise Cancelled("Stopped before the first step.")


def _follow_stdin() -> None:
    """The parent never writes: reading ends only when the parent is gone. Nobody is left to want a checkpoint."""
    while os.read(0, 1024):
        pass
    os._exit(EXIT["CANCELLED"])


def _publish(job: Job, trainer) -> dict:
    from publish import publish, publish_soft_prompt

    # A second too late to stop: the parent removes what it does not want.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    model = trainer.accelerator.unwrap_model(trainer.model)
    if job.method == "soft-prompt":
        done = publish_soft_prompt(job, model, trainer.processing_class) if trainer.is_world_process_zero() else {}
    else:
        # Every process has a part of them, so every process takes part.
        weights = _gathered(trainer, model) if job.fit.sharded else None
        done = publish(job, model, trainer.processing_class, weights) if trainer.is_world_process_zero() else {}
    trainer.accelerator.wait_for_everyone()
    return done


def _gathered(trainer, model) -> dict:
    """The weights of a model that is spread over processes, those that are another's twin left out, as a save has them."""
    twins = getattr(model, "all_tied_weights_keys", {})
    return {name: weight for name, weight in trainer.accelerator.get_state_dict(trainer.model_wrapped).items() if name not in twins}


def _digest(job: Job) -> str:
    """Changes with anything that would make a checkpoint belong to another run."""
    same = replace(job, id="", output=Path(), fit=None, checkpointSeconds=0)
    hasher = hashlib.sha256(repr(same).encode())
    for name in ("train.jsonl", "replay.jsonl"):
        path = job.dataset / name
        hasher.update(path.read_bytes() if path.exists() else b"")
    return hasher.hexdigest()


def _versions() -> dict:
    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError as error:
            raise BadEnvironment(f"The package {package} is not installed.") from error
    return found


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    # Not sys.exit: threads of native libraries may keep a finished interpreter from ending.
    os._exit(code)
