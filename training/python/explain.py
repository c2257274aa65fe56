"""Explanation tuning: SFT on the explained answers that a teacher wrote under varied instructions before this run.

Orca: https://arxiv.org/abs/2306.02707. `training/explain.ts` asks the teacher and drops what is no explanation.
"""

from sft import NEEDS, build

__all__ = ["NEEDS", "build"]
