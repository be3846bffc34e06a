"""Put mixed load with misbehaving clients on the embeddings service: `make soak`, or `python -m drills.soak [minutes]`.

Clients embed, disconnect, send malformed requests and give up; at the end the service is stopped under load. Exits
with 1 if a response is wrong, a request hangs, memory grows, or an accepted request is lost.
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
MAX_GROWTH = 1.05


@dataclass
class Soak:
    """The events so far; threads add to it."""

    url: str
    stop: threading.Event = field(default_factory=threading.Event)
    draining: threading.Event = field(default_factory=threading.Event)
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=60)


def query(soak: Soak, rng: random.Random, client: httpx.Client) -> None:
    """Embed a text with a known number of rows."""
    text = rng.choice(TEXTS)
    response = client.post("/embeddings", json={"input_type": "text", "inputs": [text]})
    if response.status_code == 200 and len(response.json()["embeddings"][0]) != len(text.split()):
        soak.wrong.append("A text got another text's embedding.")
    soak.seen[f"query {response.status_code}"] += 1


def page(soak: Soak, rng: random.Random, client: httpx.Client) -> None:
    """Embed pages with a known number of rows."""
    counts = [rng.randint(0, 60) for _ in range(rng.randint(1, 8))]
    image = encoded(rng.randint(10, 800))
    inputs = [{"image": image, "words": [["w", 0, 0, 1, 1]] * count} for count in counts]
    response = client.post("/morphik/embeddings", json={"input_type": "image", "inputs": inputs})
    if response.status_code == 200:
        with np.load(io.BytesIO(response.content)) as arrays:
            if [len(arrays[f"emb_{number}"]) for number in range(len(counts))] != [16 + count for count in counts]:
                soak.wrong.append("Pages got other pages' embeddings.")
    soak.seen[f"page {response.status_code}"] += 1


def garbage(soak: Soak, rng: random.Random, client: httpx.Client) -> None:
    """Send malformed requests."""
    bodies = (
        rng.randbytes(rng.randint(0, 5000)),
        b"[" * 5000,
        json.dumps({"input_type": "image", "inputs": [base64.b64encode(rng.randbytes(500)).decode()]}).encode(),
        json.dumps({"input_type": "image", "inputs": [encoded(200)[: rng.randint(1, 200) * 4]]}).encode(),
        json.dumps({"input_type": "text", "inputs": ["a"] * 1000}).encode(),
    )
    response = client.post("/embeddings", content=rng.choice(bodies))
    if response.status_code >= 500 and not soak.draining.is_set():
        soak.wrong.append(f"Garbage got {response.status_code}: {response.text[:200]}")
    soak.seen[f"garbage {response.status_code}"] += 1


def disconnect(soak: Soak, rng: random.Random, _: httpx.Client) -> None:
    """Send a request, and disconnect half-way through it or before the response."""
    body = json.dumps({"input_type": "image", "inputs": [encoded(500)] * 4}).encode()
    head = f"POST /embeddings HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    url = httpx.URL(soak.url)
    with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
        connection.sendall(head.encode() + body[: rng.choice((0, len(body) // 2, len(body)))])
    soak.seen["disconnected"] += 1


def encoded(side: int) -> str:
    out = io.BytesIO()
    Image.new("RGB", (side, side), "white").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def act(soak: Soak, seed: int, action: Callable[[Soak, random.Random, httpx.Client], None]) -> None:
    rng = random.Random(seed)  # noqa: S311 - the same load every time
    with soak.client as client:
        while not soak.stop.is_set():
            sent_while_open = not soak.draining.is_set()
            try:
                action(soak, rng, client)
            except (httpx.TransportError, OSError) as problem:
                # Once it is stopping, connections are refused or closed.
                if sent_while_open:
                    soak.wrong.append(f"A request was lost: {problem!r}")


def main() -> int:
    """Run the load for some minutes."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"COLPALI_API_KEY": KEY, "COLPALI_BACKEND": "lexical", "COLPALI_PORT": str(port)}
    service = subprocess.Popen([sys.executable, "-m", "embeddings"], env={**os.environ, **settings})  # noqa: TID251
    soak = Soak(f"http://127.0.0.1:{port}")
    memory: list[int] = []
    try:
        until_ready(soak)
        actions = (query, query, page, page, garbage, disconnect)
        threads = [threading.Thread(target=act, args=(soak, seed, action)) for seed, action in enumerate(actions)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 60 * minutes
        time.sleep(min(WARM_S, 30 * minutes))
        while time.monotonic() < until:
            memory.append(psutil.Process(service.pid).memory_info().rss)
            time.sleep(1)
        queued = queue_length(soak)
        soak.draining.set()
        service.send_signal(signal.SIGTERM)
        exit_code = service.wait(60)
        soak.stop.set()
        for thread in threads:
            thread.join(60)
        stuck = sum(thread.is_alive() for thread in threads)
    finally:
        service.kill()
    quarter = max(len(memory) // 4, 1)
    growth = float(np.median(memory[-quarter:]) / np.median(memory[:quarter]))
    report = {**dict(sorted(soak.seen.items())), "memory_growth": round(growth, 3), "stuck": stuck, "exit": exit_code}
    sys.stdout.write(json.dumps({**report, "left_in_queue": queued, "wrong": Counter(soak.wrong)}, indent=2) + "\n")
    return 0 if growth <= MAX_GROWTH and not stuck and not soak.wrong else 1


def until_ready(soak: Soak) -> None:
    for _ in itertools.repeat(None, 600):
        try:
            if httpx.get(f"{soak.url}/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit("The service did not become ready.")


def queue_length(soak: Soak) -> float:
    """Return the number of queued inputs; it stays low under this load."""
    lines = httpx.get(f"{soak.url}/metrics").text.splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith("paliembed_queue_items "))


if __name__ == "__main__":
    sys.exit(main())
