"""Muon for a small model: each update of a matrix is made orthogonal, all matrices of one shape at once."""

import torch
import torch.distributed as dist

DECAY = 0.02
SCALE = 0.35  # the root mean square of an update, in units of the rate
STEPS = ((3.4445, -4.7750, 2.0315),) * 5  # Newton-Schulz coefficients that push all singular values close to one


def orthogonal(stack: torch.Tensor) -> torch.Tensor:
    """For each matrix of a stack, a nearby one whose singular values are about one."""
    tall = stack.shape[1] > stack.shape[2]
    x = stack.transpose(1, 2) if tall else stack
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for a, b, c in STEPS:
        gram = x @ x.transpose(1, 2)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.transpose(1, 2) if tall else x


def shared(stack: torch.Tensor) -> torch.Tensor:
    """The same, each process of several making its share of the matrices."""
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return orthogonal(stack)
    rank, ranks, made = dist.get_rank(), dist.get_world_size(), torch.zeros_like(stack)
    made[rank::ranks] = orthogonal(stack[rank::ranks])
    dist.all_reduce(made)
    return made


class Muon:
    """Momentum, then the orthogonal update. Rates mean about what they mean to AdamW."""

    def __init__(self, matrices: list[torch.nn.Parameter]):
        shapes = dict.fromkeys(tuple(p.shape) for p in matrices)
        self.groups = [[p for p in matrices if tuple(p.shape) == shape] for shape in shapes]
        self.momenta = [torch.zeros(len(group), *group[0].shape, device=group[0].device) for group in self.groups]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        for group, momentum in zip(self.groups, self.momenta, strict=True):
            gradient = torch.stack([p.grad for p in group])
            momentum.lerp_(gradient, 0.05)
            update = shared(gradient.lerp_(momentum, 0.95))
            scale = SCALE * max(group[0].shape) ** 0.5
            for parameter, change in zip(group, update, strict=True):
                parameter.mul_(1 - rate * DECAY).sub_(change, alpha=rate * scale)
