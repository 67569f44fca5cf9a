"""Loads exports with transformers, PEFT and llama.cpp and compares their numbers with Sanbao's.

    check_exports.py FOLDER

FOLDER is what the test `exports_for_peers` of crates/export writes: a folder for each model, with
`base/` (the model before training), `expected.safetensors` and the exports `hf*/`, `peft/`,
`gguf*/` and `ollama/`. `expected.safetensors` holds what the trained model gives in Sanbao: `ids`
(a prompt and the greedy answer to it), `prompt_tokens` (how many of them are the prompt) and
`outputs` (the logits of every token). `scores-hf/` and `scores-peft/` are a reward model, whose
score of every token `scores.safetensors` holds.

transformers and PEFT run in float32 over all ids: shown is the largest difference of a logit.
llama.cpp gives the next token after the prompt and after each token of the answer: shown is the
largest difference of a log-probability among its ten best. Both show whether the greedy tokens are equal. An export stored in
float32 has to agree; for the others the difference is that of their number format. Exit code 1
when a float32 export does not agree.
"""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import xllamacpp
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

# Beyond this share of the largest logit, a float32 export is another model: the noise of float32 is
# a tenth of it. llama.cpp computes in float32 too, but takes GELU from a table in float16.
TRANSFORMERS_TOLERANCE = 1e-4
LLAMA_CPP_TOLERANCE = 1e-3
BEST = 10


class Expected:
    """What the trained model gives in Sanbao."""

    def __init__(self, path):
        tensors = load_file(path)
        self.ids = tensors["ids"]
        self.outputs = tensors["outputs"].float()
        self.prompt_tokens = int(tensors["prompt_tokens"])
        self.largest = max(1.0, self.outputs.abs().max().item())

    @property
    def prompt(self):
        return self.ids[: self.prompt_tokens].tolist()

    @property
    def answer(self):
        return self.ids[self.prompt_tokens :].tolist()

    def logprobs(self, step):
        """Log-probabilities of the token that comes `step` places after the prompt."""
        return torch.log_softmax(self.outputs[self.prompt_tokens - 1 + step].double(), dim=-1)


def compare_torch(model, expected):
    """Largest difference of a logit, and whether every greedy token is the same."""
    with torch.no_grad():
        logits = model(expected.ids[None]).logits[0].float()
    difference = (logits - expected.outputs).abs().max().item()
    steps = slice(expected.prompt_tokens - 1, -1)
    return difference, logits[steps].argmax(dim=-1).tolist() == expected.answer


def transformers_loads(folder, expected):
    AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    return compare_torch(model, expected)


def peft_loads(folder, base, expected):
    from peft import PeftModel

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager")
    return compare_torch(PeftModel.from_pretrained(model, folder).eval(), expected)


def compare_scores(model, expected):
    """Largest difference of a score: that of the last token of each beginning of the text."""
    scores = expected.outputs[:, 0].tolist()
    with torch.no_grad():
        found = [model(expected.ids[None, : end + 1]).logits.item() for end in range(len(scores))]
    return max(abs(ours - theirs) for ours, theirs in zip(scores, found)), True


def scores_load(folder, base, expected):
    options = {"dtype": torch.float32, "attn_implementation": "eager"}
    if folder.name == "scores-hf":
        model = AutoModelForSequenceClassification.from_pretrained(folder, **options)
        return compare_scores(model.eval(), expected)
    from peft import PeftModel

    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1, **options)
    model.config.pad_token_id = None
    return compare_scores(PeftModel.from_pretrained(model, folder).eval(), expected)


def llama_cpp_loads(path, expected):
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = 512
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.warmup = False
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = xllamacpp.Server(params)
    difference, same, compared = 0.0, True, 0
    # One token at a time, each after the expected ones, for llama.cpp tells nothing about a token
    # that is only a part of a character.
    for step, token in enumerate(expected.answer):
        request = {
            "prompt": expected.prompt + expected.answer[:step],
            "n_predict": 1,
            "temperature": 0.0,
            "top_k": 1,
            "n_probs": BEST,
        }
        answer = server.handle_completions(request)
        answer = json.loads(answer) if isinstance(answer, str) else answer
        if "choices" not in answer:
            raise SystemExit(f"llama.cpp did not answer: {str(answer)[:300]}")
        logprobs = expected.logprobs(step)
        for found in (answer["choices"][0]["logprobs"] or {}).get("content", []):
            same &= found["id"] == token
            compared += 1
            for best in found["top_logprobs"]:
                difference = max(difference, abs(best["logprob"] - logprobs[best["id"]].item()))
    if compared == 0:
        raise SystemExit(f"llama.cpp gave no probabilities for {path}")
    return difference, same


def checks(model):
    """Name, function and tolerance (`None` where weights were rounded) of every export of a model."""
    expected = Expected(model / "expected.safetensors")
    scores = Expected(model / "scores.safetensors") if (model / "scores.safetensors").is_file() else None
    in_torch = TRANSFORMERS_TOLERANCE * expected.largest
    in_llama_cpp = LLAMA_CPP_TOLERANCE * expected.largest
    for folder in sorted(path for path in model.iterdir() if path.is_dir() and path.name != "base"):
        if folder.name.startswith("scores"):
            yield folder.name, lambda f=folder: scores_load(f, model / "base", scores), TRANSFORMERS_TOLERANCE * scores.largest
        elif folder.name.startswith("hf"):
            exact = folder.name == "hf-f32"
            yield folder.name, lambda f=folder: transformers_loads(f, expected), in_torch if exact else None
        elif folder.name == "peft":
            yield folder.name, lambda f=folder: peft_loads(f, model / "base", expected), in_torch
        else:
            file = next(folder.glob("*.gguf"))
            exact = file.stem.endswith("F32")
            yield folder.name, lambda f=file: llama_cpp_loads(f, expected), in_llama_cpp if exact else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    torch.set_num_threads(int(os.environ.get("BENCH_THREADS") or os.cpu_count() or 1))
    failed = 0
    print("| model | export | largest difference | greedy tokens | |\n|---|---|--:|---|---|")
    for model in sorted(path for path in folder.iterdir() if (path / "expected.safetensors").is_file()):
        for name, run, tolerance in checks(model):
            difference, same = run()
            wrong = tolerance is not None and not (difference <= tolerance and same)
            failed += wrong
            verdict = "WRONG" if wrong else "agrees" if tolerance is not None else "rounded"
            print(f"| {model.name} | {name} | {difference:.2e} | {'equal' if same else 'differ'} | {verdict} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
