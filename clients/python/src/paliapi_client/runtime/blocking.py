"""Carry out flows in the thread of the caller."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, cast

import httpx

from paliapi_client.flows import steps
from paliapi_client.flows.attempts import Options, send
from paliapi_client.runtime.connection import BodyReader, Connection, http_arguments, timeout_of

P = ParamSpec("P")
T = TypeVar("T")


class Blocking:
    """Carries out flows on one `httpx.Client`; threads may share it."""

    def __init__(self, http: httpx.Client, connection: Connection, options: Options) -> None:
        self.http = http
        self.connection = connection
        self.options = options

    def run(self, work: steps.Request[T] | steps.Flow[T], stopped: threading.Event | None = None) -> T:
        """Carry out a request or a flow, and return its result; or give it up once `stopped` is set."""
        if isinstance(work, steps.Request):
            work = send(work, self.options)
        stepper = steps.Stepper(work)
        with ExitStack() as opened:
            opened.callback(stepper.close)
            while not stepper.done and not (stopped is not None and stopped.is_set()):
                self._advance(stepper, opened)
        return cast("T", stepper.value)

    def iterate(self, flow: steps.Flow[None]) -> Iterator[Any]:
        """Yield what a flow emits, as it is asked for."""
        stepper = steps.Stepper(flow)
        with ExitStack() as opened:
            opened.callback(stepper.close)
            while not stepper.done:
                if isinstance(stepper.step, steps.Emit):
                    yield stepper.step.value
                    stepper.send(None)
                else:
                    self._advance(stepper, opened)

    def _advance(self, stepper: steps.Stepper[T], opened: ExitStack) -> None:
        try:
            outcome = self._perform(stepper.step, opened)
        except Exception as error:
            stepper.throw(error)
        else:
            stepper.send(outcome)

    def _perform(self, step: steps.Step, opened: ExitStack) -> Any:
        if isinstance(step, steps.Attempt):
            return self._attempt(step)
        if isinstance(step, steps.Request):
            return self.run(step)
        if isinstance(step, steps.Sleep):
            return time.sleep(step.seconds)
        if isinstance(step, steps.NextChunk):
            return next(step.stream, None)
        if isinstance(step, steps.Listen):
            return self._listen(step, opened)
        if isinstance(step, steps.Together):
            return self._together(step)
        raise TypeError(f"{step!r} is not for callers that do not iterate.")

    def _attempt(self, attempt: steps.Attempt) -> steps.Response:
        arguments = http_arguments(self.connection, attempt.request)
        form = attempt.request.form
        try:
            if form is not None:
                arguments["data"], arguments["files"] = form.open()
            request = self.http.build_request(**arguments, timeout=timeout_of(attempt))
            answer = self.http.send(request, stream=True)
            try:
                reader = BodyReader(attempt)
                for chunk in answer.iter_bytes():
                    reader.add(chunk)
            finally:
                answer.close()
            return reader.response(answer)
        finally:
            if form is not None:
                form.close()

    def _listen(self, step: steps.Listen, opened: ExitStack) -> Any:
        arguments = http_arguments(self.connection, step.request)
        request = self.http.build_request(**arguments, timeout=step.timeout_s)
        answer = self.http.send(request, stream=True)
        opened.callback(answer.close)
        if answer.status_code != 200:
            return steps.Response(answer.status_code, answer.headers, answer.read())
        return answer.iter_text()

    def _together(self, step: steps.Together) -> None:
        flows, lock, stopped = iter(step.flows), threading.Lock(), threading.Event()

        def work() -> None:
            try:
                while not stopped.is_set():
                    with lock:
                        flow = next(flows, None)
                    if flow is None:
                        return
                    self.run(flow, stopped)
            except BaseException:
                stopped.set()
                raise

        with ThreadPoolExecutor(step.parallel, thread_name_prefix="paliapi") as pool:
            tasks = [pool.submit(work) for _ in range(step.parallel)]
            try:
                for task in tasks:
                    task.result()
            finally:
                stopped.set()


class Resource:
    """Operations on one kind of thing, through a client."""

    def __init__(self, runtime: Blocking) -> None:
        self._runtime = runtime


class Method(Generic[P, T]):
    """A description of an operation as a method that carries it out."""

    def __init__(self, operation: Callable[P, steps.Request[T] | steps.Flow[T]]) -> None:
        self._operation = operation
        update_wrapper(cast("Any", self), operation)

    def __get__(self, resource: Resource | None, owner: type) -> Callable[P, T]:
        operation = self._operation
        if resource is None:
            return self  # type: ignore[return-value]
        runtime = resource._runtime

        def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return runtime.run(operation(*args, **kwargs))

        return update_wrapper(method, operation)


class ListMethod(Generic[P, T]):
    """A description of a list as a method that iterates over it."""

    def __init__(self, operation: Callable[P, steps.Listing[T]]) -> None:
        self._operation = operation
        update_wrapper(cast("Any", self), operation)

    def __get__(self, resource: Resource | None, owner: type) -> Callable[P, Iterator[T]]:
        operation = self._operation
        if resource is None:
            return self  # type: ignore[return-value]
        runtime = resource._runtime

        def method(*args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
            return runtime.iterate(operation(*args, **kwargs).flow)

        return update_wrapper(method, operation)
