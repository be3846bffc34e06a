"""Carry out flows with asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, cast

import httpx

from paliapi_client.flows import steps
from paliapi_client.flows.attempts import Options, send
from paliapi_client.runtime.connection import BodyReader, Connection, http_arguments, timeout_of

P = ParamSpec("P")
T = TypeVar("T")


class Asynchronous:
    """Carries out flows on one `httpx.AsyncClient`; the tasks of one event loop may share it."""

    def __init__(self, http: httpx.AsyncClient, connection: Connection, options: Options) -> None:
        self.http = http
        self.connection = connection
        self.options = options

    async def run(self, work: steps.Request[T] | steps.Flow[T]) -> T:
        """Carry out a request or a flow, and return its result."""
        if isinstance(work, steps.Request):
            work = send(work, self.options)
        stepper = steps.Stepper(work)
        async with AsyncExitStack() as opened:
            opened.callback(stepper.close)
            while not stepper.done:
                await self._advance(stepper, opened)
        return cast("T", stepper.value)

    async def iterate(self, flow: steps.Flow[None]) -> AsyncIterator[Any]:
        """Yield what a flow emits, as it is asked for."""
        stepper = steps.Stepper(flow)
        async with AsyncExitStack() as opened:
            opened.callback(stepper.close)
            while not stepper.done:
                if isinstance(stepper.step, steps.Emit):
                    yield stepper.step.value
                    stepper.send(None)
                else:
                    await self._advance(stepper, opened)

    async def _advance(self, stepper: steps.Stepper[T], opened: AsyncExitStack) -> None:
        try:
            outcome = await self._perform(stepper.step, opened)
        except Exception as error:
            stepper.throw(error)
        else:
            stepper.send(outcome)

    async def _perform(self, step: steps.Step, opened: AsyncExitStack) -> Any:
        if isinstance(step, steps.Attempt):
            return await self._attempt(step)
        if isinstance(step, steps.Request):
            return await self.run(step)
        if isinstance(step, steps.Sleep):
            return await asyncio.sleep(step.seconds)
        if isinstance(step, steps.NextChunk):
            return await anext(step.stream, None)
        if isinstance(step, steps.Listen):
            return await self._listen(step, opened)
        if isinstance(step, steps.Together):
            return await self._together(step)
        raise TypeError(f"{step!r} is not for callers that do not iterate.")

    async def _attempt(self, attempt: steps.Attempt) -> steps.Response:
        arguments = http_arguments(self.connection, attempt.request)
        form = attempt.request.form
        try:
            if form is not None:
                arguments["data"], arguments["files"] = form.open()
            request = self.http.build_request(**arguments, timeout=timeout_of(attempt))
            answer = await self.http.send(request, stream=True)
            try:
                reader = BodyReader(attempt)
                async for chunk in answer.aiter_bytes():
                    reader.add(chunk)
            finally:
                await answer.aclose()
            return reader.response(answer)
        finally:
            if form is not None:
                form.close()

    async def _listen(self, step: steps.Listen, opened: AsyncExitStack) -> Any:
        arguments = http_arguments(self.connection, step.request)
        request = self.http.build_request(**arguments, timeout=step.timeout_s)
        answer = await self.http.send(request, stream=True)
        opened.push_async_callback(answer.aclose)
        if answer.status_code != 200:
            return steps.Response(answer.status_code, answer.headers, await answer.aread())
        return answer.aiter_text()

    async def _together(self, step: steps.Together) -> None:
        flows = iter(step.flows)

        async def work() -> None:
            for flow in flows:
                await self.run(flow)

        tasks = [asyncio.ensure_future(work()) for _ in range(step.parallel)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class AsyncResource:
    """Operations on one kind of thing, through a client."""

    def __init__(self, runtime: Asynchronous) -> None:
        self._runtime = runtime


class AsyncMethod(Generic[P, T]):
    """A description of an operation as a method that carries it out."""

    def __init__(self, operation: Callable[P, steps.Request[T] | steps.Flow[T]]) -> None:
        self._operation = operation
        update_wrapper(cast("Any", self), operation)

    def __get__(self, resource: AsyncResource | None, owner: type) -> Callable[P, Coroutine[Any, Any, T]]:
        operation = self._operation
        if resource is None:
            return self  # type: ignore[return-value]
        runtime = resource._runtime

        async def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return await runtime.run(operation(*args, **kwargs))

        return update_wrapper(method, operation)


class AsyncListMethod(Generic[P, T]):
    """A description of a list as a method that iterates over it."""

    def __init__(self, operation: Callable[P, steps.Listing[T]]) -> None:
        self._operation = operation
        update_wrapper(cast("Any", self), operation)

    def __get__(self, resource: AsyncResource | None, owner: type) -> Callable[P, AsyncIterator[T]]:
        operation = self._operation
        if resource is None:
            return self  # type: ignore[return-value]
        runtime = resource._runtime

        def method(*args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
            return runtime.iterate(operation(*args, **kwargs).flow)

        return update_wrapper(method, operation)
