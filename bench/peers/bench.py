"""Sanbao beside TRL + PEFT, transformers and llama.cpp, on the same machine in the same run.

`cargo xtask bench --data DIR` sets everything up and calls this. DIR holds the files that prepare.py names. Each job is run by every engine in turn, and the turns are
repeated in reverse order, so that no engine always runs on the warmer machine.

Equal for all: the float32 weights, the conversations (500 rows learnt, 200 held out), the tokens that carry
loss, the order of rows (as in the file), LoRA on all linear layers, AdamW, schedule, batch size. Not equal:
the random start of the adapters. Preferences and rewards are described in alignment.py.

Held-out loss is computed by one function for all (heldout.py): mean over all answer tokens, nats.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import report
from alignment import ALIGNMENT
from engines import HERE, export_adapter, python, sanbao, say, seconds, trl, usage
from measure import busy_elsewhere, measured

PROMPT = "Tell me a long story about a lighthouse keeper who finds a map."
JOBS = ["definitions", "reviews", *ALIGNMENT]


def arguments():
    parser = argparse.ArgumentParser(prog="cargo xtask bench", description="Measures Sanbao beside other programs.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the data files")
    parser.add_argument("--model", type=Path, required=True, help="base model, a .gguf file")
    parser.add_argument("--sanbao", type=Path, help="the program; without it only the others are measured")
    parser.add_argument("--work", type=Path, default=Path(sys.prefix).parent / "bench", help="folder for what is made")
    parser.add_argument("--out", type=Path, default=HERE.parent / "results.md", help="file of the tables")
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=JOBS)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads that each engine may use")
    parser.add_argument("--train-rows", type=int, default=500)
    parser.add_argument("--heldout-rows", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--warmup-ratio", type=float, default=0.05)
    parser.add_argument("--weight-decay", type=float, default=0.0)
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--lora-r", type=int, default=16)
    parser.add_argument("--lora-alpha", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--decode-tokens", type=int, default=128)
    parser.add_argument("--no-checkpointing-too", action="store_true", help="leave out TRL's slower, smaller setting")
    parser.add_argument("--no-training", action="store_true", help="decoding only")
    parser.add_argument("--no-decoding", action="store_true", help="training only")
    args = parser.parse_args()
    args.base = args.work / "model" / args.model.stem
    args.env = os.environ | {"BENCH_THREADS": str(args.threads), "RAYON_NUM_THREADS": str(args.threads)}
    return args


def train_trl(args, job, checkpointing):
    data = args.work / "data"
    changes = {
        "train": str(data / f"{job}.train.jsonl"),
        "heldout": str(data / f"{job}.heldout.jsonl"),
        "gradient_checkpointing": checkpointing,
    }
    name = f"{job}.trl{'-checkpointing' if checkpointing else ''}"
    result, ended = trl(args, "train_trl.py", name, changes)
    return usage(ended) | {
        "train_seconds": result["wall_seconds"],
        "train_cpu_seconds": result["cpu_seconds"],
        "trained_tokens_per_second": result["trained_tokens_per_second"],
        "heldout_loss_before": result["heldout_loss_before"],
        "heldout_loss": result["heldout_loss"],
    }


def train_sanbao(args, job):
    run, ended, steps = sanbao(args, job, "lora", {"early_stopping_patience": 0})
    took = seconds(steps)
    adapter = export_adapter(args, job, run)
    heldout = args.work / "data" / f"{job}.heldout.jsonl"
    rest = (args.base / "hf", adapter, heldout, str(args.max_length))
    checked, _ = python(args, "heldout.py", *rest, log=f"{job}.heldout.log")
    return usage(ended) | {
        "train_seconds": took,
        "train_cpu_seconds": None,
        "trained_tokens_per_second": sum(step["trained_tokens"] for step in steps) / took,
        "heldout_loss_before": checked["heldout_loss_before"],
        "heldout_loss": checked["heldout_loss"],
    }


def compare(args, job):
    """One job's table: every engine in turn, the turns repeated in reverse order."""
    if job in ALIGNMENT:
        engines, columns = ALIGNMENT[job]
        engines = {name: lambda run=run: run(args) for name, run in engines.items()}
        columns = report.SHORT_COLUMNS + columns
    else:
        engines, columns = {"Sanbao": lambda: train_sanbao(args, job)}, report.COLUMNS
        engines["TRL + PEFT"] = lambda: train_trl(args, job, False)
        if not args.no_checkpointing_too:
            engines["TRL + PEFT, checkpointing"] = lambda: train_trl(args, job, True)
    if not args.sanbao:
        del engines["Sanbao"]
    runs = {name: [] for name in engines}
    for repeat in range(args.repeats):
        turn = list(engines.items())
        for name, train in turn if repeat % 2 == 0 else reversed(turn):
            busy = busy_elsewhere()
            say(f"{job}: {name} ({repeat + 1} of {args.repeats}); the cores are {busy:.0%} busy")
            run = train() | {"busy_elsewhere": busy}
            say(json.dumps(run))
            runs[name].append(run)
    (args.work / f"{job}.runs.json").write_text(json.dumps(runs, indent=1))
    return report.training(job, runs, columns)


def decode_sanbao(args, repeats=3):
    """Times the pieces of a streamed answer: from the first to the last, as many tokens as arrived after the first."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(args.base / "hf")
    command = [args.sanbao, "chat", "--model", args.base / "hf", "--device", "cpu", "--temperature", "0"]
    command += ["--max-new-tokens", args.decode_tokens, PROMPT]
    rates, text, count = [], "", 0
    for _ in range(repeats):
        ended = measured(command, args.work / "chat.log", args.env, binary=True)
        text = b"".join(piece for _, piece in ended.lines).decode("utf-8").strip()
        count = len(tokenizer(text, add_special_tokens=False)["input_ids"])
        rates.append((count - 1) / (ended.lines[-1][0] - ended.lines[0][0]))
    return {"engine": "Sanbao", "tokens": count, "tokens_per_second": rates, "text": text}


def compare_decoding(args):
    """Greedy text must be the same from the same float32 weights; that is shown beside the speed."""
    model = args.base
    rest = (PROMPT, str(args.decode_tokens), "3")
    runs = [decode_sanbao(args)] if args.sanbao else []
    runs.append(python(args, "decode_transformers.py", model / "hf", *rest, log="decode_transformers.log")[0])
    runs.append(python(args, "decode_llama_cpp.py", model / "f32.gguf", *rest, log="decode_llama_cpp.log")[0])
    reference = next(run["text"] for run in runs if run["engine"] == "transformers").strip()
    for run in runs:
        run["agrees"] = "yes" if run["text"].strip() == reference else "no"
    return [report.decoding(runs)]


def main():
    args = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    rows = ["--train", args.train_rows, "--heldout", args.heldout_rows, "--seed", args.seed]
    prepare = [sys.executable, HERE / "prepare.py", args.data, args.work / "data", *rows]
    measured(prepare, args.work / "prepare.log", args.env)
    make_model = [sys.executable, HERE / "make_model.py", args.model, args.base]
    measured(make_model, args.work / "make_model.log", args.env)
    settings = (
        f"{args.train_rows} rows, {args.epochs} epoch(s), batch size {args.batch_size}, LoRA r {args.lora_r}, alpha "
        f"{args.lora_alpha}, learning rate {args.learning_rate} (linear, {args.warmup_ratio:.0%} warm-up), weight decay "
        f"{args.weight_decay}, rows up to {args.max_length} tokens, float32, {args.threads} threads; medians of "
        f"{args.repeats}."
    )
    parts = ["## Measured side by side", f"{args.model.stem} on {report.machine()}.", settings]
    if not args.no_training:
        parts += [compare(args, job) for job in args.jobs]
    if not args.no_decoding:
        parts += compare_decoding(args)
    text = "\n\n".join(parts) + "\n"
    args.out.write_text(text, encoding="utf-8")
    print(text)
    say(f"Written to {args.out}")


if __name__ == "__main__":
    main()
