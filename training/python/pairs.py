"""DPO that reads what the two replies of a pair have in common once: the prompt, which is most of both.

A pair becomes one sequence, `common | rest of the chosen | rest of the rejected`, in which no rest sees the other. Logits are
computed where a reply's tokens are predicted and nowhere else. TRL's loss gets the same numbers as before, to rounding.
Prefix sharing: https://arxiv.org/abs/2410.20305.
"""

import torch
from gguf_names import SUPPORTED
from peft import PeftModel
from torch.utils.data import DataLoader
from trl import DPOTrainer

# With more than this share of the tokens left, attention over the joined rows costs more than is saved.
WORTH = 0.75
PER_TOKEN = ("log_probs", "entropy", "log_sum_sq_probs", "mean_logits", "is_top1")


class PairTrainer(DPOTrainer):
    """TRL's trainer on a model that shares prefixes."""

    def __init__(self, *given, **named) -> None:
        super().__init__(*given, **named)
        share_prefixes(self.model)

    def _precompute_ref_logps(self, dataset, name, batch_size):
        """TRL keeps them in a cache file that only one of several processes would find; they are a few numbers."""
        share_prefixes(self.model)
        loader = self.accelerator.prepare(DataLoader(dataset, batch_size=batch_size, collate_fn=self.data_collator))
        found = [self.accelerator.gather_for_metrics(self.compute_ref_log_probs(self.model, batch)) for batch in loader]
        chosen, rejected = (torch.cat(side).tolist() for side in zip(*found, strict=True))
        return dataset.add_column("ref_chosen_logps", chosen).add_column("ref_rejected_logps", rejected)


def share_prefixes(model) -> None:
    """Makes calls of TRL's fused head (`fused_lm_head=True`) on pairs share their prefixes; other calls stay as they are.

    A call without grounds for it runs as TRL meant it: another attention than sdpa, an unknown architecture, a row that is
    longer than a sliding window.
    """
    causal = model.get_base_model() if isinstance(model, PeftModel) else model
    if getattr(causal, "shares_prefixes", False) or not shareable(causal.config):
        return
    causal.shares_prefixes = True
    head, backbone = causal.forward, causal.base_model
    read = backbone.forward

    def read_and_pick(*given, picked=None, **named):
        outputs = read(*given, **named)
        if picked is not None:
            states = outputs.last_hidden_state.flatten(0, 1)[picked]
            # The head predicts each token from the one before it, so it leaves out the last.
            outputs.last_hidden_state = torch.cat([states, states[:1]])[None]
        return outputs

    def forward(*given, fused_lm_head=False, labels=None, **named):
        plain = given or not {"input_ids", "attention_mask"} <= set(named) or named.get("position_ids") is not None
        if not fused_lm_head or plain or not fits_window(causal.config, named["input_ids"]):
            return head(*given, fused_lm_head=fused_lm_head, labels=labels, **named)
        wanted = labels[:, 1:] != -100
        inputs, picked = joined(named["input_ids"], named["attention_mask"], wanted)
        targets = labels[:, 1:][wanted]
        outputs = head(**{**named, **inputs}, labels=torch.cat([targets[:1], targets])[None], picked=picked, fused_lm_head=True)
        for field in PER_TOKEN:
            if outputs.get(field) is not None:
                flat = outputs[field][0]
                outputs[field] = flat.new_zeros(wanted.shape).masked_scatter(wanted, flat)
        outputs["label_mask"] = wanted
        return outputs

    backbone.forward, causal.forward = read_and_pick, forward


def joined(ids: torch.Tensor, mask: torch.Tensor, wanted: torch.Tensor) -> tuple[dict, torch.Tensor]:
    """The inputs (pairs, length) that stand for the rows (2 x pairs, length), chosen ones first, padded on the right; and
    where in them, flattened, the hidden states lie that the `wanted` tokens (2 x pairs, length - 1) are predicted from.

    >>> joined(torch.tensor([[5, 6, 7], [5, 6, 8]]), torch.ones(2, 3), torch.tensor([[0, 1], [0, 1]]) > 0)[0]["input_ids"]
    tensor([[5, 6, 7, 8]])
    """
    pairs, width = len(ids) // 2, ids.shape[1]
    row, column = wanted.nonzero(as_tuple=True)
    lengths = mask.sum(1).long()
    chosen, rejected = lengths[:pairs], lengths[pairs:]
    same = (ids[:pairs] == ids[pairs:]) & (mask[:pairs] == 1) & (mask[pairs:] == 1)
    common = same.long().cumprod(1).sum(1)
    length = int((chosen + rejected - common).max())
    if length > WORTH * 2 * width:
        return {"input_ids": ids, "attention_mask": mask}, row * width + column
    at = torch.arange(length, device=ids.device)[None]
    ends, shift = chosen[:, None], (chosen - common)[:, None]
    is_rejected, is_padding = at >= ends, at >= ends + rejected[:, None] - common[:, None]
    source = torch.where(is_rejected, at - shift, at).clamp(max=width - 1)
    one_row = torch.where(is_rejected, ids[pairs:].gather(1, source), ids[:pairs].gather(1, source.expand(pairs, -1)))
    part = torch.where(at < common[:, None], 0, torch.where(is_padding, 3, torch.where(is_rejected, 2, 1)))
    sees = (at.mT >= at) & ((part[:, None] == 0) | (part[:, None] == part[:, :, None]))
    pair = row % pairs
    moved = (row >= pairs) & (column >= common[pair])
    picked = pair * length + torch.where(moved, column + (chosen - common)[pair], column)
    return {"input_ids": one_row, "attention_mask": sees[:, None], "position_ids": source.expand(pairs, -1)}, picked


def shareable(config) -> bool:
    """Whether attention can be told by a mask what it may see."""
    text = config.get_text_config()
    return text.model_type in SUPPORTED and text._attn_implementation == "sdpa"


def fits_window(config, ids: torch.Tensor) -> bool:
    """Whether a row never leaves a sliding window, which the mask does not have."""
    window = getattr(config.get_text_config(), "sliding_window", None)
    return window is None or ids.shape[1] <= window
