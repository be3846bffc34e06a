"""The environment of each process of the stack: what programs need to run, and the settings of its part only.

Everything else that `manage.py up` has in its environment, such as credentials for other programs, is not passed on.
"""

from collections.abc import Mapping

from paliapi import env, parts

_SYSTEM = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"),
        *("DYLD_LIBRARY_PATH", "DJANGO_SETTINGS_MODULE", "GUNICORN_CMD_ARGS"),
    }
)
_SYSTEM_PREFIXES = ("LC_", "PYTHON", "NUMBA_", "OMP_", "OPENBLAS_", "MKL_", "MALLOC_", "COVERAGE_")
# For processes that contact other machines. The proxies of documents and webhooks are settings of their own.
_NETWORK = frozenset(
    {
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    }
)
_STORAGE_PREFIX = "AWS_"
_MODEL_PREFIXES = (
    *("COLPALI_", "HF_", "HUGGINGFACE_", "TRANSFORMERS_", "TORCH_"),
    *("PYTORCH_", "CUDA_", "NVIDIA_", "ORT_", "XDG_"),
)


def of_system(values: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that any program may get."""
    return {name: value for name, value in values.items() if name in _SYSTEM or name.startswith(_SYSTEM_PREFIXES)}


def of_part(values: Mapping[str, str], part: str) -> dict[str, str]:
    """Return the variables of a part; without a name, those of a command that administers all of them."""
    names = {
        name
        for setting in env.settings()
        if not (part and setting.parts and part not in setting.parts)
        for name in (setting.name, *([f"{setting.name}_FILE"] if setting.secret else []))
    }
    values = with_own_login(values, part)
    chosen = of_system(values) | {name: value for name, value in values.items() if name in names}
    if part in ("", parts.WEB, parts.WORKER, parts.ADMIN):
        chosen |= {name: value for name, value in values.items() if name.startswith(_STORAGE_PREFIX)}
        chosen |= _of_network(values)
    return {**chosen, **({"PALIAPI_PART": part} if part else {})}


def with_own_login(values: Mapping[str, str], part: str) -> dict[str, str]:
    """Return the values with the database login of this part as DATABASE_URL, so that it gets no other."""
    own = parts.OWN_DATABASE_LOGIN.get(part) if part else None
    login = {"DATABASE_URL": values.get(own), "DATABASE_URL_FILE": values.get(f"{own}_FILE")} if own else {}
    others = (
        {f"{name}{suffix}" for name in parts.OWN_DATABASE_LOGIN.values() for suffix in ("", "_FILE")} if part else set()
    )
    if any(login.values()):
        others |= login.keys()
    rest = {name: value for name, value in values.items() if name not in others}
    return {**rest, **{name: value for name, value in login.items() if value}}


def of_embeddings(values: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the embeddings service, which reads no setting of PaliAPI."""
    own = {name: value for name, value in values.items() if value and name.startswith(_MODEL_PREFIXES)}
    return of_system(values) | _of_network(values) | own


def _of_network(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name.upper() in _NETWORK}
