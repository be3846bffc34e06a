"""Mixed load with bad clients: `python -m drills.soak [minutes]`

A real service process is asked by clients that embed, disconnect, send garbage and give up, and is at last told to stop
under load. Ends with 1 if an answer is wrong, a request is stuck, memory grows, or an accepted request is lost.
"""

import base64
import io
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import numpy as np
import psutil  # type: ignore[import-untyped]
from PIL import Image

KEY = "soak"
TEXTS = [" ".join(f"word{number}" for number in range(count)) for count in range(1, 40)]
WARM_S = 20.0
MOST_GROWTH = 1.05


@dataclass
class Soak:
    """What happened so far; threads add to it."""

    url: str
    stop: threading.Event = field(default_factory=threading.Event)
    draining: threading.Event = field(default_factory=threading.Event)
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=60)


def query(soak: Soak, drawn: random.Random, client: httpx.Client) -> None:
    """Ask for a text whose number of rows is known."""
    text = drawn.choice(TEXTS)
    answer = client.post("/embeddings", json={"input_type": "text", "inputs": [text]})
    if answer.status_code == 200 and len(answer.json()["embeddings"][0]) != len(text.split()):
        soak.wrong.append("A text got the embedding of another one.")
    soak.seen[f"query {answer.status_code}"] += 1


def page(soak: Soak, drawn: random.Random, client: httpx.Client) -> None:
    """Ask for pages whose number of rows is known."""
    counts = [drawn.randint(0, 60) for _ in range(drawn.randint(1, 8))]
    image = encoded(drawn.randint(10, 800))
    inputs = [{"image": image, "words": [["w", 0, 0, 1, 1]] * count} for count in counts]
    answer = client.post("/morphik/embeddings", json={"input_type": "image", "inputs": inputs})
    if answer.status_code == 200:
        with np.load(io.BytesIO(answer.content)) as arrays:
            if [len(arrays[f"emb_{number}"]) for number in range(len(counts))] != [16 + count for count in counts]:
                soak.wrong.append("Pages got the embeddings of others.")
    soak.seen[f"page {answer.status_code}"] += 1


def garbage(soak: Soak, drawn: random.Random, client: httpx.Client) -> None:
    """Send what nobody should send."""
    bodies = (
        drawn.randbytes(drawn.randint(0, 5000)),
        b"[" * 5000,
        json.dumps({"input_type": "image", "inputs": [base64.b64encode(drawn.randbytes(500)).decode()]}).encode(),
        json.dumps({"input_type": "image", "inputs": [encoded(200)[: drawn.randint(1, 200) * 4]]}).encode(),
        json.dumps({"input_type": "text", "inputs": ["a"] * 1000}).encode(),
    )
    answer = client.post("/embeddings", content=drawn.choice(bodies))
    if answer.status_code >= 500 and not soak.draining.is_set():
        soak.wrong.append(f"Garbage got {answer.status_code}: {answer.text[:200]}")
    soak.seen[f"garbage {answer.status_code}"] += 1


def leave(soak: Soak, drawn: random.Random, _: httpx.Client) -> None:
    """Ask, and hang up in the middle of the request or before the answer."""
    body = json.dumps({"input_type": "image", "inputs": [encoded(500)] * 4}).encode()
    head = f"POST /embeddings HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    url = httpx.URL(soak.url)
    with socket.create_connection((url.host, url.port or 80), timeout=10) as leaver:
        leaver.sendall(head.encode() + body[: drawn.choice((0, len(body) // 2, len(body)))])
    soak.seen["left"] += 1


def encoded(side: int) -> str:
    out = io.BytesIO()
    Image.new("RGB", (side, side), "white").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def act(soak: Soak, seed: int, doing: Callable[[Soak, random.Random, httpx.Client], None]) -> None:
    drawn = random.Random(seed)  # noqa: S311 - the same load every time
    with soak.client as client:
        while not soak.stop.is_set():
            asked_while_open = not soak.draining.is_set()
            try:
                doing(soak, drawn, client)
            except (httpx.TransportError, OSError) as problem:
                # Who asks after it was told to stop finds no connection, or one that is being closed.
                if asked_while_open:
                    soak.wrong.append(f"A request was lost: {problem!r}")


def main() -> int:
    """Run for some minutes."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    named = {"COLPALI_API_KEY": KEY, "COLPALI_BACKEND": "lexical", "COLPALI_PORT": str(port)}
    service = subprocess.Popen([sys.executable, "-m", "embeddings"], env={**os.environ, **named})  # noqa: TID251
    soak = Soak(f"http://127.0.0.1:{port}")
    memory: list[int] = []
    try:
        until_ready(soak)
        doers = (query, query, page, page, garbage, leave)
        threads = [threading.Thread(target=act, args=(soak, seed, doing)) for seed, doing in enumerate(doers)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 60 * minutes
        time.sleep(min(WARM_S, 30 * minutes))
        while time.monotonic() < until:
            memory.append(psutil.Process(service.pid).memory_info().rss)
            time.sleep(1)
        left = left_over(soak)
        soak.draining.set()
        service.send_signal(signal.SIGTERM)
        ended = service.wait(60)
        soak.stop.set()
        for thread in threads:
            thread.join(60)
        stuck = sum(thread.is_alive() for thread in threads)
    finally:
        service.kill()
    quarter = max(len(memory) // 4, 1)
    growth = float(np.median(memory[-quarter:]) / np.median(memory[:quarter]))
    told = {**dict(sorted(soak.seen.items())), "memory_growth": round(growth, 3), "stuck": stuck, "exit": ended}
    sys.stdout.write(json.dumps({**told, "left_in_queue": left, "wrong": Counter(soak.wrong)}, indent=2) + "\n")
    return 0 if growth <= MOST_GROWTH and not stuck and not soak.wrong else 1


def until_ready(soak: Soak) -> None:
    for _ in itertools.repeat(None, 600):
        try:
            if httpx.get(f"{soak.url}/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit("The service did not get ready.")


def left_over(soak: Soak) -> float:
    """Inputs in the queue; under this load never many."""
    lines = httpx.get(f"{soak.url}/metrics").text.splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith("paliembed_queue_items "))


if __name__ == "__main__":
    sys.exit(main())
