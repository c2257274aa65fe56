"""Full fine-tuning: SFT on the same rows, but every weight learns and a whole model comes out.

The weights are float32, also on a GPU, where only the arithmetic is bf16: a rate that suits all weights moves them by
less than bf16 can hold. Replay rows are all that keeps what the base can do; there is no base left to compare with.
"""

from sft import NEEDS, build

__all__ = ["NEEDS", "build"]
