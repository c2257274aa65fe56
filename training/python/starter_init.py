"""Starting weights that can copy.

A small model spends most of its first training forming "copying heads": heads that look a token or two back, and
others that look for the place where the last two tokens stood before and repeat what came after them. Reading a value
out of a passage is built on them. They are simple enough to be written down, so training starts with them in place.
Matching two tokens and not one matters: in running text one token stands in many places (cross entropy on a repeated
page, before any training: 1.0 nat a token against 4.1).
"""

import torch

ALWAYS = 3.0  # the size of the embedding's first number, the same for all tokens: a head needs something constant to steer by
SPREAD = 0.1  # the embedding's: large enough that the first steps don't upset its proportion to what the heads write
SHARP = 6.0  # how strongly a looking-back head prefers its token
SLOW = 22  # rotation pairs from here on turn so slowly that they compare tokens at a distance
BY_LAST = 12  # how many of a copying head's slow dimensions compare the last token; the others compare the one before it


@torch.no_grad()
def copying_heads(model, seed: int = 0) -> None:
    """Writes two looking-back heads into layer 0 and copying heads into layer 1."""
    config, generator = model.config, torch.Generator().manual_seed(seed)
    width, heads = config.hidden_size, config.num_attention_heads
    size, embedding = width // heads, model.model.embed_tokens.weight
    embedding.normal_(std=SPREAD, generator=generator)
    embedding[:, 0] = ALWAYS * SPREAD
    basis = torch.linalg.qr(torch.randn(width - 1, width - 1, generator=generator))[0]
    basis = torch.cat([torch.zeros(width - 1, 1), basis], 1)  # rows are directions that leave the constant alone
    read, last, before = basis[:size], basis[size : 2 * size], basis[2 * size : 3 * size]
    look_back(model.model.layers[0].self_attn, 1, read, last, size)
    look_back(model.model.layers[0].self_attn, 2, read, before, size)
    for head in range(heads):
        chosen = torch.randperm(size, generator=generator)
        copying_head(model.model.layers[1].self_attn, read, last, before, chosen, head, size)
    model.model.norm.weight.fill_(1.6)


def look_back(attention, distance: int, read: torch.Tensor, written: torch.Tensor, size: int) -> None:
    """A head that looks `distance` tokens back and notes, in directions of its own, which token stood there."""
    first = (distance - 1) * size
    rows = slice(first, first + size)
    q, k = attention.q_proj.weight, attention.k_proj.weight
    q[rows], k[rows] = 0, 0
    for pair in range(10):
        angle = torch.tensor(distance * 10000.0 ** (-2 * pair / size))
        strength = (SHARP * size**0.5) ** 0.5 / ALWAYS
        q[first + pair, 0] = strength
        k[first + pair, 0], k[first + pair + size // 2, 0] = strength * torch.cos(angle), strength * torch.sin(angle)
    attention.v_proj.weight[rows] = read
    attention.o_proj.weight[:, rows] = 5 * SPREAD * written.T


def copying_head(attention, read, last, before, chosen: torch.Tensor, head: int, size: int) -> None:
    """A head that finds where the current token was the last one, and its neighbour the one before, and repeats what stands there."""
    rows = slice(head * size, (head + 1) * size)
    q, k = attention.q_proj.weight[rows], attention.k_proj.weight[rows]
    q.zero_(), k.zero_()
    slow = [*range(SLOW, size // 2), *range(size // 2 + SLOW, size)]
    by_last, by_before = chosen[:BY_LAST], chosen[BY_LAST : len(slow)]
    q[slow[:BY_LAST]], k[slow[:BY_LAST]] = 5.0 * read[by_last], 5.0 * last[by_last]
    q[slow[BY_LAST:]], k[slow[BY_LAST:]] = 3.0 * last[by_before], 3.0 * before[by_before]
    width = attention.v_proj.weight.shape[1]
    token = torch.eye(width) - last.T @ last - before.T @ before  # the token itself, without the notes about those before it
    token[0, 0] = 0
    attention.v_proj.weight[rows] = token[rows]
    attention.o_proj.weight[:, rows] = 25 * SPREAD * torch.eye(width)[rows].T
