"""The held-out loss of a base model with a PEFT adapter, whoever trained it.

    heldout.py MODEL ADAPTER ROWS.jsonl MAX_LENGTH

Both engines' results are measured by this one function of transformers and PEFT, so the figures can be
compared and the adapter is known to load there. The last line printed is a JSON object.
"""

import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from common import encode, finish, heldout_loss, read_rows, threads
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def main():
    folder, adapter, rows, max_length = sys.argv[1:]
    torch.set_num_threads(threads())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    encoded = [encode(tokenizer, messages, int(max_length)) for messages in read_rows(rows)]
    before, tokens = heldout_loss(model, encoded)
    model = PeftModel.from_pretrained(model, adapter)
    after, _ = heldout_loss(model, encoded)
    finish({"heldout_tokens": tokens, "heldout_loss_before": before, "heldout_loss": after})


if __name__ == "__main__":
    main()
