"""Starting weights that can copy.

A small model spends most of its first training forming "copying heads": one head that looks at the previous token, and
others that look for the place where the current token stood before and repeat what came after it. Reading a value out
of a passage is built on them. They are simple enough to be written down, so training starts with them in place.
"""

import torch

ALWAYS = 3.0  # the size of the embedding's first number, the same for all tokens: a head needs something constant to steer by
SPREAD = 0.1  # the embedding's: large enough that the first steps don't upset its proportion to what the heads write
SHARP = 6.0  # how strongly the first head prefers the previous token
SLOW = 22  # rotation pairs from here on turn so slowly that they compare tokens at a distance


@torch.no_grad()
def copying_heads(model, seed: int = 0) -> None:
    """Writes a previous-token head into layer 0 and copying heads into layer 1."""
    config, generator = model.config, torch.Generator().manual_seed(seed)
    width, heads = config.hidden_size, config.num_attention_heads
    size, embedding = width // heads, model.model.embed_tokens.weight
    embedding.normal_(std=SPREAD, generator=generator)
    embedding[:, 0] = ALWAYS * SPREAD
    basis = torch.linalg.qr(torch.randn(width - 1, width - 1, generator=generator))[0]
    basis = torch.cat([torch.zeros(width - 1, 1), basis], 1)  # rows are directions that leave the constant alone
    read, written = basis[:size], basis[size : 2 * size]
    previous_head(model.model.layers[0].self_attn, read, written, size)
    for head in range(heads):
        copying_head(model.model.layers[1].self_attn, read, written, head, size)
    model.model.norm.weight.fill_(1.6)


def previous_head(attention, read: torch.Tensor, written: torch.Tensor, size: int) -> None:
    """Head 0 looks one token back and notes, in directions of its own, which token that was."""
    q, k = attention.q_proj.weight, attention.k_proj.weight
    q[:size], k[:size] = 0, 0
    for pair in range(10):
        angle = torch.tensor(10000.0 ** (-2 * pair / size))
        strength = (SHARP * size**0.5) ** 0.5 / ALWAYS
        q[pair, 0] = strength
        k[pair, 0], k[pair + size // 2, 0] = strength * torch.cos(angle), strength * torch.sin(angle)
    attention.v_proj.weight[:size] = read
    attention.o_proj.weight[:, :size] = 5 * SPREAD * written.T


def copying_head(attention, read: torch.Tensor, written: torch.Tensor, head: int, size: int) -> None:
    """A head that finds where the current token was the previous one, and repeats the token that stands there."""
    rows, pairs = slice(head * size, (head + 1) * size), size // 2 - SLOW
    q, k = attention.q_proj.weight[rows], attention.k_proj.weight[rows]
    q.zero_(), k.zero_()
    used = slice(head * 2 * pairs, (head + 1) * 2 * pairs)
    slow = [*range(SLOW, size // 2), *range(size // 2 + SLOW, size)]
    q[slow], k[slow] = 3.5 * read[used], 3.5 * written[used]
    width = attention.v_proj.weight.shape[1]
    token = torch.eye(width) - written.T @ written  # the token itself, without the note about the one before it
    token[0, 0] = 0
    attention.v_proj.weight[rows] = token[rows]
    attention.o_proj.weight[:, rows] = 25 * SPREAD * torch.eye(width)[rows].T
