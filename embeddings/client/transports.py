"""The ways to reach the service: plain HTTP, or a Runpod queue."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import httpx
import orjson

from embeddings.client.checks import parse_rows
from embeddings.client.errors import InvalidResponse
from embeddings.client.retries import (
    MAX_RESPONSE_BYTES,
    RetryableError,
    RetryPolicy,
    call_with_retries,
    error_for_status,
    http_client,
    parse_json,
    pause,
    raise_for_status,
    redirect_target,
    send_request,
)
from embeddings.contract import DIM_HEADER, MODEL_HEADER, NPZ, REVISION_HEADER, MalformedNpz, MultiVector, unpack

_MAX_REDIRECTS = 30


@dataclass(frozen=True, slots=True, eq=False)
class UncheckedResponse:
    """A parsed response whose numbers are not checked yet. Older services do not name their model."""

    multi_vectors: list[MultiVector]
    model: str = ""
    revision: str = ""
    dim: str = ""


class Transport(Protocol):
    """A connection to one service."""

    def send(self, body: Mapping[str, Any]) -> UncheckedResponse:
        """Send one body of POST /embeddings and return the response, or raise a ClientError."""
        ...

    def rerank(self, body: Mapping[str, Any], *, until: float) -> dict[str, Any]:
        """Send one body of POST /rerank and return the JSON of the response, or raise a ClientError."""
        ...

    def close(self) -> None: ...


class HttpTransport:
    """Calls the service directly."""

    def __init__(self, url: str, *, token: str, policy: RetryPolicy) -> None:
        self._url = url.rstrip("/").removesuffix("/embeddings")
        self._policy = policy
        self._client = http_client(token, policy=policy)

    def send(self, body: Mapping[str, Any]) -> UncheckedResponse:
        content = _serialize(body)
        return call_with_retries(lambda deadline: self._embed(content, deadline=deadline), policy=self._policy)

    def rerank(self, body: Mapping[str, Any], *, until: float) -> dict[str, Any]:
        content = _serialize(body)

        def attempt(deadline: float) -> dict[str, Any]:
            return _json_object(self._post("/rerank", content, accept="application/json", deadline=deadline))

        return call_with_retries(attempt, policy=self._policy, until=until)

    def _embed(self, content: bytes, *, deadline: float) -> UncheckedResponse:
        response = self._post("/embeddings", content, accept=f"{NPZ}, application/json;q=0.5", deadline=deadline)
        model, revision, dim = (response.headers.get(name, "") for name in (MODEL_HEADER, REVISION_HEADER, DIM_HEADER))
        if response.headers.get("content-type", "").startswith(NPZ):
            try:
                multi_vectors, model, revision = unpack(response.content, max_bytes=MAX_RESPONSE_BYTES)
            except MalformedNpz as error:
                raise InvalidResponse(f"The response is not valid npz: {error}") from error
            return UncheckedResponse(multi_vectors, model, revision, dim)
        return _from_json(parse_json(response), model=model, revision=revision, dim=dim)

    def _post(self, route: str, content: bytes, *, accept: str, deadline: float) -> httpx.Response:
        """Send one request and return its successful response."""
        headers = {"accept": accept, "content-type": "application/json"}
        url = self._url + route
        response = send_request(self._client, "POST", url, deadline=deadline, content=content, headers=headers)
        # A gateway that times out before the model has finished redirects to the pending result.
        for _ in range(_MAX_REDIRECTS):
            if response.status_code != 303:
                break
            target = redirect_target(response)
            response = send_request(self._client, "GET", target, deadline=deadline, headers={"accept": accept})
        raise_for_status(response)
        return response

    def close(self) -> None:
        self._client.close()


class RunpodTransport:
    """Submits a job to a Runpod queue and polls until its result is available."""

    def __init__(self, url: str, *, token: str, policy: RetryPolicy) -> None:
        self._url = url.rstrip("/").removesuffix("/runsync").removesuffix("/run")
        self._policy = policy
        self._client = http_client(token, policy=policy)

    def send(self, body: Mapping[str, Any]) -> UncheckedResponse:
        job_input = {**body, "encoding_format": "base64", "include": [*body.get("include", ()), "model"]}
        return _from_json(self._run(job_input, until=math.inf))

    def rerank(self, body: Mapping[str, Any], *, until: float) -> dict[str, Any]:
        output = self._run(body, until=until)
        if not isinstance(output, dict):
            raise InvalidResponse("The job's output is not a JSON object.")
        return output

    def _run(self, job_input: Mapping[str, Any], *, until: float) -> Any:
        """Run a job and return its output."""
        content = _serialize({"input": job_input})
        return call_with_retries(
            lambda deadline: self._attempt(content, deadline=deadline), policy=self._policy, until=until
        )

    def _attempt(self, content: bytes, *, deadline: float) -> Any:
        submit_url = f"{self._url}/runsync"
        headers = {"content-type": "application/json"}
        job = _parse_job(
            send_request(self._client, "POST", submit_url, deadline=deadline, content=content, headers=headers)
        )
        pause_s = self._policy.first_pause_s
        while job.get("status") in ("IN_QUEUE", "IN_PROGRESS"):
            pause(pause_s, deadline=deadline)
            pause_s = min(pause_s * 1.5, self._policy.max_pause_s)
            response = send_request(self._client, "GET", f"{self._url}/status/{job.get('id')}", deadline=deadline)
            if response.status_code == 404:
                raise RetryableError("The job's result no longer exists.")
            job = _parse_job(response) | {"id": job.get("id")}
        if job.get("status") != "COMPLETED":
            raise RetryableError(f"The job ended as {job.get('status')}: {str(job.get('error'))[:500]}")
        return _checked_output(job.get("output"))

    def close(self) -> None:
        self._client.close()


def transport_for(
    url: str, *, token: str, policy: RetryPolicy, kind: Literal["auto", "http", "runpod"]
) -> HttpTransport | RunpodTransport:
    """Return the transport of this kind; `auto` decides by the URL's host."""
    if kind == "runpod" or (kind == "auto" and urlsplit(url).hostname == "api.runpod.ai"):
        return RunpodTransport(url, token=token, policy=policy)
    return HttpTransport(url, token=token, policy=policy)


def _serialize(body: Mapping[str, Any]) -> bytes:
    """Return the body as JSON. Pages are megabytes, and the standard library's encoder is slower than some models."""
    try:
        return orjson.dumps(body, default=list)
    except orjson.JSONEncodeError:
        # The text is not valid Unicode; the service rejects it with a proper error.
        return json.dumps(body).encode()


def _parse_job(response: httpx.Response) -> dict[str, Any]:
    raise_for_status(response)
    return _json_object(response)


def _json_object(response: httpx.Response) -> dict[str, Any]:
    content = parse_json(response)
    if not isinstance(content, dict):
        raise InvalidResponse("The response is not a JSON object.")
    return content


def _checked_output(output: Any) -> Any:
    """Return a job's output, or raise the problem in it."""
    if isinstance(output, dict) and isinstance(problem := output.get("problem"), dict):
        status, index = problem.get("status"), problem.get("index")
        raise error_for_status(
            status if isinstance(status, int) else 500,
            str(problem.get("detail")),
            index=index if isinstance(index, int) else None,
            retry_after=str(problem.get("retry_after_s") or ""),
        )
    return output


def _from_json(content: Any, *, model: str = "", revision: str = "", dim: str = "") -> UncheckedResponse:
    """Return the response in our own JSON format, or in that of OpenAI's API and ColiVarE."""
    if not isinstance(content, dict):
        raise InvalidResponse("The response is not a JSON object.")
    embeddings = content.get("embeddings")
    if embeddings is None and isinstance(content.get("data"), list):
        embeddings = [entry.get("embedding") if isinstance(entry, dict) else None for entry in content["data"]]
    if not isinstance(embeddings, list):
        raise InvalidResponse("The response has no embeddings.")
    layouts = content.get("layout") or [None] * len(embeddings)
    if not isinstance(layouts, list) or len(layouts) != len(embeddings):
        raise InvalidResponse("The numbers of layouts and embeddings differ.")
    return UncheckedResponse(
        [MultiVector(parse_rows(rows), layout) for rows, layout in zip(embeddings, layouts, strict=True)],
        model or str(content.get("model") or ""),
        revision or str(content.get("revision") or ""),
        dim,
    )
