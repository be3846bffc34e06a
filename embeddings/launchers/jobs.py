"""Jobs of a queue: the input is the body of a request, the output its answer."""

from typing import Any

from embeddings.launchers.background import Background

_TASKS = {"query": "text", "image": "image"}


async def answer(given: Any, *, service: Background) -> dict[str, Any]:
    """The output of a job with this input. An output with `error` makes the job fail; a `problem` is for our client."""
    if not isinstance(given, dict):
        return {"problem": {"status": 422, "code": "bad_field", "detail": "input must be an object."}}
    if "input_data" in given:
        return await _colivare(given, service=service)
    included = given.get("include")
    extras = [*included, "model"] if isinstance(included, list) else included or ["model"]
    # A job's output is JSON, and small outputs are what queues are made for.
    body = {"encoding_format": "base64"} | given | {"include": extras}
    status, found = await service.ask("/embeddings", body)
    return found if status == 200 else {"problem": found}


async def _colivare(given: dict[str, Any], *, service: Background) -> dict[str, Any]:
    """The shape of ColiVarE: `task` and `input_data`, answered as OpenAI's API does."""
    kind = _TASKS.get(str(given.get("task")))
    if kind is None:
        return {"error": 'task must be "query" or "image".'}
    body = {"input_type": kind, "inputs": given["input_data"], "include": ["model", "usage"]}
    status, found = await service.ask("/embeddings", body)
    if status != 200:
        return {"error": str(found.get("detail"))}
    data = [
        {"object": "embedding", "embedding": vectors, "index": index}
        for index, vectors in enumerate(found["embeddings"])
    ]
    vectors = found["usage"]["vectors"]
    usage = {"prompt_tokens": vectors, "total_tokens": vectors}
    return {"object": "list", "data": data, "model": found["model"], "usage": usage}
