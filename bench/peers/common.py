"""What the scripts of this folder share: jobs, conversations as tokens, held-out loss, meters."""

import contextlib
import json
import os
import resource
import sys
import time
from pathlib import Path


def read_rows(path):
    """The rows of a JSONL file of conversations: a list of `messages`."""
    return [row["messages"] for row in read_jsonl(path)]


def read_jsonl(path):
    """The rows of a JSONL file."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def read_job():
    """The job that the script was called with: a JSON file."""
    with open(sys.argv[1], encoding="utf-8") as file:
        return json.load(file)


def trainer_settings(job):
    """Arguments that every trainer of TRL takes, from a job."""
    here = os.path.dirname(os.path.abspath(sys.argv[1]))
    return {
        "output_dir": job.get("adapter") or os.path.join(here, "trl-output"),
        "num_train_epochs": job["num_train_epochs"],
        "learning_rate": job["learning_rate"],
        "lr_scheduler_type": job["lr_scheduler_type"],
        "warmup_steps": job["warmup_steps"],
        "max_grad_norm": job["max_grad_norm"],
        "weight_decay": job["weight_decay"],
        "adam_beta1": 0.9,
        "adam_beta2": 0.999,
        "adam_epsilon": 1e-8,
        "gradient_accumulation_steps": 1,
        "gradient_checkpointing": job["gradient_checkpointing"],
        "bf16": False,
        "use_cpu": True,
        "dataloader_num_workers": 0,
        "seed": job["seed"],
        "data_seed": job["seed"],
        "logging_first_step": True,
        "disable_tqdm": True,
        "save_strategy": "no",
        "eval_strategy": "no",
        "report_to": "none",
    }


def lora(job):
    """The adapter of a job."""
    from peft import LoraConfig

    return LoraConfig(
        r=job["lora_r"],
        lora_alpha=job["lora_alpha"],
        lora_dropout=job["lora_dropout"],
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def encode(tokenizer, messages, max_length):
    """A conversation as (ids, trained): the assistant's tokens and the token ending its turn are trained.

    The text is rendered by the model's own chat template. An assistant turn begins where the
    conversation before it, rendered with the generation prompt, ends; it ends behind the end-of-turn
    token; what the template adds after that (a line break) is not learnt.
    """
    end = tokenizer.eos_token_id
    ids, trained = [], []
    for at, message in enumerate(messages):
        through = tokenizer.apply_chat_template(messages[: at + 1], tokenize=True, return_dict=False)
        if through[: len(ids)] != ids:
            raise ValueError("the chat template rewrites earlier turns, so turns cannot be told apart by their beginnings")
        marks = [0] * (len(through) - len(ids))
        if message["role"] == "assistant":
            opening = tokenizer.apply_chat_template(
                messages[:at], tokenize=True, add_generation_prompt=True, return_dict=False
            )
            if through[: len(opening)] != opening or end not in through[len(opening) :]:
                raise ValueError("the chat template has no generation prompt or no end of turn")
            stop = len(through) - 1 - through[::-1].index(end)
            for position in range(len(opening), stop + 1):
                marks[position - len(ids)] = 1
        trained.extend(marks)
        ids = through
    return ids[:max_length], trained[:max_length]


def heldout_loss(model, encoded, batch_size=8):
    """Mean loss per trained token (nats), every token counted once, and the number of tokens.

    Only hidden states of positions that predict a trained token reach the output head, so that the
    evaluation does not set the process's peak memory.
    """
    import torch

    model.eval()
    total, count = 0.0, 0
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    with torch.no_grad():
        for start in range(0, len(encoded), batch_size):
            batch = encoded[start : start + batch_size]
            width = max(len(ids) for ids, _ in batch)
            ids = torch.zeros(len(batch), width, dtype=torch.long)
            attention = torch.zeros_like(ids)
            trained = torch.zeros_like(ids)
            for row, (row_ids, row_trained) in enumerate(batch):
                ids[row, : len(row_ids)] = torch.tensor(row_ids)
                attention[row, : len(row_ids)] = 1
                trained[row, : len(row_ids)] = torch.tensor(row_trained)
            hidden = causal.model(input_ids=ids, attention_mask=attention, use_cache=False).last_hidden_state
            predicts = trained[:, 1:].bool()
            logits = causal.lm_head(hidden[:, :-1][predicts]).float()
            total += torch.nn.functional.cross_entropy(logits, ids[:, 1:][predicts], reduction="sum").item()
            count += int(predicts.sum())
    return total / count, count


def heldout_pairs(model, encoded, beta):
    """Mean DPO loss (sigmoid, nats) and share of pairs told right, against the model without its adapter.

    `encoded` holds for each pair the chosen and the rejected conversation as `encode` gives them.
    """
    import torch

    model.eval()
    both = [one for pair in encoded for one in pair]
    with torch.no_grad():
        policy = sums_of_log_probs(model, both)
        with model.disable_adapter():
            reference = sums_of_log_probs(model, both)
    gained = (policy - reference).view(-1, 2)
    margins = beta * (gained[:, 0] - gained[:, 1])
    losses = torch.nn.functional.softplus(-margins)
    return losses.mean().item(), (margins > 0).double().mean().item()


def sums_of_log_probs(model, encoded):
    """For each conversation the log-probability of its trained tokens, nats."""
    import torch

    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    sums = []
    for ids, trained in encoded:
        row = torch.tensor([ids])
        predicts = torch.tensor(trained[1:]).bool()
        hidden = causal.model(input_ids=row, use_cache=False).last_hidden_state[0, :-1][predicts]
        logits = torch.log_softmax(causal.lm_head(hidden).float(), dim=-1)
        sums.append(logits.gather(1, row[0, 1:][predicts].unsqueeze(1)).sum())
    return torch.stack(sums).double()


def cpu_seconds():
    """User and system seconds of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_memory():
    """The largest resident size so far, bytes; on Linux since the last `restart_peak`."""
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def restart_peak():
    """Lets `peak_memory` count from now (Linux; elsewhere it keeps the peak of the whole process)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")


class Meter:
    """Wall and CPU seconds of a `with` block."""

    def __enter__(self):
        self._wall, self._cpu = time.perf_counter(), cpu_seconds()
        return self

    def __exit__(self, *_):
        self.wall_seconds = time.perf_counter() - self._wall
        self.cpu_seconds = cpu_seconds() - self._cpu


def threads():
    """The threads that a peer may use: `BENCH_THREADS`, or every core."""
    return int(os.environ.get("BENCH_THREADS") or os.cpu_count() or 1)


def finish(result):
    """Prints the result as the last line, one JSON object."""
    print(json.dumps(result), flush=True)
