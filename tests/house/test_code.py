"""Rules about the code that no other tool checks."""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from paliapi.env import ROOT

PACKAGES = ("paliapi", "accounts", "collections_app", "console", "embeddings", "sandbox", "benchmarks", "drills")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
# Names that say nothing about what a module does.
VAGUE_NAMES = {"utils", "util", "common", "core", "helpers", "misc", "shared", "services"}
MAX_FOLDER_MODULES = 22
# Packages whose `__init__.py` re-exports what others may use.
FACES = {"collections_app/search", "embeddings/client"}

# Packages whose modules have a test file of the mirrored path: tests/PACKAGE/test_MODULE.py.
MIRRORED = ("paliapi", "accounts", "collections_app", "console", "embeddings", "sandbox")
# Declarations and entry points: they have no behaviour to test by themselves.
DECLARATIONS = {"__init__", "__main__", "apps", "errors", "urls", "wsgi"}
# Modules without behaviour of their own, or that are tested through others: where their tests are.
TESTED_ELSEWHERE = {
    "accounts/browsers/adapters.py": "console/views/signing_in/test_security.py",
    "accounts/browsers/forms.py": "console/views/signing_in/test_sign_in.py",
    "accounts/browsers/openid.py": "console/views/signing_in/test_openid.py",
    "accounts/browsers/pages.py": "console/views/signing_in/test_sign_in.py",
    "accounts/browsers/redis_cache.py": "console/views/signing_in/test_second_factor.py",
    "accounts/browsers/second_factors.py": "console/views/signing_in/test_second_factor.py",
    "accounts/browsers/sessions.py": "console/views/signing_in/test_security.py",
    "accounts/access.py": "accounts/test_authentication.py",
    "accounts/admin_config.py": "accounts/test_admin.py",
    "accounts/grants.py": "house/test_database_logins.py",
    "accounts/openapi_examples.py": "house/test_openapi.py",
    "accounts/serializers.py": "accounts/test_api.py",
    "accounts/staff_site.py": "accounts/test_admin.py",
    "collections_app/api/evaluations/bodies.py": "collections_app/api/evaluations/test_views.py",
    "collections_app/api/parameters.py": "house/test_openapi.py",
    "collections_app/api/webhook_serializers.py": "collections_app/api/test_webhooks.py",
    "collections_app/engine/retrieval/arrays.py": "collections_app/engine/retrieval/test_maxsim.py",
    "collections_app/evaluations/judged.py": "collections_app/api/evaluations/test_views.py",
    "collections_app/evaluations/report.py": "collections_app/api/evaluations/test_views.py",
    "collections_app/evaluations/runs.py": "collections_app/api/evaluations/test_views.py",
    "collections_app/ingest/archive.py": "collections_app/api/test_upsert.py",
    "collections_app/storage/grants.py": "house/test_database_logins.py",
    "collections_app/search/context.py": "collections_app/search/test_run.py",
    "collections_app/search/explanation.py": "console/views/test_pages.py",
    "collections_app/search/query_vectors.py": "collections_app/search/test_query.py",
    "collections_app/tables/evaluations.py": "collections_app/api/evaluations/test_views.py",
    "console/templatetags/console.py": "console/views/test_search.py",
    "console/views/addresses.py": "console/views/test_document.py",
    "console/views/base.py": "console/test_middleware.py",
    "console/views/evaluations/chart.py": "console/views/evaluations/test_pages.py",
    "console/views/forms.py": "console/views/test_collection.py",
    "console/views/listing.py": "console/views/test_collection.py",
    "console/views/states.py": "console/views/test_document.py",
    "console/views/webhooks/deliveries.py": "console/views/webhooks/test_endpoints.py",
    "console/views/webhooks/forms.py": "console/views/webhooks/test_endpoints.py",
    "embeddings/backends/base.py": "embeddings/backends/test_choose.py",
    "embeddings/backends/checkpoints.py": "embeddings/with_torch/test_checkpoints.py",
    "embeddings/backends/colpali.py": "embeddings/with_torch/test_colpali.py",
    "embeddings/backends/cross_encoder.py": "embeddings/with_torch/test_cross_encoder.py",
    "embeddings/backends/encoders/text_encoder.py": "embeddings/backends/test_embedded.py",
    "embeddings/backends/native.py": "embeddings/with_torch/test_models.py",
    "embeddings/backends/pooling.py": "embeddings/with_torch/test_models.py",
    "embeddings/backends/processors.py": "embeddings/with_torch/test_models.py",
    "embeddings/backends/torch_backend.py": "embeddings/with_torch/test_torch_runtime.py",
    "embeddings/backends/torch_runtime.py": "embeddings/with_torch/test_torch_runtime.py",
    "embeddings/backends/reading/tesseract_process.py": "embeddings/backends/reading/test_tesseract.py",
    "embeddings/launchers/background.py": "embeddings/launchers/test_jobs.py",
    "embeddings/launchers/healthcheck.py": "embeddings/server/test_serve.py",
    "paliapi/celery.py": "collections_app/test_tasks.py",
    "paliapi/configuration/process_settings.py": "paliapi/test_env.py",
    "paliapi/configuration/setting.py": "paliapi/test_env.py",
    "paliapi/configuration/sources.py": "paliapi/test_env.py",
    "paliapi/generated_docs.py": "house/test_reference.py",
    "paliapi/gunicorn_settings.py": "paliapi/web_server/test_worker.py",
    "paliapi/http/openapi.py": "house/test_openapi.py",
    "paliapi/parts.py": "paliapi/test_env.py",
    "paliapi/stack/account.py": "paliapi/stack/test_postgres.py",
    "paliapi/stack/child.py": "paliapi/stack/test_supervisor.py",
    "paliapi/stack/console.py": "paliapi/stack/test_supervisor.py",
    "paliapi/stack/leftovers.py": "paliapi/stack/test_supervisor.py",
    "paliapi/stack/members.py": "paliapi/stack/test_up.py",
    "paliapi/stack/plan.py": "paliapi/stack/test_up.py",
    "paliapi/stack/processes.py": "paliapi/stack/test_supervisor.py",
    "paliapi/stack/start.py": "paliapi/stack/test_up.py",
    "paliapi/stack/watchdog.py": "paliapi/stack/test_supervisor.py",
    "paliapi/web_server/body.py": "paliapi/web_server/test_clients.py",
    "paliapi/web_server/connection.py": "paliapi/web_server/test_clients.py",
    "paliapi/web_server/output.py": "paliapi/web_server/test_clients.py",
}


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (file for file in (ROOT / package).rglob("*.py") if "migrations" not in file.parts)


def test_init_modules_are_empty_unless_they_are_faces() -> None:
    for file in sources():
        if file.name == "__init__.py" and file.relative_to(ROOT).parent.as_posix() not in FACES:
            body = ast.parse(file.read_text()).body
            assert not body or (len(body) == 1 and ast.get_docstring(ast.parse(file.read_text()))), file


def test_module_names_are_specific() -> None:
    for file in sources():
        assert not VAGUE_NAMES & {file.stem, *file.relative_to(ROOT).parent.parts}, file


def test_folders_are_small() -> None:
    for folder in {file.parent for file in sources()}:
        modules = [file for file in folder.glob("*.py") if file.name != "__init__.py"]
        assert len(modules) <= MAX_FOLDER_MODULES, folder
    assert len([file for file in (ROOT / "collections_app").glob("*.py") if file.name != "__init__.py"]) <= 12


def test_files_and_functions_are_short() -> None:
    for file in sources():
        text = file.read_text()
        assert text.count("\n") <= MAX_FILE_LINES, file
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                assert length <= MAX_FUNCTION_LINES, f"{file}: {node.name} has {length} lines"


def test_every_module_has_a_docstring() -> None:
    for file in sources():
        text = file.read_text()
        assert not text.strip() or file.name == "apps.py" or ast.get_docstring(ast.parse(text)), file


def test_faces_export_everything_they_import_and_nothing_else() -> None:
    for face in sorted(FACES):
        module = importlib.import_module(face.replace("/", "."))
        tree = ast.parse((ROOT / face / "__init__.py").read_text())
        imported = {
            alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
        }
        assert module.__doc__, face
        assert sorted(imported) == sorted(module.__all__), face
        assert all(hasattr(module, name) for name in module.__all__), face


def _protected_modules() -> Iterator[tuple[str, set[str]]]:
    """Yield each package with a face, and the modules in it that other packages may not import."""
    contracts: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    for contract in contracts:
        if contract["type"] == "protected":
            package = contract["allowed_importers"][0]
            if package.replace(".", "/") not in FACES and contract["protected_modules"] != [package]:
                yield package, {module.removeprefix(f"{package}.") for module in contract["protected_modules"]}


def test_package_docstrings_name_the_modules_that_others_may_import() -> None:
    packages = dict(_protected_modules())
    assert len(packages) >= 4
    for package, protected in packages.items():
        folder = ROOT / package.replace(".", "/")
        modules = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/*.py")}
        docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
        public = "\n\n".join(text for text in docstring.split("\n\n") if "internal" not in text)
        named = set(re.findall(r"`(\w+)`", public)) & modules
        assert named == modules - protected - {"__init__"}, package


def test_tests_of_every_module_are_found_by_its_path() -> None:
    for file in sources():
        path = file.relative_to(ROOT)
        if path.parts[0] not in MIRRORED or path.stem in DECLARATIONS or "commands" in path.parts:
            continue
        mirrored = ROOT / "tests" / path.parent / f"test_{path.stem}.py"
        elsewhere = TESTED_ELSEWHERE.get(path.as_posix())
        assert mirrored.is_file() != (elsewhere is not None), f"{path} has no {mirrored.relative_to(ROOT)}"
        assert elsewhere is None or (ROOT / "tests" / elsewhere).is_file(), elsewhere


def test_list_of_modules_tested_elsewhere_is_current() -> None:
    assert [path for path in TESTED_ELSEWHERE if not (ROOT / path).is_file()] == []
