"""How a base model with a PEFT adapter tells held-out pairs apart, whoever trained it.

    heldout_pairs.py MODEL ADAPTER PAIRS.jsonl MAX_LENGTH BETA

Both engines' results are measured by this one function of transformers and PEFT. The last line printed
is a JSON object: the mean DPO loss and the share of pairs told right, against the model without adapter.
"""

import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from common import encode, finish, heldout_pairs, read_jsonl, threads
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def main():
    folder, adapter, rows, max_length, beta = sys.argv[1:]
    torch.set_num_threads(threads())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model = PeftModel.from_pretrained(model, adapter)

    def conversation(row, answer):
        messages = [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row[answer]}]
        return encode(tokenizer, messages, int(max_length))

    pairs = [[conversation(row, "chosen"), conversation(row, "rejected")] for row in read_jsonl(rows)]
    loss, accuracy = heldout_pairs(model, pairs, float(beta))
    finish({"pairs": len(pairs), "heldout_loss": loss, "heldout_accuracy": accuracy})


if __name__ == "__main__":
    main()
