"""Flows around flows: with a deadline, and with a listener."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from paliapi_client.errors import DeadlineExceeded, ProcessingFailed
from paliapi_client.flows.following import Progress
from paliapi_client.flows.steps import Emit, Flow, Listen, Request, Sleep, Step, Stepper, T, call
from paliapi_client.models.documents import Document


def within(flow: Flow[T], timeout: float | None) -> Flow[T]:
    """Carry out a flow, at most for so many seconds."""
    if timeout is None:
        return flow
    return _until(flow, time.monotonic() + timeout, timeout)


def observed(flow: Flow[T], on_value: Callable[[Any], None]) -> Flow[T]:
    """Carry out a flow; what it emits goes to `on_value`."""
    stepper = Stepper(flow)
    while not stepper.done:
        if isinstance(stepper.step, Emit):
            on_value(stepper.step.value)
            stepper.send(None)
        else:
            yield from _pass_on(stepper, stepper.step)
    result: T = stepper.value
    return result


def settled(
    following: Flow[Progress], document: Request[Document], on_progress: Callable[[Progress], None] | None
) -> Flow[Document]:
    """Return a document once its upload has ended well, or raise ProcessingFailed."""
    last = yield from observed(following, on_progress or (lambda _: None))
    if last.status == "deleted":
        raise ProcessingFailed("The document was deleted meanwhile.", code="deleted")
    if last.status == "superseded":
        raise ProcessingFailed("A newer upload replaced this one.", code="superseded")
    found = yield from call(document)
    if last.status == "cancelled":
        raise ProcessingFailed("The upload was cancelled.", code="cancelled", document=found)
    if last.status == "failed":
        failure = last.error or found.error
        detail = "Processing failed." if failure is None else failure.detail
        raise ProcessingFailed(detail, code="failed" if failure is None else failure.code, document=found)
    return found


def _until(flow: Flow[T], deadline: float, timeout: float) -> Flow[T]:
    stepper = Stepper(flow)
    while not stepper.done:
        step, left = stepper.step, deadline - time.monotonic()
        if left <= 0 or (isinstance(step, Sleep) and step.seconds >= left):
            stepper.close()
            raise DeadlineExceeded(f"Not done within {timeout} seconds.")
        if isinstance(step, Request):
            step = replace(step, deadline=deadline)
        elif isinstance(step, Listen):
            step = replace(step, timeout_s=min(step.timeout_s, left))
        yield from _pass_on(stepper, step)
    result: T = stepper.value
    return result


def _pass_on(stepper: Stepper[T], step: Step) -> Flow[None]:
    try:
        outcome = yield step
    except Exception as error:
        stepper.throw(error)
    else:
        stepper.send(outcome)
