#!/usr/bin/env python
"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

from paliapi.management.commands import up

if __name__ == "__main__":
    if sys.argv[1:2] == ["up"]:
        # It makes the first settings there are, so it cannot wait for Django to read them.
        up.Command().run_from_argv(sys.argv)
        sys.exit(0)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paliapi.settings")  # noqa: TID251  (Django wants it there)
    execute_from_command_line(sys.argv)
