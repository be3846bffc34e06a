"""The client for asyncio."""

from __future__ import annotations

from types import TracebackType

import httpx

from paliapi_client.flows.attempts import Options
from paliapi_client.hits import AsyncSearchMethod
from paliapi_client.operations import accounts, collections, documents, embeddings, evaluations, jobs, pages, searching
from paliapi_client.operations import webhooks as webhook_operations
from paliapi_client.runtime.asynchronous import Asynchronous, AsyncListMethod, AsyncMethod, AsyncResource
from paliapi_client.runtime.connection import POOL, Connection, user_agent


class AsyncCollections(AsyncResource):
    """Collections of documents."""

    create = AsyncMethod(collections.create)
    list = AsyncListMethod(collections.list_all)
    get = AsyncMethod(collections.get)
    update = AsyncMethod(collections.update)
    delete = AsyncMethod(collections.delete)
    filter = AsyncListMethod(searching.filter_collections)
    quality = AsyncMethod(collections.quality)


class AsyncDocuments(AsyncResource):
    """Documents, and the processing of their uploads."""

    upload = AsyncMethod(documents.upload)
    upload_url = AsyncMethod(documents.upload_url)
    upload_batch = AsyncMethod(documents.upload_batch)
    upload_folder = AsyncMethod(documents.upload_folder)
    list = AsyncListMethod(documents.list_all)
    get = AsyncMethod(documents.get)
    update = AsyncMethod(documents.update)
    delete = AsyncMethod(documents.delete)
    cancel = AsyncMethod(documents.cancel)
    retry = AsyncMethod(documents.retry)
    follow = AsyncListMethod(documents.follow)
    wait = AsyncMethod(documents.wait)
    download = AsyncMethod(documents.download)
    filter = AsyncListMethod(searching.filter_documents)


class AsyncPages(AsyncResource):
    """Pages of documents."""

    get = AsyncMethod(pages.get)
    image = AsyncMethod(pages.image)


class AsyncJobs(AsyncResource):
    """What is being processed, or failed."""

    list = AsyncListMethod(jobs.list_all)
    progress = AsyncMethod(jobs.progress)


class AsyncKeys(AsyncResource):
    """API keys."""

    create = AsyncMethod(accounts.create_key)
    list = AsyncListMethod(accounts.list_keys)
    rotate = AsyncMethod(accounts.rotate_key)
    revoke = AsyncMethod(accounts.revoke_key)


class AsyncWebhooks(AsyncResource):
    """Webhooks and their deliveries; `verify_webhook` checks a message that was received."""

    create = AsyncMethod(webhook_operations.create)
    list = AsyncListMethod(webhook_operations.list_all)
    get = AsyncMethod(webhook_operations.get)
    update = AsyncMethod(webhook_operations.update)
    delete = AsyncMethod(webhook_operations.delete)
    rotate_secret = AsyncMethod(webhook_operations.rotate_secret)
    test = AsyncMethod(webhook_operations.test)
    deliveries = AsyncListMethod(webhook_operations.deliveries)
    replay = AsyncMethod(webhook_operations.replay)


class AsyncEvaluations(AsyncResource):
    """Questions with judgements, and runs that measure rankings."""

    create = AsyncMethod(evaluations.create)
    list = AsyncListMethod(evaluations.list_all)
    get = AsyncMethod(evaluations.get)
    delete = AsyncMethod(evaluations.delete)
    runs = AsyncListMethod(evaluations.runs)
    start_run = AsyncMethod(evaluations.start_run)
    get_run = AsyncMethod(evaluations.get_run)
    delete_run = AsyncMethod(evaluations.delete_run)
    cancel_run = AsyncMethod(evaluations.cancel_run)
    compare_runs = AsyncMethod(evaluations.compare_runs)
    run_questions = AsyncMethod(evaluations.run_questions)


class AsyncEmbeddings(AsyncResource):
    """Vectors of queries and images."""

    of_queries = AsyncMethod(embeddings.of_queries)
    of_images = AsyncMethod(embeddings.of_images)


class AsyncFiles(AsyncResource):
    """Conversions of files, without storing them."""

    to_images = AsyncMethod(embeddings.file_to_images)
    to_base64 = AsyncMethod(embeddings.file_to_base64)


class AsyncClient(AsyncResource):
    """A client of PaliAPI, which the tasks of one event loop may share.

    `base_url` and `api_key` default to the environment variables `PALIAPI_URL` and `PALIAPI_API_KEY`. `timeout` is the
    seconds that a call may take, with its repeats; uploads may take longer as long as they do not stand still.
    """

    search = AsyncSearchMethod(searching.search)
    search_image = AsyncSearchMethod(searching.search_image)
    me = AsyncMethod(accounts.me)
    usage = AsyncMethod(accounts.usage)
    health = AsyncMethod(accounts.health)

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float | None = 60,
        max_retries: int = 4,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        connection = Connection.of(base_url, api_key)
        http = http_client or httpx.AsyncClient(headers={"User-Agent": user_agent()}, limits=POOL)
        super().__init__(Asynchronous(http, connection, Options(timeout, max_retries)))
        self._owns_http = http_client is None
        self._set_resources()

    def _set_resources(self) -> None:
        self.collections = AsyncCollections(self._runtime)
        self.documents = AsyncDocuments(self._runtime)
        self.pages = AsyncPages(self._runtime)
        self.jobs = AsyncJobs(self._runtime)
        self.keys = AsyncKeys(self._runtime)
        self.webhooks = AsyncWebhooks(self._runtime)
        self.evaluations = AsyncEvaluations(self._runtime)
        self.embeddings = AsyncEmbeddings(self._runtime)
        self.files = AsyncFiles(self._runtime)

    @property
    def base_url(self) -> str:
        """The address of the API, with its version."""
        return self._runtime.connection.base_url

    def with_options(self, *, timeout: float | None = 60, max_retries: int = 4) -> AsyncClient:
        """Return a client with other limits, on the same connections; closing it does nothing."""
        copy = AsyncClient.__new__(AsyncClient)
        AsyncResource.__init__(
            copy, Asynchronous(self._runtime.http, self._runtime.connection, Options(timeout, max_retries))
        )
        copy._owns_http = False
        copy._set_resources()
        return copy

    async def aclose(self) -> None:
        """Close the connections."""
        if self._owns_http:
            await self._runtime.http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"
