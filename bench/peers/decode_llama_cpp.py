"""Greedy decoding with llama.cpp on the CPU, batch 1.

    decode_llama_cpp.py MODEL.gguf PROMPT MAX_NEW_TOKENS REPEATS

The rate is llama.cpp's own: tokens predicted per second, reading the prompt left out. The last line
printed is a JSON object.
"""

import json
import sys

import xllamacpp
from common import finish, peak_memory, threads


def main():
    path, prompt, tokens, repeats = sys.argv[1:]
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = 2048
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = threads()
    params.cpuparams_batch.n_threads = threads()
    params.warmup = True
    params.use_jinja = True
    server = xllamacpp.Server(params)
    request = {
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": int(tokens),
        "temperature": 0.0,
        "top_k": 1,
        "cache_prompt": False,
    }
    rates, answer = [], None
    for _ in range(int(repeats)):
        answer = server.handle_chat_completions(request)
        if isinstance(answer, str):
            answer = json.loads(answer)
        if "choices" not in answer:
            raise SystemExit(f"llama.cpp did not answer: {answer}")
        rates.append(answer["timings"]["predicted_per_second"])
    finish(
        {
            "engine": "llama.cpp",
            "tokens": answer["timings"]["predicted_n"],
            "tokens_per_second": rates,
            "peak_memory": peak_memory(),
            "text": answer["choices"][0]["message"]["content"],
        }
    )


if __name__ == "__main__":
    main()
