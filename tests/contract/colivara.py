"""Every operation of ColiVara's public Python client: `... colivara URL KEY`.

The client is the one of the package index, and the server any that runs, with a worker and an embeddings service.
"""

import base64
import sys
import time

import httpx
from colivara_py import ColiVara  # type: ignore[import-untyped]

from paliapi.env import ROOT

SAMPLE = ROOT / "docs" / "sample" / "lighthouses.pdf"
NAME = "made by colivara-py"
_READY_WITHIN_S = 180
_IN_CONTENT = {"on": "document", "key": "subject", "value": "lighthouses", "lookup": "key_lookup"}


def main(url: str, key: str) -> None:
    client = ColiVara(api_key=key, base_url=url)
    client.check_health()
    created = client.create_collection(NAME, {"made": "by a client"})
    check("a collection is made", created.name == NAME and created.num_documents == 0)
    try:
        upload(client)
        search(client)
        change(client)
        help_with_files(client)
        subscribe(client, url, key)
    finally:
        client.delete_collection(NAME)
    check("and nothing is left", NAME not in [item.name for item in client.list_collections()])


def upload(client: ColiVara) -> None:
    whole = base64.b64encode(SAMPLE.read_bytes()).decode()
    waited = client.upsert_document("waited for", {"subject": "lighthouses"}, NAME, document_base64=whole, wait=True)
    check("a document is waited for", waited.name == "waited for")
    queued = client.upsert_document("queued", {"subject": "lighthouses"}, NAME, document_path=SAMPLE)
    check("one is accepted at once", queued.detail == "Document is being processed in the background.")
    until = time.monotonic() + _READY_WITHIN_S
    while any(item.num_pages != 3 for item in client.list_documents(NAME)) and time.monotonic() < until:
        time.sleep(0.2)  # polls until the deadline above
    check("all become ready", [item.num_pages for item in client.list_documents(NAME)] == [3, 3])
    pages = client.get_document("queued", collection_name=NAME, expand="pages").pages
    check("their pages come in order", [page.page_number for page in pages or []] == [1, 2, 3])
    matches = client.filter(_IN_CONTENT) or []
    check("a filter finds both", {item.name for item in matches} >= {"queued", "waited for"})


def search(client: ColiVara) -> None:
    best = client.search("Which lens bends the light of a lighthouse?", NAME, top_k=2, query_filter=_IN_CONTENT)
    check("a search by words finds two pages", len(best.results) == 2 and best.results[0].raw_score > 0)
    page = client.get_document("queued", collection_name=NAME, expand="pages").pages[1]
    alike = client.search_image(NAME, image_base64=page.img_base64, top_k=2)
    check("a search by a page's image finds that page", {hit.page_number for hit in alike.results} == {2})
    vectors = client.create_embedding(["a lighthouse"], task="query").data
    check("a question becomes vectors", len(vectors) == 1)


def change(client: ColiVara) -> None:
    changed = client.partial_update_document("queued", name="renamed", metadata={"subject": "towers"})
    check("a document is changed", (changed.name, changed.metadata) == ("renamed", {"subject": "towers"}))
    client.delete_document("renamed", NAME)
    check("and deleted", [item.name for item in client.list_documents(NAME)] == ["waited for"])
    by_address = client.upsert_document("by address", collection_name=NAME, document_url="https://example.com/a.pdf")
    check("an address is accepted", by_address.detail == "Document is being processed in the background.")
    check("a collection is changed", client.partial_update_collection(NAME, metadata={"a": 1}).metadata == {"a": 1})


def help_with_files(client: ColiVara) -> None:
    check("a file becomes images", [item.page_number for item in client.file_to_imgbase64(str(SAMPLE))] == [1, 2, 3])
    check("and base64", base64.b64decode(client.file_to_base64(str(SAMPLE))) == SAMPLE.read_bytes())
    try:
        client.get_collection("no such collection")
    except RuntimeError as failed:
        check("a missing document is reported", "404" in str(failed) and "collection_not_found" in str(failed))
    else:
        check("a missing document is reported", False)


def subscribe(client: ColiVara, url: str, key: str) -> None:
    hook = client.add_webhook("https://example.com/hook")
    check("a webhook has a secret", hook.webhook_secret.startswith("whsec_"))
    # The client has no method for it.
    gone = httpx.delete(f"{url}/v1/webhooks/{hook.endpoint_id}/", headers={"Authorization": f"Bearer {key}"})
    check("and is taken away", gone.is_success)


def check(what: str, true: bool) -> None:
    sys.stdout.write(f"{'ok  ' if true else 'NOT '}{what}\n")
    if not true:
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
