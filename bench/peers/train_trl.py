"""One LoRA run in TRL + PEFT on the CPU in float32, measured.

    train_trl.py JOB.json

The job names the files and every hyper-parameter (TRL's names):

    model, train, heldout           paths: Hugging Face folder, two JSONL files of `messages`
    lora_r, lora_alpha, lora_dropout
    num_train_epochs, per_device_train_batch_size, learning_rate, lr_scheduler_type, warmup_steps,
    max_grad_norm, weight_decay, max_length, seed, gradient_checkpointing
    adapter                         folder for the trained adapter; left out: not saved

Rows are read in the order of the file, padded to the longest of their batch, not packed. The last
line printed is a JSON object. Wall and CPU seconds are those of `trainer.train()` alone; `peak_memory`
is the largest resident size while it ran, `peak_memory_process` that of the whole process.
"""

import os

from common import (
    Meter,
    encode,
    finish,
    heldout_loss,
    lora,
    peak_memory,
    read_job,
    read_rows,
    restart_peak,
    threads,
    trainer_settings,
)

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer


def main():
    job = read_job()
    torch.set_num_threads(threads())
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=torch.float32)

    max_length = job["max_length"]
    train = [encode(tokenizer, messages, max_length) for messages in read_rows(job["train"])]
    heldout = [encode(tokenizer, messages, max_length) for messages in read_rows(job["heldout"])]
    dataset = Dataset.from_dict(
        {
            "input_ids": [ids for ids, _ in train],
            "labels": [[id if on else -100 for id, on in zip(ids, trained)] for ids, trained in train],
        }
    )
    trained_tokens = sum(sum(trained) for _, trained in train)

    config = SFTConfig(
        **trainer_settings(job),
        per_device_train_batch_size=job["per_device_train_batch_size"],
        max_length=max_length,
        packing=False,
        train_sampling_strategy="sequential",
        logging_steps=10,
    )
    before, heldout_tokens = heldout_loss(model, heldout)
    trainer = SFTTrainer(model=model, args=config, train_dataset=dataset, processing_class=tokenizer, peft_config=lora(job))

    loaded = peak_memory()
    restart_peak()
    with Meter() as meter:
        trainer.train()
    peak = peak_memory()

    after, _ = heldout_loss(trainer.model, heldout)
    if job.get("adapter"):
        trainer.save_model(job["adapter"])
    trained_tokens *= job["num_train_epochs"]
    finish(
        {
            "engine": "trl",
            "torch_threads": torch.get_num_threads(),
            "gradient_checkpointing": job["gradient_checkpointing"],
            "rows": len(train),
            "steps": trainer.state.global_step,
            "tokens": sum(len(ids) for ids, _ in train) * job["num_train_epochs"],
            "trained_tokens": trained_tokens,
            "trainable_parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
            "wall_seconds": meter.wall_seconds,
            "cpu_seconds": meter.cpu_seconds,
            "trained_tokens_per_second": trained_tokens / meter.wall_seconds,
            "peak_memory": peak,
            "peak_memory_process": max(loaded, peak, peak_memory()),
            "heldout_rows": len(heldout),
            "heldout_tokens": heldout_tokens,
            "heldout_loss_before": before,
            "heldout_loss": after,
            "losses": [{"step": log["step"], "loss": log["loss"]} for log in trainer.state.log_history if "loss" in log],
        }
    )


if __name__ == "__main__":
    main()
