"""A command measured from outside, in the same way whatever it is written in."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

# Often enough to see a peak that lasts for one layer, seldom enough to cost nothing.
EVERY_SECONDS = 0.05


class Ended:
    """What a command did and what it used, all processes it started included."""

    def __init__(self, lines, wall_seconds, cpu_seconds, peak_memory):
        self.lines = lines  # (seconds since the start, text) of standard output
        self.wall_seconds = wall_seconds
        self.cpu_seconds = cpu_seconds
        self.peak_memory = peak_memory


class Watch(threading.Thread):
    """Looks at a tree of processes until told to stop."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self._root = psutil.Process(process.pid)
        self._cpu = {}
        self._single = 0
        self._together = 0
        self._over = threading.Event()

    def run(self):
        while not self._over.wait(EVERY_SECONDS):
            self.look()

    def look(self):
        try:
            tree = [self._root, *self._root.children(recursive=True)]
        except psutil.Error:
            return
        together = 0
        for process in tree:
            try:
                with process.oneshot():
                    used, memory = process.cpu_times(), process.memory_info()
                self._cpu[process.pid] = used.user + used.system
                together += memory.rss
                self._single = max(self._single, high_water(process.pid), getattr(memory, "peak_wset", 0))
            except psutil.Error:
                continue
        self._together = max(self._together, together)

    def end(self):
        self._over.set()
        self.join()
        return sum(self._cpu.values()), max(self._single, self._together)


def high_water(pid):
    """The largest resident size of a process so far in bytes; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def measured(command, log, env=None, binary=False):
    """Runs a command to its end; its standard error goes to the file `log`.

    Raises `RuntimeError` with the end of the log when the command fails.
    """
    with open(log, "wb") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=env
        )
        watch = Watch(process)
        watch.start()
        lines = []
        read = (lambda: process.stdout.read1(64)) if binary else process.stdout.readline
        while piece := read():
            lines.append((time.perf_counter() - start, piece if binary else piece.decode("utf-8", "replace").rstrip()))
        process.wait()
        wall = time.perf_counter() - start
        cpu, peak = watch.end()
    if process.returncode != 0:
        tail = Path(log).read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"{Path(command[0]).name} {command[1]} failed ({process.returncode}):\n{tail}")
    return Ended(lines, wall, cpu, peak)


def busy_elsewhere(seconds=2.0):
    """The share of all cores, from 0 to 1, that other programs use at this moment."""
    return psutil.cpu_percent(interval=seconds) / 100
