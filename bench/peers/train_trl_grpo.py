"""One GRPO run in TRL + PEFT on the CPU in float32, measured.

    train_trl_grpo.py JOB.json

The job's names are those of train_trl.py, with `beta`, `num_generations`, `max_completion_length` and
the rule that rewards an answer: `words` (shortest and longest good length) and `tolerance` (words
outside at which the reward is 0). Rows of `train` hold a `prompt`. A step answers one prompt. The last
line printed is a JSON object; `rewards` has the mean reward of every step.
"""

import os
import re

from common import (
    Meter,
    finish,
    lora,
    peak_memory,
    read_job,
    read_jsonl,
    restart_peak,
    threads,
    trainer_settings,
)

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOConfig, GRPOTrainer


def within(words, tolerance):
    """The reward of a length: 1 inside the window, falling in a straight line outside."""
    low, high = words

    def length(completions, **_):
        counts = [len(re.findall(r"\w+", turns[0]["content"])) for turns in completions]
        return [max(0.0, 1.0 - max(low - count, count - high, 0) / tolerance) for count in counts]

    return length


def main():
    job = read_job()
    torch.set_num_threads(threads())
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=torch.float32)
    prompts = [[{"role": "user", "content": row["prompt"]}] for row in read_jsonl(job["train"])]
    config = GRPOConfig(
        **trainer_settings(job),
        per_device_train_batch_size=job["num_generations"],
        num_generations=job["num_generations"],
        max_completion_length=job["max_completion_length"],
        beta=job["beta"],
        loss_type="dapo",
        scale_rewards="group",
        epsilon=0.2,
        temperature=1.0,
        shuffle_dataset=False,
        logging_steps=1,
    )
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=within(job["words"], job["tolerance"]),
        args=config,
        train_dataset=Dataset.from_dict({"prompt": prompts}),
        processing_class=tokenizer,
        peft_config=lora(job),
    )
    restart_peak()
    with Meter() as meter:
        trainer.train()
    peak = peak_memory()
    steps = [log for log in trainer.state.log_history if "reward" in log]
    finish(
        {
            "engine": "trl",
            "steps": trainer.state.global_step,
            "wall_seconds": meter.wall_seconds,
            "cpu_seconds": meter.cpu_seconds,
            "peak_memory": peak,
            "rewards": [log["reward"] for log in steps],
            "answer_tokens": sum(log["completions/mean_length"] * job["num_generations"] for log in steps),
        }
    )


if __name__ == "__main__":
    main()
