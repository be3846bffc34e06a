"""`pali eval`."""

from pathlib import Path

import pytest

from cli.conftest import Run
from cli.remote_server import Answer, RemoteServer, problem

QUERIES = '{"_id": "lens", "text": "How does a lens gather light?"}\n'
QRELS = "query-id\tcorpus-id\tscore\nlens\tlighthouses.pdf#2\t1\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "queries.jsonl").write_text(QUERIES)
    (tmp_path / "qrels.tsv").write_text(QRELS)
    return tmp_path / "queries.jsonl", tmp_path / "qrels.tsv"


def finish(server: RemoteServer, **changes: object) -> None:
    mean = {"mean": 0.5, "low": 0.4, "high": 0.6}
    done = {"status": "done", "questions_done": 1, "measures": {"maxsim": {"ndcg10": mean, "mrr": mean}}, **changes}
    run = {**server.example("startEvaluationRun"), **done}
    server.overrides["getEvaluationRun"] = lambda _request: Answer(200, run)


def test_run_is_followed_and_its_measures_are_written(
    pali: Run, server: RemoteServer, files: tuple[Path, Path]
) -> None:
    finish(server)
    done = pali("eval", *files, "-c", "reports", "--ranking", "maxsim")
    assert done.code == 0
    assert done.out == "maxsim\t0.500 (0.400-0.600)\t\t\t0.500 (0.400-0.600)\n"
    body = server.calls("createEvaluation")[0].json
    assert (body["name"], body["collection_name"], body["queries"], body["qrels"]) == (
        "queries",
        "reports",
        QUERIES,
        QRELS,
    )
    assert server.calls("startEvaluationRun")[0].json == {"rankings": ["maxsim"]}
    assert server.calls("deleteEvaluation") == []


def test_failed_run_has_its_exit_code_and_is_deleted_on_request(
    pali: Run, server: RemoteServer, files: tuple[Path, Path]
) -> None:
    finish(server, status="failed", error={"code": "evaluation_broke_off", "detail": "It ended."}, measures={})
    failed = pali("eval", *files, "--delete", "--json")
    assert failed.code == 1
    assert failed.json["run"]["error"]["code"] == "evaluation_broke_off"
    assert len(server.calls("deleteEvaluation")) == 1


def test_mistakes_in_the_files_are_named(
    pali: Run, server: RemoteServer, files: tuple[Path, Path], tmp_path: Path
) -> None:
    server.overrides["createEvaluation"] = lambda _request: problem(422, "questions_invalid", "Line 3 is wrong.")
    assert pali("eval", *files).code == 7
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert pali("eval", tmp_path / "bytes", files[1]).code == 2
    assert pali("eval", tmp_path / "missing", files[1]).code == 2
