"""Rules about the packages that PaliAPI installs."""

import re
import tomllib
from collections import defaultdict
from importlib import metadata

from paliapi.env import ROOT

# The licences that may ship with the product: permissive ones, and weak copyleft of libraries that are used unchanged.
ALLOWED = re.compile(
    r"(0BSD|apache.*|(new )?bsd.*|cc0-1\.0|llvm-exception|(mit|mit-cmu)( license)?"
    r"|mozilla public license 2\.0 \(mpl 2\.0\)"
    r"|mpl-2\.0|[23]-clause bsd license|lgpl-3\.0-only|psf-2\.0|zlib|dual license|dependency licenses)",
    re.IGNORECASE,
)
# Installed on other systems or Python versions only, so that their metadata cannot be read here.
ELSEWHERE = {"async-timeout", "colorama", "httpx2-jsfetch", "tzdata"}


def shipped_packages() -> set[str]:
    """Return the names of all packages that `make run` and the images install, by the lock."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    requirements: dict[str, set[str]] = defaultdict(set)
    for package in lock["package"]:
        requirements[package["name"]] |= {each["name"] for each in package.get("dependencies", ())}
    project = next(package for package in lock["package"] if package["name"] == "paliapi")
    todo = [each["name"] for each in (*project["dependencies"], *project["dev-dependencies"]["embedded"])]
    names: set[str] = set()
    while todo:
        if (name := todo.pop()) not in names:
            names.add(name)
            todo += requirements[name]
    return names


def _field(name: str, field: str) -> str:
    values: list[str] = metadata.metadata(name).get_all(field) or [""]
    return values[0]


def licences(name: str) -> list[str]:
    """Return each licence that the installed package names."""
    text = _field(name, "License-Expression")
    if not text:
        classifiers = [
            each for each in metadata.metadata(name).get_all("Classifier") or () if each.startswith("License :: ")
        ]
        specific = [each.rpartition(" :: ")[2] for each in classifiers]
        text = " AND ".join(each for each in specific if each != "OSI Approved") or _field(name, "License")
    return [
        part for each in re.split(r" AND | OR | WITH |, ", text) if (part := re.sub(r"^\(|(?<!0)\)$", "", each.strip()))
    ]


def test_every_shipped_package_has_an_allowed_licence() -> None:
    installed = shipped_packages() - ELSEWHERE
    named = {name: licences(name) for name in installed}
    assert [name for name, names in named.items() if not names] == []
    assert [(name, each) for name, names in named.items() for each in names if not ALLOWED.fullmatch(each)] == []


def test_licences_that_are_not_allowed_are_recognised() -> None:
    for licence in ("AGPL-3.0-only", "GPL-3.0-or-later", "BUSL-1.1", "SSPL-1.0", "FSL-1.1-Apache-2.0", "Proprietary"):
        assert not ALLOWED.fullmatch(licence)
