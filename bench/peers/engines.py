"""What every comparison needs: running a script or the program, and the hyper-parameters that both get."""

import json
import shutil
import sys
from pathlib import Path

from measure import measured

HERE = Path(__file__).resolve().parent


def say(text):
    print(text, file=sys.stderr, flush=True)


def python(args, script, *rest, log):
    """Runs a script of this folder; returns its result and what it used."""
    ended = measured([sys.executable, HERE / script, *rest], args.work / log, args.env)
    return json.loads(ended.lines[-1][1]), ended


def usage(ended):
    return {
        "wall_seconds": ended.wall_seconds,
        "cpu_seconds": ended.cpu_seconds,
        "peak_gib": ended.peak_memory / 2**30,
    }


def trl(args, script, name, changes):
    """Runs one of the train_trl scripts; `changes` are added to the settings that all jobs share."""
    settings = {
        "model": str(args.base / "hf"),
        "lora_r": args.lora_r,
        "lora_alpha": args.lora_alpha,
        "lora_dropout": 0.0,
        "num_train_epochs": args.epochs,
        "per_device_train_batch_size": args.batch_size,
        "learning_rate": args.learning_rate,
        "lr_scheduler_type": "linear",
        "warmup_steps": args.warmup_ratio,
        "max_grad_norm": 1.0,
        "weight_decay": args.weight_decay,
        "max_length": args.max_length,
        "seed": args.seed,
        "gradient_checkpointing": False,
    }
    path = args.work / f"{name}.json"
    path.write_text(json.dumps(settings | changes, indent=1))
    return python(args, script, path, log=f"{name}.log")


def sanbao(args, job, recipe, changes, rest=()):
    """Trains with `recipe`; `changes` are added to the settings that all jobs share.

    Returns the run's folder, what it used, and its steps.
    """
    run, data = args.work / f"{job}.sanbao", args.work / "data"
    shutil.rmtree(run, ignore_errors=True)
    settings = {
        "r": args.lora_r,
        "lora_alpha": args.lora_alpha,
        "lora_dropout": 0.0,
        "target_modules": "all-linear",
        "num_train_epochs": args.epochs,
        "batch_size": args.batch_size,
        "learning_rate": args.learning_rate,
        "lr_scheduler_type": "linear",
        "warmup_ratio": args.warmup_ratio,
        "max_grad_norm": 1.0,
        "weight_decay": args.weight_decay,
        "max_length": args.max_length,
        "evals_per_epoch": 0,
        "train_sampling_strategy": "sequential",
    }
    command = [args.sanbao, "train", "--model", args.base / "hf", "--data", data / f"{job}.train.jsonl"]
    # All rows of the first file are learnt, because the parts to hold out come from files of their own.
    command += ["--validation", data / f"{job}.validation.jsonl", "--test", data / f"{job}.heldout.jsonl"]
    command += ["--out", run, "--recipe", recipe, "--device", "cpu", "--seed", args.seed, "--json", *rest]
    command += [part for name, value in (settings | changes).items() for part in ("--set", f"{name}={value}")]
    ended = measured(command, args.work / f"{job}.sanbao.log", args.env)
    lines = [text for _, text in ended.lines if text.startswith("{") and text.endswith("}")]
    return run, ended, [line for line in map(json.loads, lines) if line.get("event") == "step"]


def export_adapter(args, job, run):
    """The run's adapter as PEFT reads it."""
    adapter = args.work / f"{job}.sanbao-adapter"
    shutil.rmtree(adapter, ignore_errors=True)
    export = [args.sanbao, "export", "--run", run, "--target", "peft", "--out", adapter]
    measured(export, args.work / f"{job}.export.log", args.env)
    return adapter


def seconds(steps):
    """Time that the steps took."""
    return sum(step["tokens"] / step["tokens_per_second"] for step in steps)
