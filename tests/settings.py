"""The product's settings over the environment of the tests; also for tools that only look at the code."""

import os

from paliapi import env
from tests.environment import ENVIRONMENT

# Also where the tests run in a container of a stack, whose settings are not theirs.
for setting in env.settings():
    for name in (setting.name, f"{setting.name}_FILE"):
        os.environ.pop(name, None)  # noqa: TID251
os.environ.update(ENVIRONMENT)  # noqa: TID251

from paliapi.settings import *  # noqa: E402, F403

DATABASES["default"]["OPTIONS"].pop("pool")  # noqa: F405  (tests hold one connection a thread)

# Slow on purpose elsewhere; here it would only be slow.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
