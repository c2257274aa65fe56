"""Lets accelerate shard on the CPU, which it does for accelerators alone: torch itself can, through gloo."""

import os

if "LOCAL_RANK" in os.environ:
    import accelerate.state as state

    class Types:
        """accelerate's types, among whose accelerators the CPU is."""

        real = state.DistributedType

        def __getattr__(self, name):
            return getattr(self.real, "MULTI_CPU" if name == "MULTI_NEURON" else name)

    state.DistributedType = Types()
