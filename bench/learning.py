"""Whether each recipe of preferences and rewards learns something real, on a CPU in minutes.

    python3 bench/learning.py --sanbao PROGRAM --model STARTER.gguf --data DIR [--only dpo grpo …]

DIR holds `movie_review_sentiment.csv` (text, label), of which pairs of the right label and the wrong one are made,
`commonsense_preference.jsonl` (prompt, chosen, rejected), whose pairs are far harder, and
`wordnet_definitions.jsonl` (instruction, output), of which the questions are taken. Every case learns rows of one
part of a file and is judged on another part that training never saw. `figure` is the one that decides the verdict,
before and after, each with its 95 % interval; a case has learnt something when the interval of the difference does not
reach 0. Nothing but Python's own library is needed.
"""

import argparse
import csv
import json
import shutil
import subprocess
import time
from pathlib import Path

TRAIN_PAIRS, VALIDATION, HELDOUT_PAIRS = 600, 20, 400
TRAIN_PROMPTS, HELDOUT_PROMPTS = 100, 60
# An untuned answer has more than twenty words, so fewer than a third of the rewards are earned at first.
RULE = ["--reward", "length:min=3,max=10,tolerance=15"]
ONLINE = {"max_completion_length": 32, "learning_rate": 3e-4, "max_steps": 40, "evals_per_epoch": 2}
GROUPS = ONLINE | {"num_generations": 8, "batch_size": 2}
ONE_EPOCH = {"num_train_epochs": 1, "learning_rate": 2e-4}

# Case: its recipe, its rows, its settings where they are not the proposed ones, and what else is said.
CASES = {
    "reward_model": ("reward_model", "reviews", ONE_EPOCH, []),
    "dpo": ("dpo", "reviews", ONE_EPOCH, []),
    "cpo": ("cpo", "reviews", ONE_EPOCH, []),
    "orpo": ("orpo", "reviews", ONE_EPOCH, []),
    "simpo": ("simpo", "reviews", ONE_EPOCH, []),
    "kto": ("kto", "reviews_unpaired", ONE_EPOCH, []),
    "reward_model_facts": ("reward_model", "facts", {"num_train_epochs": 2, "learning_rate": 5e-4}, []),
    "dpo_facts": ("dpo", "facts", ONE_EPOCH, []),
    "cpo_facts": ("cpo", "facts", ONE_EPOCH, []),
    "orpo_facts": ("orpo", "facts", ONE_EPOCH, []),
    "simpo_facts": ("simpo", "facts", ONE_EPOCH | {"learning_rate": 5e-4}, []),
    "kto_facts": ("kto", "facts_unpaired", ONE_EPOCH, []),
    "grpo": ("grpo", "questions", GROUPS | {"beta": 0.05}, RULE),
    "rloo": ("rloo", "questions", GROUPS, RULE),
    "ppo": ("ppo", "questions", ONLINE | {"batch_size": 16}, RULE),
    "best_of_n": ("best_of_n", "questions", {"max_completion_length": 32}, RULE),
}


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def reviews(path):
    """A pair of each review: the label it has is chosen, the other one rejected."""
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            wrong = "negative" if row["label"] == "positive" else "positive"
            prompt = f"Is this review of a film positive or negative?\n{row['text']}"
            yield {"prompt": prompt, "chosen": row["label"], "rejected": wrong}


def unpaired(pairs):
    """Two rows of each pair: its better answer, liked, and its worse one, not."""
    for row in pairs:
        for answer, label in (("chosen", True), ("rejected", False)):
            yield {"prompt": row["prompt"], "completion": row[answer], "label": label}


def prepare(data, out):
    """Writes train, validation and held-out rows of each kind, in the order of the files."""
    out.mkdir(parents=True, exist_ok=True)
    opinions = list(reviews(data / "movie_review_sentiment.csv"))
    facts = lines(data / "commonsense_preference.jsonl")
    # Questions alone: with the data's own answers beside them, the alarm rings when short answers stop to define.
    questions = [{"prompt": row["instruction"]} for row in lines(data / "wordnet_definitions.jsonl")]
    for kind, rows, train, heldout in (
        ("reviews", opinions, TRAIN_PAIRS, HELDOUT_PAIRS),
        ("reviews_unpaired", list(unpaired(opinions)), 2 * TRAIN_PAIRS, 2 * HELDOUT_PAIRS),
        ("facts", facts, TRAIN_PAIRS, HELDOUT_PAIRS),
        ("facts_unpaired", list(unpaired(facts)), 2 * TRAIN_PAIRS, 2 * HELDOUT_PAIRS),
        ("questions", questions, TRAIN_PROMPTS, HELDOUT_PROMPTS),
    ):
        parts = {
            "train": rows[:train],
            "validation": rows[train : train + VALIDATION],
            "test": rows[train + VALIDATION : train + VALIDATION + heldout],
        }
        for part, chosen in parts.items():
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)
            (out / f"{kind}.{part}.jsonl").write_text(text, encoding="utf-8")


def run(command, log):
    with open(log, "w", encoding="utf-8") as errors:
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=errors, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command[1]} failed ({done.returncode}); see {log}")
    return done.stdout


def learn(args, case):
    """Trains and judges one case; returns a row of the table."""
    recipe, kind, settings, rest = CASES[case]
    folder = args.work / case
    shutil.rmtree(folder, ignore_errors=True)
    command = [args.sanbao, "train", "--model", args.model, "--recipe", recipe, "--out", folder, "--json"]
    command += ["--device", "cpu", "--seed", args.seed, *rest]
    for flag, part in (("--data", "train"), ("--validation", "validation"), ("--test", "test")):
        command += [flag, args.work / "data" / f"{kind}.{part}.jsonl"]
    command += [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    start = time.monotonic()
    run(command, args.work / f"{case}.train.log")
    trained = time.monotonic()
    if recipe == "reward_model":
        found = json.loads(run([args.sanbao, "reward", "doctor", "--run", folder, "--json"], args.work / f"{case}.doctor.log"))
        figures = ["agreement with people", share(found["untuned"]), share(found["agreement"]), "", ""]
    else:
        verdict = run([args.sanbao, "evaluate", "--run", folder, "--json"], args.work / f"{case}.evaluate.log")
        figures = compared(json.loads(verdict))
    took = [f"{(trained - start) / 60:.1f} min", f"{(time.monotonic() - trained) / 60:.1f} min"]
    return [case, *figures, *took]


def compared(verdict):
    name = verdict["deciding_metric"]
    figure = next(one for one in verdict["comparisons"] if one["metric"] == name)
    shown = [estimate(figure[part]) for part in ("before", "after", "difference")]
    return [name, *shown, verdict["outcome"].replace("_", " ")]


def estimate(figure):
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def share(found):
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def main():
    parser = argparse.ArgumentParser(description="Tries the recipes of preferences and rewards on real rows.")
    parser.add_argument("--sanbao", type=Path, required=True, help="the program")
    parser.add_argument("--model", type=Path, required=True, help="base model: a folder or a .gguf file")
    parser.add_argument("--data", type=Path, required=True, help="folder with the data files")
    parser.add_argument("--work", type=Path, default=Path("target/learning"), help="folder for what is made")
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    prepare(args.data, args.work / "data")
    print("| case | figure | before | after | difference | verdict | training | judging |")
    print("|---|---|--:|--:|--:|---|--:|--:|")
    for case in args.only:
        print("| " + " | ".join(learn(args, case)) + " |", flush=True)


if __name__ == "__main__":
    main()
