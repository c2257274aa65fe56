"""RL: a reward model on the pairs, then RLOO against it with the divergence from the base in the reward.

RLOO (https://arxiv.org/abs/2402.14740) samples a few replies a prompt and moves towards those that are better than the
others' mean. GRPO would also divide by a group's spread, which blows up the small differences of replies that are
equally good; on a reward model from a hundred votes those are noise.
"""

import math
import random
from collections import deque
from pathlib import Path

from common import lora_config, training_settings, world
from datasets import Dataset
from events import stage
from job import BadData, Job
from render import token_ids
from replay import Replay, replaying
from reward import train_judge
from trl import RLOOConfig, RLOOTrainer

NEEDS = ("prompt", "chosen", "rejected")
REPLAY_WEIGHT = 1.0
# Replies a prompt. Two is the least that has a baseline; more cost generation time.
GENERATIONS = 4
# A reply may be this much longer than the longest one that people judged.
ROOM = 1.25
# Groups that are looked back on, and how many of them must be there before a verdict.
WINDOW, ENOUGH = 32, 4
SAME = 1e-4


def build(job: Job, base, rows: list[dict], replay: list[dict], work: Path, progress):
    """A TRL trainer for the prompts in `rows`, whose reward model is already trained on the replies in them."""
    model, tokenizer = base
    prompts = list({repr(row["prompt"]): {"prompt": row["prompt"]} for row in rows}.values())
    random.Random(job.seed).shuffle(prompts)
    groups = max(1, min(job.hyper.batchSize // GENERATIONS, len(prompts)) // world())
    judging, acting = (
        math.ceil(count / batch) * job.hyper.epochs
        for count, batch in ((len(rows), job.hyper.batchSize), (len(prompts), groups * world()))
    )
    progress.of = judging + acting
    with stage("reward"):
        judge = train_judge(job, tokenizer, rows, work / "reward", progress, judging)
    progress.before = judging
    own = ("max_length", "gradient_accumulation_steps")
    settings = {key: value for key, value in training_settings(job, work).items() if key not in own}
    micro = math.gcd(groups * GENERATIONS, job.fit.microBatch)
    batches = Replay(replay, tokenizer, job.hyper.batchSize, job.seed) if replay else None
    return replaying(RLOOTrainer, batches, REPLAY_WEIGHT, progress)(
        model=model,
        reward_funcs=watched(judge),
        args=RLOOConfig(
            **{**settings, "per_device_train_batch_size": micro, "max_steps": acting},
            gradient_accumulation_steps=groups * GENERATIONS // micro,
            num_generations=GENERATIONS,
            max_completion_length=longest_reply(tokenizer, rows),
            beta=job.hyper.beta,
            # TRL's own order forgets on resuming how many epochs there were before.
            shuffle_dataset=False,
        ),
        train_dataset=Dataset.from_list(prompts),
        processing_class=tokenizer,
        peft_config=lora_config(job),
        callbacks=[progress],
    )


def longest_reply(tokenizer, rows: list[dict]) -> int:
    """Tokens that a sampled reply may have."""
    tails = (token_ids(tokenizer, row["prompt"], row[side])[1] for row in rows for side in ("chosen", "rejected"))
    return math.ceil(max(map(len, tails)) * ROOM)


def watched(judge):
    """`judge`, but a run whose groups have no variance in their rewards ends with an error.

    Such a group moves nothing, and a run of them would end like a good one, with a LoRA that does nothing.
    """
    recent: deque[str] = deque(maxlen=WINDOW)

    def reward(prompts, completion_ids, **rest) -> list[float]:
        rewards = judge(prompts=prompts, completion_ids=completion_ids, **rest)
        for at in range(0, len(rewards), GENERATIONS):
            group = rewards[at : at + GENERATIONS]
            replies = {tuple(ids) for ids in completion_ids[at : at + GENERATIONS]}
            flat = max(group) - min(group) < SAME
            recent.append("varied" if not flat else "one reply" if len(replies) == 1 else "one reward")
        _refuse_flat(recent)
        return rewards

    return reward


def _refuse_flat(recent) -> None:
    same_reply, same_reward = recent.count("one reply"), recent.count("one reward")
    if len(recent) < ENOUGH or 2 * (same_reply + same_reward) <= len(recent):
        return
    why = (
        "the model gives nearly always the same answer to a question, so there is nothing to choose from"
        if same_reply >= same_reward
        else "the reward model scores different answers alike; it needs more pairs, or pairs that differ more"
    )
    raise BadData(
        f"RL has nothing to learn from: in {same_reply + same_reward} of the last {len(recent)} groups all "
        f"{GENERATIONS} answers got one reward, since {why}. Train with dpo, which needs no variety, "
        "or lower hyper.learningRate if this began in the middle of the run."
    )
