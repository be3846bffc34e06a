"""Progress bars, one for each stage; without a terminal there are none."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from paliapi_client.cli.output import Output
from paliapi_client.cli.printable import printable


class StageBars:
    """A bar for each stage. Threads may update them."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def add(self, stage: str, title: str, *, total: float | None = None) -> None:
        if self._progress:
            self._tasks[stage] = self._progress.add_task(title, total=total, note="")

    def update(self, stage: str, *, done: float, total: float | None = None, note: str = "") -> None:
        if self._progress:
            self._progress.update(self._tasks[stage], completed=done, total=total, note=printable(note))

    def advance(self, stage: str, by: float = 1) -> None:
        if self._progress:
            self._progress.advance(self._tasks[stage], by)


@contextmanager
def stage_bars(output: Output) -> Iterator[StageBars]:
    """Show bars on stderr during the block, if it is a terminal."""
    if not output.shows_progress:
        yield StageBars(None)
        return
    columns = (
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=output.messages, transient=True) as progress:
        yield StageBars(progress)
