"""The tables that a comparison ends with."""

import platform
import statistics

import psutil


def machine():
    """This machine in a few lines."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    memory = psutil.virtual_memory().total / 2**30
    return f"{name}, {psutil.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()} {platform.release()}"


def middle(runs, key):
    """The median of a figure over repeats; `None` when a run does not tell it."""
    values = [run[key] for run in runs if run.get(key) is not None]
    return statistics.median(values) if values else None


def shown(value, pattern):
    return "–" if value is None else pattern.format(value)


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join(["---"] + ["--:"] * (len(header) - 1)) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


COLUMNS = [
    ("training, wall", "train_seconds", "{:.0f} s"),
    ("training, CPU", "train_cpu_seconds", "{:.0f} s"),
    ("whole command, wall", "wall_seconds", "{:.0f} s"),
    ("whole command, CPU", "cpu_seconds", "{:.0f} s"),
    ("tokens with loss / s", "trained_tokens_per_second", "{:.1f}"),
    ("peak memory", "peak_gib", "{:.2f} GiB"),
    ("held-out loss before", "heldout_loss_before", "{:.4f}"),
    ("after", "heldout_loss", "{:.4f}"),
]

SHORT_COLUMNS = [column for column in COLUMNS if column[1] in ("train_seconds", "wall_seconds", "cpu_seconds", "peak_gib")]

RATIOS = [
    ("training wall time", "train_seconds"),
    ("whole command, wall", "wall_seconds"),
    ("whole command, CPU", "cpu_seconds"),
    ("peak memory", "peak_gib"),
    ("milliseconds a token", "milliseconds_per_token"),
    ("held-out loss", "heldout_loss"),
]


def training(job, runs, columns):
    """One job's table. `runs` maps an engine's name to the list of its repeats."""
    rows = [
        [engine, *(shown(middle(repeats, key), pattern) for _, key, pattern in columns)] for engine, repeats in runs.items()
    ]
    text = f"### {job}\n\n" + table(["engine", *(title for title, _, _ in columns)], rows)
    peers = [engine for engine in runs if engine != "Sanbao"]
    if "Sanbao" in runs and peers:
        rows = []
        for title, key in RATIOS:
            ours = middle(runs["Sanbao"], key)
            theirs = [middle(runs[peer], key) for peer in peers]
            if ours is None or None in theirs:
                continue
            rows.append([title, *(f"{ours / their:.3f}" for their in theirs)])
        text += "\n\n" + table(["Sanbao divided by", *peers], rows)
    busy = max(run["busy_elsewhere"] for repeats in runs.values() for run in repeats)
    if busy > 0.1:
        text += (
            f"\n\nOther programs used up to {busy:.0%} of the cores just before a run: wall times are not to be relied on."
        )
    return text


def decoding(runs):
    """The table of decoding speeds."""
    rows = []
    for run in runs:
        rates = run["tokens_per_second"]
        best, typical = max(rates), statistics.median(rates)
        rows.append([run["engine"], str(run["tokens"]), f"{typical:.1f}", f"{best:.1f}", run["agrees"]])
    return "### Greedy decoding, batch 1, float32\n\n" + table(
        ["engine", "tokens", "tokens / s (median)", "best", "same text as transformers"], rows
    )
