"""The product's settings with the environment of the tests; type checkers use them too."""

import os

from paliapi import env
from tests.environment import ENVIRONMENT

# Remove the settings of the stack, in case the tests run in one of its containers.
for setting in env.settings():
    for name in (setting.name, f"{setting.name}_FILE"):
        os.environ.pop(name, None)  # noqa: TID251
os.environ.update(ENVIRONMENT)  # noqa: TID251

from paliapi.settings import *  # noqa: E402, F403

DATABASES["default"]["OPTIONS"].pop("pool")  # noqa: F405  (tests hold one connection per thread)

# A fast hasher: the default one is slow on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# The login for signing in. Most tests run in one transaction, so they assume its role instead.
DATABASES["sign_in"] = {**DATABASES["default"]}  # noqa: F405
SIGN_IN_DATABASE = "default"
