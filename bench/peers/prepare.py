"""Makes the two jobs of the comparison from a folder of data files.

    prepare.py DATA OUT --train 500 --heldout 200 --seed 0

DATA holds `wordnet_definitions.jsonl` (instruction, output) and `movie_review_sentiment.csv` (text,
label). For each, OUT gets NAME.train.jsonl, NAME.heldout.jsonl and NAME.validation.jsonl (20 rows, for
an engine that wants some): rows with `messages`, shuffled once with the seed, so that every engine
reads the same conversations in the same order.
"""

import argparse
import csv
import itertools
import json
import random
from pathlib import Path


def definitions(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            yield row["instruction"], row["output"]


def reviews(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = ", ".join(sorted({row["label"] for row in rows}))
    for row in rows:
        yield f"Classify the text. Answer with one of these labels only: {labels}.\n\n{row['text']}", row["label"]


JOBS = {
    "definitions": ("wordnet_definitions.jsonl", definitions),
    "reviews": ("movie_review_sentiment.csv", reviews),
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
    for name, (file, read) in JOBS.items():
        # A row seen in training would say nothing when held out, so equal rows are kept once.
        rows = list(dict.fromkeys(read(args.data / file)))
        sizes = {"train": args.train, "heldout": args.heldout, "validation": 20}
        if len(rows) < sum(sizes.values()):
            parser.error(f"{file} has {len(rows)} different rows; {sum(sizes.values())} are needed")
        random.Random(args.seed).shuffle(rows)
        left = iter(rows)
        for part, size in sizes.items():
            chosen = list(itertools.islice(left, size))
            with open(args.out / f"{name}.{part}.jsonl", "w", encoding="utf-8") as file_out:
                for user, assistant in chosen:
                    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
                    file_out.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
