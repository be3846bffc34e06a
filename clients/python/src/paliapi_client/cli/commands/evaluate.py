"""`pali eval`: how well rankings answer judged questions."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from paliapi_client import Client
from paliapi_client.cli.as_json import as_json
from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.options import DEFAULT_COLLECTION, Collection, chosen
from paliapi_client.cli.output import Column
from paliapi_client.cli.printable import printable
from paliapi_client.cli.session import Session, command
from paliapi_client.cli.uploads.progress import stage_bars
from paliapi_client.operations.evaluations import Ranking

_MEASURES = (("ndcg10", "nDCG@10"), ("recall1", "Recall@1"), ("recall10", "Recall@10"), ("mrr", "MRR"))
_COLUMNS = (Column("Ranking"), *(Column(title, right=True) for _, title in _MEASURES))
_MAX_FILE = 16 * 1024 * 1024
_POLL_S = 0.5


def add_to(app: typer.Typer) -> None:
    command(app, "eval")(evaluate)


def evaluate(
    session: Session,
    queries: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON lines with _id and text.")],
    qrels: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Lines of query-id, corpus-id and score, with tabs.")
    ],
    *,
    collection: Collection = DEFAULT_COLLECTION,
    name: Annotated[str | None, typer.Option(help="Name of the evaluation; default: that of the file.")] = None,
    ranking: Annotated[list[str] | None, typer.Option(help="auto, maxsim, hybrid or lexical; default: all.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the evaluation afterwards.")] = False,
) -> None:
    """Measure rankings with your own questions: nDCG, recall and MRR with 95 % intervals."""
    questions, judgements = _read(queries), _read(qrels)
    rankings = chosen("--ranking", ranking, Ranking)
    with session.client() as pali:
        evaluation = pali.evaluations.create(
            name or queries.stem, collection_name=collection, queries=questions, qrels=judgements
        )
        try:
            run = pali.evaluations.start_run(evaluation.id, rankings=rankings)
            run = _follow(session, pali, evaluation.id, run)
        finally:
            if delete:
                pali.evaluations.delete(evaluation.id)
    if session.output.json:
        session.output.document({"evaluation": as_json(evaluation), "run": as_json(run)})
    else:
        session.output.rows(_COLUMNS, [(name, *_cells(measures)) for name, measures in run.measures.items()])
        if run.missing_count:
            session.output.message(
                f"{run.missing_count} judged pages or documents do not exist, and count as not found."
            )
    if run.status != "done":
        reason = run.error.detail if run.error else f"it is {run.status}"
        session.output.error(f"The run did not finish: {printable(reason)}")
        session.fail()


def _follow(session: Session, pali: Client, evaluation_id: int, run: Any) -> Any:
    """Return the run once it is over."""
    with stage_bars(session.output) as bars:
        bars.add("questions", "Measuring")
        while run.status in {"queued", "running"}:
            bars.update("questions", done=run.questions_done, total=run.questions, note=run.waiting_for or "")
            time.sleep(_POLL_S)
            run = pali.evaluations.get_run(evaluation_id, run.id)
        bars.update("questions", done=run.questions_done, total=run.questions)
    return run


def _cells(measures: Any) -> list[str]:
    return [_interval(measures.get(measure)) for measure, _ in _MEASURES]


def _interval(mean: Any) -> str:
    return "" if mean is None else f"{mean.mean:.3f} ({mean.low:.3f}-{mean.high:.3f})"


def _read(path: Path) -> str:
    if path.stat().st_size > _MAX_FILE:
        raise Complaint("file_too_large", f"{printable(path)} is larger than 16 MB.")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Complaint("file_not_text", f"{printable(path)} is not UTF-8 text.") from error
