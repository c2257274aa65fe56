"""Takes a LoRA that another trainer made.   Run:  python adopt.py job.json RESULT_FOLDER

RESULT_FOLDER, or `peft` in it, is a PEFT folder with safetensors, or RESULT_FOLDER has one GGUF LoRA. It is checked
against the base of the job and put into the job's output like a LoRA of our own. stdout, stderr and exit codes are
those of train.py.
"""

import argparse
import math
import shutil
import sys
import tempfile
import threading
from pathlib import Path

from events import emit, stage, take_stdout
from gguf_names import arch_name
from job import BadData, Job, read_job


def main(arguments: list[str]) -> int:
    """Adopts a result and answers the exit code. Never raises for anything a folder can contain."""
    from train import EXIT, _follow_stdin, classify, stay_offline

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--follow-stdin", action="store_true", help="end when stdin closes")
    options = parser.parse_args(arguments)
    take_stdout()
    if options.follow_stdin:
        threading.Thread(target=_follow_stdin, daemon=True).start()
    try:
        job = read_job(options.job)
        with tempfile.TemporaryDirectory() as cache, stage("adopt"):
            stay_offline(Path(cache))
            done = adopt(job, options.result)
        emit("done", **done)
        return 0
    except BaseException as error:  # noqa: BLE001 - every end is an event and a code
        code, message = classify(error)
        emit("error", code=code, message=message)
        return EXIT[code]


def adopt(job: Job, result: Path) -> dict:
    """The fields of the `done` event for the LoRA in `result`, once it is in place."""
    from publish import put_in_place
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(job.model, local_files_only=True, trust_remote_code=False)
    peft = next((folder for folder in (result, result / "peft") if (folder / "adapter_config.json").is_file()), None)
    if peft:
        weights = peft / "adapter_model.safetensors"
        if not weights.is_file():
            raise BadData(f"{peft} has no adapter_model.safetensors; other formats can carry code and are not read.")
        refuse_foreign(weights, job)
        return put_in_place(job, tokenizer, lambda draft: _copy_peft(peft, draft))
    files = sorted(result.glob("*.gguf"))
    if len(files) != 1:
        raise BadData(f"{result} must hold a PEFT folder (adapter_config.json) or one .gguf; it has {len(files)} of these.")
    check_gguf(files[0], job)
    return put_in_place(job, tokenizer, None, files[0])


def refuse_foreign(weights: Path, job: Job) -> None:
    """Raises `BadData` unless every pair of matrices fits a matrix of the base and all its numbers are finite."""
    from lora_gguf import _KEY
    from safetensors import safe_open

    base = _shapes(job.model)
    with safe_open(weights, "pt") as file:
        for key in file.keys():
            match = _KEY.fullmatch(key)
            shape = base.get(f"{match['module']}.weight") if match else None
            if shape is None:
                raise BadData(f"The LoRA holds {key!r}, for which {job.model} has no weight.")
            tensor = file.get_tensor(key)
            side, of = (tensor.shape[-1], shape[1]) if match["side"] == "A" else (tensor.shape[0], shape[0])
            if side != of:
                raise BadData(f"{key} has {side} where {job.model} has {of}: the LoRA was made for another model.")
            if not bool(tensor.isfinite().all()):
                raise BadData(f"{key} is not finite: the training diverged.")


def check_gguf(path: Path, job: Job) -> None:
    """Raises `BadData` unless `path` is a LoRA for the architecture of the job's base with finite numbers."""
    import json

    import numpy
    from gguf import GGUFReader

    try:
        reader = GGUFReader(path)
    except (ValueError, IndexError) as error:
        raise BadData(f"{path.name} is no GGUF: {error}.") from None
    fields = {name: reader.fields[name].contents() for name in ("general.type", "adapter.type", "general.architecture") if name in reader.fields}
    if (fields.get("general.type"), fields.get("adapter.type")) != ("adapter", "lora"):
        raise BadData(f"{path.name} is no LoRA but a {fields.get('general.type')!r}.")
    wanted = arch_name(json.loads((job.model / "config.json").read_text(encoding="utf-8"))["model_type"])
    if fields.get("general.architecture") != wanted:
        raise BadData(f"{path.name} was made for {fields.get('general.architecture')!r}, the base is {wanted!r}.")
    for tensor in reader.tensors:
        if tensor.data.dtype.kind == "f" and not math.isfinite(float(numpy.abs(tensor.data.astype("float32")).max(initial=0))):
            raise BadData(f"{tensor.name} in {path.name} is not finite: the training diverged.")


def _copy_peft(peft: Path, draft: Path) -> None:
    draft.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copyfile(peft / name, draft / name)


def _shapes(model: Path) -> dict[str, list[int]]:
    from safetensors import safe_open

    shapes = {}
    for path in model.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            shapes |= {key: file.get_slice(key).get_shape() for key in file.keys()}
    return shapes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
