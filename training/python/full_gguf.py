"""Puts the weights of a fine-tuned model into a copy of its base's GGUF.   Run:  python full_gguf.py FOLDER BASE.gguf OUT.gguf

Tokenizer, chat template and sizes are the base's, so the result reads text as the base does, whatever its tokenizer.
Matrices keep the base's type where it holds what was learned (F32, F16, BF16, Q8_0); coarser ones become Q8_0.
"""

import argparse
import json
import os
from pathlib import Path

import gguf
import numpy as np
from base_gguf import as_stored
from gguf.quants import quantize
from gguf_names import gguf_name
from job import BadData
from safetensors import safe_open

_Type = gguf.GGMLQuantizationType
KEPT = (_Type.F32, _Type.F16, _Type.BF16, _Type.Q8_0)
_FILE_TYPES = {
    _Type.F32: gguf.LlamaFileType.ALL_F32, _Type.F16: gguf.LlamaFileType.MOSTLY_F16,
    _Type.BF16: gguf.LlamaFileType.MOSTLY_BF16, _Type.Q8_0: gguf.LlamaFileType.MOSTLY_Q8_0,
}  # fmt: skip


def write_full_gguf(folder: Path, base: Path, out: Path) -> None:
    """Writes `out` whole or not at all. Raises `BadData` when folder and base are not of one model."""
    reader = gguf.GGUFReader(base)
    weights = names(folder)
    # What llama.cpp makes of the config has no weight; and a model without an output matrix uses its embeddings.
    there = {tensor.name for tensor in reader.tensors if not tensor.name.startswith("rope_")}
    other = (set(weights) ^ there) - {"output.weight"}
    if other:
        raise BadData(f"Only one of {folder} and {base} has {min(other)}: they are not the same model.")
    partial = out.with_suffix(".partial")
    writer = gguf.GGUFWriter(str(partial), reader.fields["general.architecture"].contents())
    copy_fields(reader, writer)
    types = set()
    for tensor in reader.tensors:
        if tensor.name not in there:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
            continue
        weight = read(*(weights.get(tensor.name) or weights["token_embd.weight"]))
        if list(weight.shape) != [int(side) for side in reversed(tensor.shape)]:
            raise BadData(f"{tensor.name} is {list(weight.shape)} in {folder}, but {list(reversed(tensor.shape))} in {base}.")
        stored = tensor.tensor_type if tensor.tensor_type in KEPT else _Type.Q8_0
        types |= {stored} if weight.ndim > 1 else set()
        writer.add_tensor(tensor.name, quantize(np.ascontiguousarray(weight), stored), raw_dtype=stored)
    writer.add_file_type(next(file_type for kind, file_type in reversed(_FILE_TYPES.items()) if kind in types))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(partial, out)


def names(folder: Path) -> dict[str, tuple]:
    """GGUF name: (file, Hugging Face name, config) of every weight in the folder."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "np") as file:
            for name in file.keys():
                found[gguf_name(name, config["num_hidden_layers"], config["model_type"])] = (path, name, config)
    return found


def read(path: Path, name: str, config: dict) -> np.ndarray:
    """One weight as float32, in llama.cpp's order."""
    with safe_open(path, "np") as file:
        return as_stored(name, file.get_tensor(name), config).astype(np.float32)


def copy_fields(reader: gguf.GGUFReader, writer: gguf.GGUFWriter) -> None:
    """All the base says but its architecture, which the writer has, and how its matrices are stored."""
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in (gguf.Keys.General.ARCHITECTURE, gguf.Keys.General.FILE_TYPE):
            continue
        listed = field.types[0] == gguf.GGUFValueType.ARRAY
        writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=field.types[-1] if listed else None)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("folder", "base", "out"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args(argv)
    write_full_gguf(args.folder, args.base, args.out)


if __name__ == "__main__":
    main()
