"""The client for programs without asyncio."""

from __future__ import annotations

from types import TracebackType

import httpx

from paliapi_client.flows.attempts import Options
from paliapi_client.hits import SearchMethod
from paliapi_client.operations import accounts, collections, documents, embeddings, evaluations, jobs, pages, searching
from paliapi_client.operations import webhooks as webhook_operations
from paliapi_client.runtime.blocking import Blocking, ListMethod, Method, Resource
from paliapi_client.runtime.connection import POOL, Connection, user_agent


class Collections(Resource):
    """Collections of documents."""

    create = Method(collections.create)
    list = ListMethod(collections.list_all)
    get = Method(collections.get)
    update = Method(collections.update)
    delete = Method(collections.delete)
    filter = ListMethod(searching.filter_collections)
    quality = Method(collections.quality)


class Documents(Resource):
    """Documents, and the processing of their uploads."""

    upload = Method(documents.upload)
    upload_url = Method(documents.upload_url)
    upload_batch = Method(documents.upload_batch)
    upload_folder = Method(documents.upload_folder)
    list = ListMethod(documents.list_all)
    get = Method(documents.get)
    update = Method(documents.update)
    delete = Method(documents.delete)
    cancel = Method(documents.cancel)
    retry = Method(documents.retry)
    follow = ListMethod(documents.follow)
    wait = Method(documents.wait)
    download = Method(documents.download)
    filter = ListMethod(searching.filter_documents)


class Pages(Resource):
    """Pages of documents."""

    get = Method(pages.get)
    image = Method(pages.image)


class Jobs(Resource):
    """What is being processed, or failed."""

    list = ListMethod(jobs.list_all)
    progress = Method(jobs.progress)


class Keys(Resource):
    """API keys."""

    create = Method(accounts.create_key)
    list = ListMethod(accounts.list_keys)
    rotate = Method(accounts.rotate_key)
    revoke = Method(accounts.revoke_key)


class Webhooks(Resource):
    """Webhooks and their deliveries; `verify_webhook` checks a message that was received."""

    create = Method(webhook_operations.create)
    list = ListMethod(webhook_operations.list_all)
    get = Method(webhook_operations.get)
    update = Method(webhook_operations.update)
    delete = Method(webhook_operations.delete)
    rotate_secret = Method(webhook_operations.rotate_secret)
    test = Method(webhook_operations.test)
    deliveries = ListMethod(webhook_operations.deliveries)
    replay = Method(webhook_operations.replay)


class Evaluations(Resource):
    """Questions with judgements, and runs that measure rankings."""

    create = Method(evaluations.create)
    list = ListMethod(evaluations.list_all)
    get = Method(evaluations.get)
    delete = Method(evaluations.delete)
    runs = ListMethod(evaluations.runs)
    start_run = Method(evaluations.start_run)
    get_run = Method(evaluations.get_run)
    delete_run = Method(evaluations.delete_run)
    cancel_run = Method(evaluations.cancel_run)
    compare_runs = Method(evaluations.compare_runs)
    run_questions = Method(evaluations.run_questions)


class Embeddings(Resource):
    """Vectors of queries and images."""

    of_queries = Method(embeddings.of_queries)
    of_images = Method(embeddings.of_images)


class Files(Resource):
    """Conversions of files, without storing them."""

    to_images = Method(embeddings.file_to_images)
    to_base64 = Method(embeddings.file_to_base64)


class Client(Resource):
    """A client of PaliAPI, which threads may share.

    `base_url` and `api_key` default to the environment variables `PALIAPI_URL` and `PALIAPI_API_KEY`. `timeout` is the
    seconds that a call may take, with its repeats; uploads may take longer as long as they do not stand still.
    """

    search = SearchMethod(searching.search)
    search_image = SearchMethod(searching.search_image)
    me = Method(accounts.me)
    usage = Method(accounts.usage)
    health = Method(accounts.health)

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float | None = 60,
        max_retries: int = 4,
        http_client: httpx.Client | None = None,
    ) -> None:
        connection = Connection.of(base_url, api_key)
        http = http_client or httpx.Client(headers={"User-Agent": user_agent()}, limits=POOL)
        super().__init__(Blocking(http, connection, Options(timeout, max_retries)))
        self._owns_http = http_client is None
        self._set_resources()

    def _set_resources(self) -> None:
        self.collections = Collections(self._runtime)
        self.documents = Documents(self._runtime)
        self.pages = Pages(self._runtime)
        self.jobs = Jobs(self._runtime)
        self.keys = Keys(self._runtime)
        self.webhooks = Webhooks(self._runtime)
        self.evaluations = Evaluations(self._runtime)
        self.embeddings = Embeddings(self._runtime)
        self.files = Files(self._runtime)

    @property
    def base_url(self) -> str:
        """The address of the API, with its version."""
        return self._runtime.connection.base_url

    def with_options(self, *, timeout: float | None = 60, max_retries: int = 4) -> Client:
        """Return a client with other limits, on the same connections; closing it does nothing."""
        copy = Client.__new__(Client)
        Resource.__init__(copy, Blocking(self._runtime.http, self._runtime.connection, Options(timeout, max_retries)))
        copy._owns_http = False
        copy._set_resources()
        return copy

    def close(self) -> None:
        """Close the connections."""
        if self._owns_http:
            self._runtime.http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"
