"""Makes the jobs of the comparison from a folder of data files.

    prepare.py DATA OUT --train 500 --heldout 200 --seed 0

DATA holds `wordnet_definitions.jsonl` (instruction, output), `movie_review_sentiment.csv` (text, label)
and `piqa_preference.jsonl` (prompt, chosen, rejected). For each job, OUT gets NAME.train.jsonl, NAME.heldout.jsonl and NAME.validation.jsonl (20 rows, for
an engine that wants some): rows with `messages`, or those of the file for preferences, shuffled once with the seed, so that every engine
reads the same conversations in the same order.
"""

import argparse
import csv
import itertools
import json
import random
from pathlib import Path


def lines(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def conversation(user, assistant):
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]}


def definitions(path):
    for row in lines(path):
        yield conversation(row["instruction"], row["output"])


def reviews(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = ", ".join(sorted({row["label"] for row in rows}))
    for row in rows:
        task = f"Classify the text. Answer with one of these labels only: {labels}."
        yield conversation(f"{task}\n\n{row['text']}", row["label"])


def prompts(path):
    for row in lines(path):
        yield {"prompt": row["instruction"], "completion": row["output"]}


# For each job its file, how it is read, and how many rows are learnt (left out: as the caller asks).
JOBS = {
    "definitions": ("wordnet_definitions.jsonl", definitions, None),
    "reviews": ("movie_review_sentiment.csv", reviews, None),
    "preferences": ("piqa_preference.jsonl", lines, 200),
    "rewards": ("wordnet_definitions.jsonl", prompts, 20),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--train", type=int, default=500)
    parser.add_argument("--heldout", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name, (file, read, train) in JOBS.items():
        # A row seen in training would say nothing when held out, so equal rows are kept once.
        rows = list(dict.fromkeys(json.dumps(row, ensure_ascii=False) for row in read(args.data / file)))
        sizes = {"train": train or args.train, "heldout": args.heldout, "validation": 20}
        if len(rows) < sum(sizes.values()):
            parser.error(f"{file} has {len(rows)} different rows; {sum(sizes.values())} are needed")
        random.Random(args.seed).shuffle(rows)
        left = iter(rows)
        for part, size in sizes.items():
            chosen = itertools.islice(left, size)
            text = "".join(f"{row}\n" for row in chosen)
            (args.out / f"{name}.{part}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
