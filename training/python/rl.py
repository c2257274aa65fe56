"""RL: a reward model on the pairs, then RLOO against it with the divergence from the base in the reward.

RLOO (https://arxiv.org/abs/2402.14740) samples a few replies a prompt and moves towards those that are better than the
others' mean. GRPO would also divide by a group's spread, which blows up the small differences of replies that are
equally good; on a reward model from a hundred votes those are noise.
"""

import math
import random
import statistics
from pathlib import Path

from common import lora_config, training_settings, world
from datasets import Dataset
from events import stage
from job import BadData, Job
from render import token_ids
from replay import Replay, both_ways, contrasts, replaying
from reward import train_judge
from transformers import TrainerCallback
from trl import RLOOConfig, RLOOTrainer

NEEDS = ("prompt", "chosen", "rejected")
REPLAY_WEIGHT = 1.0
# Replies a prompt. Two is the least that has a baseline; more cost generation time.
GENERATIONS = 4
# A reply may be this much longer than the longest one that people judged.
ROOM = 1.25
# Steps that are looked back on, and how many of them must be there before a verdict.
WINDOW, ENOUGH = 16, 2
SAME = 1e-4
# A run has learnt something when the mean reward has grown by this much, in standard deviations of the judged replies' scores.
RISEN = 0.5


def build(job: Job, base, rows: list[dict], replay: list[dict], work: Path, progress):
    """A TRL trainer for the prompts in `rows`, whose reward model is already trained on the replies in them."""
    model, tokenizer = base
    rows = rows + both_ways(rows, contrasts(replay))
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
        callbacks=[progress, Variety()],
    )


def longest_reply(tokenizer, rows: list[dict]) -> int:
    """Tokens that a sampled reply may have."""
    tails = (token_ids(tokenizer, row["prompt"], row[side])[1] for row in rows for side in ("chosen", "rejected"))
    return math.ceil(max(map(len, tails)) * ROOM)


def watched(judge):
    """`judge`, which also logs the share of groups whose replies got one reward, and of those whose replies are one."""

    def reward(prompts, completion_ids, log_metric, **rest) -> list[float]:
        rewards = judge(prompts=prompts, completion_ids=completion_ids, **rest)
        groups = [slice(at, at + GENERATIONS) for at in range(0, len(rewards), GENERATIONS)]
        spreads = [max(rewards[group]) - min(rewards[group]) for group in groups]
        replies = [{tuple(ids) for ids in completion_ids[group]} for group in groups]
        log_metric("one_reward", statistics.fmean(spread < SAME for spread in spreads))
        log_metric("one_reply", statistics.fmean(len(reply) == 1 for reply in replies))
        return rewards

    return reward


class Variety(TrainerCallback):
    """Ends a run whose groups have no variance left in their rewards, for such a group moves nothing.

    Where rewards have risen, the run has got to where it was going, and its LoRA is as good as it gets. Where they haven't,
    that is an error: the run would end like a good one, with a LoRA that does nothing.
    """

    def on_log(self, args, state, control, **_) -> None:
        steps = [row for row in state.log_history if "one_reward" in row]
        recent = steps[-WINDOW:]
        flat, same = (statistics.fmean(row[name] for row in recent) if recent else 0 for name in ("one_reward", "one_reply"))
        if len(steps) < ENOUGH or flat <= 0.5:
            return
        apart = min(WINDOW, len(steps) // 2)
        first, last = (statistics.fmean(row["reward"] for row in rows) for rows in (steps[:apart], steps[-apart:]))
        if last - first >= RISEN:
            print(f"RL has converged: reward {first:.2f} to {last:.2f}, {flat:.0%} of the last groups without variance.")
            control.should_training_stop = True
            return
        why = (
            "the model gives nearly always the same answer to a question, so there is nothing to choose from"
            if 2 * same >= flat
            else "the reward model scores different answers alike; it needs more pairs, or pairs that differ more"
        )
        raise BadData(
            f"RL has nothing to learn from: in {flat:.0%} of the groups of the last {len(recent)} steps all {GENERATIONS} "
            f"answers got one reward, since {why}. Train with dpo, which needs no variety."
        )
