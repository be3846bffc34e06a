"""Jobs of a queue: the input is the body of a request, the output is the response."""

from typing import Any

from embeddings.launchers.background import BackgroundService

_INPUT_TYPES = {"query": "text", "image": "image"}


async def run(job_input: Any, *, service: BackgroundService) -> dict[str, Any]:
    """Return the output of a job. An `error` makes the job fail; a `problem` is an error for our own client."""
    if not isinstance(job_input, dict):
        return {"problem": {"status": 422, "code": "bad_field", "detail": "input must be an object."}}
    if "input_data" in job_input:
        return await _run_colivare(job_input, service=service)
    if "documents" in job_input:
        status, content = await service.post("/rerank", job_input)
        return content if status == 200 else {"problem": content}
    include = job_input.get("include")
    include = [*include, "model"] if isinstance(include, list) else include or ["model"]
    # Outputs are JSON and limited in size, so vectors are base64 by default.
    body = {"encoding_format": "base64"} | job_input | {"include": include}
    status, content = await service.post("/embeddings", body)
    return content if status == 200 else {"problem": content}


async def _run_colivare(job_input: dict[str, Any], *, service: BackgroundService) -> dict[str, Any]:
    """Run a job in the format of ColiVarE: takes `task` and `input_data`, and returns what OpenAI's API does."""
    input_type = _INPUT_TYPES.get(str(job_input.get("task")))
    if input_type is None:
        return {"error": 'task must be "query" or "image".'}
    body = {"input_type": input_type, "inputs": job_input["input_data"], "include": ["model", "usage"]}
    status, content = await service.post("/embeddings", body)
    if status != 200:
        return {"error": str(content.get("detail"))}
    data = [
        {"object": "embedding", "embedding": vectors, "index": index}
        for index, vectors in enumerate(content["embeddings"])
    ]
    vectors = content["usage"]["vectors"]
    usage = {"prompt_tokens": vectors, "total_tokens": vectors}
    return {"object": "list", "data": data, "model": content["model"], "usage": usage}
