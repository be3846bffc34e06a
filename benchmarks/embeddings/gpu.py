"""How fast a ColQwen2.5 of real size is on this machine's GPU: `make bench-gpu`.

The weights are random, since they decide nothing about speed; nothing is downloaded. It needs the dependency group
`gpu`. On a machine without CUDA `--tiny` shows that it runs, and its numbers mean nothing. The numbers of a real run go
to benchmarks/results/embeddings_gpu.json.
"""

import argparse
import sys
from importlib import import_module
from importlib.util import find_spec


def main() -> None:
    """Read what is asked for, and measure it where torch is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a model of no use, to see that this runs")
    parser.add_argument("--pages", type=int, default=96)
    parser.add_argument("--attention", nargs="+", default=["sdpa"], help="sdpa, flash_attention_2, eager")
    asked = parser.parse_args()
    if not (find_spec("torch") and find_spec("colpali_engine")):
        sys.exit("The dependency group `gpu` is not installed here: `make bench-gpu` installs it and runs this.")
    run = import_module("benchmarks.embeddings.gpu_run").run
    run(tiny=asked.tiny, pages=asked.pages, attentions=asked.attention)


if __name__ == "__main__":
    main()
