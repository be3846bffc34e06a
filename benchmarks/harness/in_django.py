"""Run a module that needs Django's models: `python -m benchmarks.harness.in_django MODULE ARGUMENT ...`"""

import runpy
import sys

import django

if __name__ == "__main__":
    django.setup()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
