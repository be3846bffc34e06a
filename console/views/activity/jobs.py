"""The jobs of all collections: in progress, failed and cancelled, with buttons to retry and cancel one or many."""

import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse

from accounts.ownership import OwnerTransaction, acting_for
from collections_app import tasks
from collections_app.engine.input.names import ALL_COLLECTIONS
from collections_app.ingest import jobs, outlook
from console.views.addresses import collection_url, document_url
from console.views.forms import FormPage, FormView
from console.views.listing import ROWS, listing, with_param
from console.views.states import state_of_job
from paliapi.errors import Invalid

_STATES = {
    "working": ("In progress", tuple(status for status in jobs.UNFINISHED if status not in ("failed", "cancelled"))),
    "failed": ("Failed", ("failed",)),
    "cancelled": ("Cancelled", ("cancelled",)),
}
_ACTIONS: dict[str, Callable[..., list[int]]] = {"retry": jobs.retry_all, "cancel": jobs.cancel_all}
_AT_ONCE = 500
# A request changes as many jobs as it can in this time; what is left needs another one.
_MAX_S = 8.0
_JOBS_PER_UNIT = 200


class NothingChosen(Invalid):
    code = "nothing_chosen"
    title = "No document was chosen."


class Activity(FormPage):
    template = "console/activity/jobs.html"
    section = "activity"

    @property
    def state(self) -> str:
        state = str(self.request.query_params.get("state", ""))
        return state if state in _STATES else "working"

    def rows(self, tx: OwnerTransaction) -> Any:
        """Return the jobs in the chosen state, in the order in which they are shown."""
        rows = jobs.unfinished(tx, self.caller, statuses=_STATES[self.state][1], collection_name=ALL_COLLECTIONS)
        return jobs.in_queue_order(rows) if self.state == "working" else rows.order_by("-updated_at", "-pk")

    def show(self, tx: OwnerTransaction, **context: Any) -> HttpResponse:
        params = self.request.query_params.copy()
        results: dict[str, Any] = {name: _number(params.pop(name, [""])[-1]) for name in ("changed", "left")}
        counted = jobs.count_unfinished(tx, self.caller)
        counts = {key: sum(counted[status] for status in statuses) for key, (_, statuses) in _STATES.items()}
        page = listing(params, self.rows(tx), total=counts[self.state])
        asked = page.rows if self.state == "working" else []
        total, outlooks = outlook.of_owner_and_jobs(tx, asked) if counts["working"] else (None, {})
        here = f"{reverse('console-activity')}?{params.urlencode()}"
        return self.page(
            state_filter=self.state,
            tabs=[
                (key, label, counts[key], with_param(params, state=key, page="")) for key, (label, _) in _STATES.items()
            ],
            listing=page,
            rows=[_row(job, outlooks.get(job.pk)) for job in page.rows],
            total=total,
            action="cancel" if self.state == "working" else "retry",
            here=here,
            change_url=f"{reverse('console-activity-change')}?{params.urlencode()}",
            **results,
            **context,
        )


class ChangedJobs(FormView, Activity):
    """Retries or cancels one job, those that were chosen, or all in the state that is shown."""

    costs: ClassVar = {"GET": 1, "POST": 2}

    def change(self) -> str:
        action, ids = self._request_of_form()
        self.charge(len(ids) // _JOBS_PER_UNIT)
        changed, tried, began = 0, 0, time.monotonic()
        while tried < len(ids) and time.monotonic() < began + _MAX_S:
            with acting_for(self.caller.owner_id) as tx:
                changed += len(_ACTIONS[action](tx, self.caller, ids[tried : tried + _AT_ONCE]))
            tried += _AT_ONCE
        self.settle(time.monotonic() - began)
        tasks.nudge()
        params = with_param(self.request.query_params, changed=changed, left=max(0, len(ids) - tried) or "", page="")
        return f"{reverse('console-activity')}?{params}"

    def _request_of_form(self) -> tuple[str, Sequence[int]]:
        """Return what to do, and the ids of the jobs to do it to."""
        for action in _ACTIONS:
            if action in self.form:  # the button of one row
                return action, _ids([self.form.get(action, "")])
        action, _, which = self.form.get("do", "").partition("-")
        if action not in _ACTIONS:
            raise NothingChosen
        if which != "all":
            return action, _ids(self.form.getlist("job"))
        with acting_for(self.caller.owner_id) as tx:
            return action, list(self.rows(tx).values_list("pk", flat=True))


def _ids(texts: Sequence[str]) -> list[int]:
    ids = [number for text in texts[:ROWS] if (number := _number(text))]
    if not ids:
        raise NothingChosen
    return ids


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _row(job: Any, its_outlook: outlook.JobOutlook | None) -> dict[str, Any]:
    document, collection = job.document.name, job.document.collection.name
    return {
        "id": job.pk,
        "updated_at": job.updated_at,
        "document": document,
        "collection": collection,
        "state": state_of_job(job),
        "seconds": its_outlook.seconds if its_outlook else None,
        "url": document_url(collection=collection, document=document),
        "collection_url": collection_url(collection),
    }
