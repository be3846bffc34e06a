"""The product's settings over the environment of the tests; also for tools that only look at the code."""

import os

from tests.environment import ENVIRONMENT

os.environ.update(ENVIRONMENT)  # noqa: TID251

from paliapi.settings import *  # noqa: F403

DATABASES["default"]["OPTIONS"].pop("pool")  # noqa: F405  (tests hold one connection a thread)

# Slow on purpose elsewhere; here it would only be slow.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
