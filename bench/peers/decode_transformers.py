"""Greedy decoding with transformers on the CPU in float32, batch 1, with a KV cache.

    decode_transformers.py MODEL PROMPT MAX_NEW_TOKENS REPEATS

The rate counts the tokens after the first, from the arrival of the first to that of the last, so
that reading the prompt is left out. The last line printed is a JSON object.
"""

import os
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from common import finish, peak_memory, threads
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.generation.streamers import BaseStreamer


class Arrivals(BaseStreamer):
    """When each piece of the answer arrived; the first piece that `generate` hands over is the prompt."""

    def __init__(self):
        self.times = []
        self._prompt = True

    def put(self, value):
        if self._prompt:
            self._prompt = False
        else:
            self.times.append(time.perf_counter())

    def end(self):
        pass


def main():
    folder, prompt, tokens, repeats = sys.argv[1:]
    torch.set_num_threads(threads())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    inputs = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    model.generate(**inputs, do_sample=False, max_new_tokens=8)
    rates, answer = [], None
    for _ in range(int(repeats)):
        arrivals = Arrivals()
        answer = model.generate(**inputs, do_sample=False, max_new_tokens=int(tokens), streamer=arrivals)
        rates.append((len(arrivals.times) - 1) / (arrivals.times[-1] - arrivals.times[0]))
    new = answer[0, inputs["input_ids"].shape[1] :]
    finish(
        {
            "engine": "transformers",
            "tokens": len(new),
            "tokens_per_second": rates,
            "peak_memory": peak_memory(),
            "text": tokenizer.decode(new, skip_special_tokens=True),
        }
    )


if __name__ == "__main__":
    main()
