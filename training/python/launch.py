"""A run that several processes share: `accelerate launch` starts train.py once a process, this one waits for them.

GPUs, or processes on the CPU (gloo), each with its part of every step: DDP, or FSDP2 where `job.fit.sharded`. Rank 0 tells
what happens and writes all files; how the run failed is told by this process, since any rank may be the one that knows.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

from events import give_back_stdout
from job import Cancelled, Job

FSDP2 = (
    "--use_fsdp", "--fsdp_version", "2", "--fsdp_auto_wrap_policy", "TRANSFORMER_BASED_WRAP",
    "--fsdp_reshard_after_forward", "true", "--fsdp_state_dict_type", "SHARDED_STATE_DICT",
    "--fsdp_cpu_ram_efficient_loading", "false",
)  # fmt: skip


class WorkerFailed(Exception):
    """What ended the run, in the words of the process that met it. `code` as in the `error` event."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def is_worker() -> bool:
    """True in a process that `launch` started."""
    return "LOCAL_RANK" in os.environ


def launch(job: Job, script: Path, arguments: list[str], work: Path) -> None:
    """Runs `script` in the processes of the job. Raises `WorkerFailed` or `Cancelled`; nothing is left running then."""
    from accelerate.commands.launch import launch_command, launch_command_parser
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    for path in work.glob("failure-*.json"):
        path.unlink()
    count = job.fit.processes
    command = [
        *(FSDP2 if job.fit.sharded else ("--multi_gpu",)), "--num_machines", "1", "--num_processes", str(count),
        "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0",
        "--num_cpu_threads_per_process", str(max(1, cores() // count)), str(script), *arguments,
    ]  # fmt: skip
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # The name of the machine may lead nowhere.
    give_back_stdout()
    try:
        launch_command(launch_command_parser().parse_args(command))
    except SignalException:
        raise Cancelled(told(work).get(0, ("", "Stopped."))[1]) from None
    except ChildFailedError as error:
        raise verdict({rank: failure.exitcode for rank, failure in error.failures.items()}, told(work)) from None


def verdict(codes: dict[int, int], said: dict[int, tuple[str, str]]) -> Exception:
    """What to tell of the exit codes by rank and of what ranks said, the first word first.

    One that was killed outright says nothing, and what the others say is only that it was gone.
    """
    killed = [rank for rank, code in codes.items() if code == -signal.SIGKILL]
    if killed:
        why = f"Process {killed[0]} of the run was killed, as the system does when memory is out."
        return WorkerFailed("OUT_OF_MEMORY", why)
    for code, message in said.values():
        return Cancelled(message) if code == "CANCELLED" else WorkerFailed(code, message)
    return WorkerFailed("INTERNAL", f"The processes of the run ended with {', '.join(map(str, codes.values()))}.")


def tell_launcher(work: Path, code: str, message: str) -> None:
    """Leaves a worker's failure where `launch` looks for it."""
    part = work / f"failure-{os.environ['RANK']}.part"
    part.write_text(json.dumps([code, message]), encoding="utf-8")
    os.replace(part, part.with_suffix(".json"))


def told(work: Path) -> dict[int, tuple[str, str]]:
    """(code, message) of the ranks that failed, in the order in which they did."""
    paths = sorted(work.glob("failure-*.json"), key=lambda path: path.stat().st_mtime_ns)
    return {int(path.stem.partition("-")[2]): tuple(json.loads(path.read_text(encoding="utf-8"))) for path in paths}


def die_with_launcher() -> None:
    """A worker has a session of its own, which no signal to the launcher's group reaches."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def use_one_gpu() -> None:
    """Keeps a run of one process off the other GPUs: transformers would spread its batches over all it sees."""
    seen = os.environ.get("CUDA_VISIBLE_DEVICES", "0")
    os.environ["CUDA_VISIBLE_DEVICES"] = seen.partition(",")[0]


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
