"""One DPO run in TRL + PEFT on the CPU in float32, measured.

    train_trl_dpo.py JOB.json

The job's names are those of train_trl.py, with `beta`; `train` and `adapter` must be there, `heldout`
is not read. Rows of `train` hold `prompt`, `chosen` and `rejected`, texts that become a user's and an
assistant's turn. The last line printed is a JSON object; `losses` has the loss of every step.
"""

import os

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
from trl import DPOConfig, DPOTrainer


def turn(role, text):
    return [{"role": role, "content": text}]


def main():
    job = read_job()
    torch.set_num_threads(threads())
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=torch.float32)
    rows = read_jsonl(job["train"])
    dataset = Dataset.from_dict(
        {
            "prompt": [turn("user", row["prompt"]) for row in rows],
            "chosen": [turn("assistant", row["chosen"]) for row in rows],
            "rejected": [turn("assistant", row["rejected"]) for row in rows],
        }
    )
    config = DPOConfig(
        **trainer_settings(job),
        per_device_train_batch_size=job["per_device_train_batch_size"],
        max_length=job["max_length"],
        beta=job["beta"],
        loss_type=["sigmoid"],
        train_sampling_strategy="sequential",
        logging_steps=1,
    )
    trainer = DPOTrainer(
        model=model, args=config, train_dataset=dataset, processing_class=tokenizer, peft_config=lora(job)
    )
    restart_peak()
    with Meter() as meter:
        trainer.train()
    peak = peak_memory()
    trainer.save_model(job["adapter"])
    finish(
        {
            "engine": "trl",
            "steps": trainer.state.global_step,
            "wall_seconds": meter.wall_seconds,
            "cpu_seconds": meter.cpu_seconds,
            "peak_memory": peak,
            "losses": [log["loss"] for log in trainer.state.log_history if "loss" in log],
        }
    )


if __name__ == "__main__":
    main()
