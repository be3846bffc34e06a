"""How a request gets to the service and the answer back: plain HTTP, or Runpod's queue."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import httpx
import orjson

from embeddings.client.checks import rows
from embeddings.client.errors import Untrustworthy
from embeddings.client.retries import (
    MOST_ANSWER_BYTES,
    Again,
    Patience,
    client_for,
    exchange,
    json_of,
    meaning,
    next_of,
    patiently,
    pause,
    raise_for,
)
from embeddings.contract import DIM_HEADER, MODEL_HEADER, NPZ, REVISION_HEADER, MultiVector, NotAnAnswer, unpack

_MOST_HOPS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What came back, not checked yet; an older service does not name its model."""

    embedded: list[MultiVector]
    model: str = ""
    revision: str = ""
    dim: str = ""


class Transport(Protocol):
    def send(self, body: Mapping[str, Any]) -> Answer:
        """The answer to one body of POST /embeddings, or a ClientError."""
        ...

    def close(self) -> None: ...


class Http:
    """Asks the service itself, wherever it runs."""

    def __init__(self, url: str, *, token: str, patience: Patience) -> None:
        self._url = url.rstrip("/").removesuffix("/embeddings") + "/embeddings"
        self._patience = patience
        self._client = client_for(token, patience=patience)

    def send(self, body: Mapping[str, Any]) -> Answer:
        content = _body(body)
        return patiently(lambda until: self._once(content, until=until), patience=self._patience)

    def _once(self, content: bytes, *, until: float) -> Answer:
        headers = {"accept": f"{NPZ}, application/json;q=0.5", "content-type": "application/json"}
        answer = exchange(self._client, "POST", self._url, until=until, content=content, headers=headers)
        # A gateway that loses patience before the model is done says where the result will be.
        for _ in range(_MOST_HOPS):
            if answer.status_code != 303:
                break
            answer = exchange(self._client, "GET", next_of(answer), until=until, headers={"accept": headers["accept"]})
        raise_for(answer)
        headings = {"model": MODEL_HEADER, "revision": REVISION_HEADER, "dim": DIM_HEADER}
        named = {name: answer.headers.get(heading, "") for name, heading in headings.items()}
        if answer.headers.get("content-type", "").startswith(NPZ):
            try:
                embedded, model, revision = unpack(answer.content, most_bytes=MOST_ANSWER_BYTES)
            except NotAnAnswer as problem:
                raise Untrustworthy(f"The answer is not npz: {problem}") from problem
            return Answer(embedded, model, revision, named["dim"])
        return _from_json(json_of(answer), **named)

    def close(self) -> None:
        self._client.close()


class Runpod:
    """Asks through a Runpod queue: submits, and looks again and again until the result is there."""

    def __init__(self, url: str, *, token: str, patience: Patience) -> None:
        self._url = url.rstrip("/").removesuffix("/runsync").removesuffix("/run")
        self._patience = patience
        self._client = client_for(token, patience=patience)

    def send(self, body: Mapping[str, Any]) -> Answer:
        asked = {**body, "encoding_format": "base64", "include": [*body.get("include", ()), "model"]}
        content = _body({"input": asked})
        return patiently(lambda until: self._once(content, until=until), patience=self._patience)

    def _once(self, content: bytes, *, until: float) -> Answer:
        headers = {"content-type": "application/json"}
        job = _job(
            exchange(self._client, "POST", f"{self._url}/runsync", until=until, content=content, headers=headers)
        )
        pause_s = self._patience.first_pause_s
        while job.get("status") in ("IN_QUEUE", "IN_PROGRESS"):
            pause(pause_s, until=until)
            pause_s = min(pause_s * 1.5, self._patience.longest_pause_s)
            answer = exchange(self._client, "GET", f"{self._url}/status/{job.get('id')}", until=until)
            if answer.status_code == 404:
                raise Again("The result of the job has vanished.")
            job = _job(answer) | {"id": job.get("id")}
        if job.get("status") != "COMPLETED":
            raise Again(f"The job ended as {job.get('status')}: {str(job.get('error'))[:500]}")
        return _from_output(job.get("output"))

    def close(self) -> None:
        self._client.close()


def _body(content: Mapping[str, Any]) -> bytes:
    """As JSON; pages are megabytes, which the standard library takes longer to write down than a model may to read."""
    try:
        return orjson.dumps(content, default=list)
    except orjson.JSONEncodeError:
        # A text that is no Unicode: it is for the service to say so.
        return json.dumps(content).encode()


def transport_for(url: str, *, token: str, patience: Patience, kind: Literal["auto", "http", "runpod"]) -> Transport:
    """The transport that an address asks for."""
    if kind == "runpod" or (kind == "auto" and urlsplit(url).hostname == "api.runpod.ai"):
        return Runpod(url, token=token, patience=patience)
    return Http(url, token=token, patience=patience)


def _job(answer: httpx.Response) -> dict[str, Any]:
    raise_for(answer)
    found = json_of(answer)
    if not isinstance(found, dict):
        raise Untrustworthy("The queue did not answer with a job.")
    return found


def _from_output(output: Any) -> Answer:
    """The answer in a job's output, which may also be a problem."""
    if isinstance(output, dict) and isinstance(problem := output.get("problem"), dict):
        status, index = problem.get("status"), problem.get("index")
        meant = meaning(
            status if isinstance(status, int) else 500,
            str(problem.get("detail")),
            index=index if isinstance(index, int) else None,
            retry_after=str(problem.get("retry_after_s") or ""),
        )
        raise meant
    return _from_json(output)


def _from_json(found: Any, *, model: str = "", revision: str = "", dim: str = "") -> Answer:
    """The seed's shape, or the list of objects that OpenAI's API and ColiVarE answer with."""
    if not isinstance(found, dict):
        raise Untrustworthy("The answer is not a JSON object.")
    many = found.get("embeddings")
    if many is None and isinstance(found.get("data"), list):
        many = [one.get("embedding") if isinstance(one, dict) else None for one in found["data"]]
    if not isinstance(many, list):
        raise Untrustworthy("The answer has no embeddings.")
    layouts = found.get("layout") or [None] * len(many)
    if not isinstance(layouts, list) or len(layouts) != len(many):
        raise Untrustworthy("The layout does not go with the embeddings.")
    embedded = [MultiVector(rows(one), layout) for one, layout in zip(many, layouts, strict=True)]
    model, revision = model or str(found.get("model") or ""), revision or str(found.get("revision") or "")
    return Answer(embedded, model, revision, dim)
