"""DPO and GRPO beside TRL: 200 pairs, and 20 prompts with eight answers each.

Losses of DPO can be compared: the first step starts from the same weights and rows, and held-out loss is
computed by one function for both (heldout_pairs.py). GRPO samples its answers, so two runs are never the
same; there the seconds for an answer's token and the rewards of the last five steps are shown.
"""

import statistics

from engines import export_adapter, python, sanbao, seconds, trl, usage

BETA = {"preferences": 0.1, "rewards": 0.02}
# A window of three to ten words: the untuned model answers with some thirty, so there is much to learn.
WORDS, TOLERANCE = (3, 10), 30
ANSWERS, ANSWER_TOKENS = 8, 32
LAST_STEPS = 5


def dpo_trl(args):
    adapter = args.work / "preferences.trl-adapter"
    changes = {"train": str(args.work / "data" / "preferences.train.jsonl"), "adapter": str(adapter)}
    result, ended = trl(args, "train_trl_dpo.py", "preferences.trl", changes | {"beta": BETA["preferences"]})
    return usage(ended) | {
        "train_seconds": result["wall_seconds"],
        "first_loss": result["losses"][0],
        "mean_loss": statistics.fmean(result["losses"]),
        **judged(args, adapter, "preferences.trl-heldout.log"),
    }


def dpo_sanbao(args):
    changes = {"beta": BETA["preferences"], "early_stopping_patience": 0}
    run, ended, steps = sanbao(args, "preferences", "dpo", changes)
    adapter = export_adapter(args, "preferences", run)
    return usage(ended) | {
        "train_seconds": seconds(steps),
        "first_loss": steps[0]["loss"],
        "mean_loss": statistics.fmean(step["loss"] for step in steps),
        **judged(args, adapter, "preferences.sanbao-heldout.log"),
    }


def judged(args, adapter, log):
    heldout = args.work / "data" / "preferences.heldout.jsonl"
    rest = [args.base / "hf", adapter, heldout, str(args.max_length), str(BETA["preferences"])]
    result, _ = python(args, "heldout_pairs.py", *rest, log=log)
    return {"heldout_loss": result["heldout_loss"], "heldout_accuracy": result["heldout_accuracy"]}


def grpo_trl(args):
    changes = {
        "train": str(args.work / "data" / "rewards.train.jsonl"),
        "num_generations": ANSWERS,
        "max_completion_length": ANSWER_TOKENS,
        "beta": BETA["rewards"],
        "words": WORDS,
        "tolerance": TOLERANCE,
    }
    result, ended = trl(args, "train_trl_grpo.py", "rewards.trl", changes)
    return usage(ended) | rewarded(result["wall_seconds"], result["answer_tokens"], result["rewards"])


def grpo_sanbao(args):
    changes = {
        "num_generations": ANSWERS,
        "max_completion_length": ANSWER_TOKENS,
        "beta": BETA["rewards"],
        "batch_size": 1,
        "max_steps": 20,
    }
    rule = f"length:min={WORDS[0]},max={WORDS[1]},tolerance={TOLERANCE}"
    _, ended, steps = sanbao(args, "rewards", "grpo", changes, ["--reward", rule])
    figures = [step["figures"] for step in steps]
    tokens = sum(figure["completions/mean_length"] * ANSWERS for figure in figures)
    return usage(ended) | rewarded(seconds(steps), tokens, [figure["reward"] for figure in figures])


def rewarded(train_seconds, tokens, rewards):
    return {
        "train_seconds": train_seconds,
        "answer_tokens": tokens,
        "milliseconds_per_token": 1000 * train_seconds / tokens,
        "first_reward": rewards[0],
        "last_reward": statistics.fmean(rewards[-LAST_STEPS:]),
    }


# For each job: engines in the order of the table, and the columns beside time and memory.
ALIGNMENT = {
    "preferences": (
        {"Sanbao": dpo_sanbao, "TRL + PEFT": dpo_trl},
        [
            ("first loss", "first_loss", "{:.4f}"),
            ("mean loss", "mean_loss", "{:.4f}"),
            ("held-out loss", "heldout_loss", "{:.4f}"),
            ("held-out pairs told right", "heldout_accuracy", "{:.1%}"),
        ],
    ),
    "rewards": (
        {"Sanbao": grpo_sanbao, "TRL + PEFT": grpo_trl},
        [
            ("tokens answered", "answer_tokens", "{:.0f}"),
            ("ms a token", "milliseconds_per_token", "{:.1f}"),
            ("reward, first step", "first_reward", "{:.2f}"),
            ("last five", "last_reward", "{:.2f}"),
        ],
    ),
}
