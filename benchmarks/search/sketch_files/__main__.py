"""Compare files of sketches with Postgres: `python -m benchmarks.search.sketch_files [PAGES]`"""

import sys

from benchmarks.search.sketch_files.measure import PAGES, main

sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else PAGES))
