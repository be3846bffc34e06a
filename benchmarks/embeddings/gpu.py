"""Measure the speed of a full-size ColQwen2.5 on this machine's GPU: `make bench-gpu`.

The weights are random, because they do not affect speed; nothing is downloaded. Needs the dependency group `gpu`. On a
machine without CUDA, `--tiny` only shows that the benchmark runs. The figures of a real run are written to
benchmarks/results/embeddings_gpu.json.
"""

import argparse
import sys
from importlib import import_module
from importlib.util import find_spec


def main() -> None:
    """Parse the arguments and measure, if torch is installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="use a tiny model, only to see that it runs")
    parser.add_argument("--pages", type=int, default=96)
    parser.add_argument("--attention", nargs="+", default=["sdpa"], help="sdpa, flash_attention_2, eager")
    arguments = parser.parse_args()
    if not (find_spec("torch") and find_spec("colpali_engine")):
        sys.exit("The dependency group `gpu` is not installed: `make bench-gpu` installs it and runs this.")
    run = import_module("benchmarks.embeddings.gpu_run").run
    run(tiny=arguments.tiny, pages=arguments.pages, attentions=arguments.attention)


if __name__ == "__main__":
    main()
