"""Checkpoints that can be trusted after a kill: one without its seal, or that differs from it, does not exist.

transformers writes a checkpoint's files one after the other, so a process that is killed meanwhile leaves half of one,
which would break the next start or, worse, be resumed from.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path

SEAL = "sealed.json"


def seal(folder: Path) -> None:
    """Marks a checkpoint as whole, with the hash of each of its files."""
    draft = folder / f"{SEAL}.part"
    draft.write_text(json.dumps(_digests(folder)))
    os.replace(draft, folder / SEAL)


def last(folder: Path) -> str | None:
    """The newest whole checkpoint in `folder`; those after it are removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    for path in found:
        if _whole(path):
            return str(path)
        shutil.rmtree(path)
    return None


def _whole(folder: Path) -> bool:
    try:
        return json.loads((folder / SEAL).read_text()) == _digests(folder)
    except (OSError, ValueError):
        return False


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(SEAL))
    return {str(path.relative_to(folder)): file_sha256(path) for path in files}


def file_sha256(path: Path) -> str:
    """SHA-256 of a file that may be larger than memory."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()
