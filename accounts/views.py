"""Base class of the views that work on the rows of one owner."""

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Caller, Scope
from accounts.limits import budgets, thread_shares
from accounts.ownership import OwnerTransaction, acting_for
from accounts.rate_limits import Slot
from paliapi.database import statement_limit_s
from paliapi.errors import MAX_PROBLEMS, Invalid, Problem, Unauthenticated
from paliapi.http.paging import Page, paginate
from paliapi.http.problems import escape_pointer

_Handler = Callable[..., Response]
Row = TypeVar("Row", bound=Model)

# From this cost on, a request waits for one of the turns that its owner has for expensive work.
HEAVY = 10
ROWS_PER_UNIT = 250
# The cost of a request covers this time, however little it is: others may slow it down.
_COVERED_S = 1.0


class UnknownParameter(Invalid):
    code = "unknown_parameter"
    title = "Unknown query parameter."


class ParameterInvalid(Invalid):
    code = "parameter_invalid"
    title = "This query parameter has an invalid value."


def caller_of(request: Request) -> Caller:
    caller = request.auth
    if not isinstance(caller, Caller):
        raise Unauthenticated
    return caller


class OwnedView(APIView):
    """A view whose handlers run in one transaction that sees the rows of the key's owner.

    A view that uses storage or the network sets `transactional = False` and opens `acting_for` where it needs rows.
    """

    transactional: ClassVar[bool] = True
    scopes: ClassVar[Mapping[str, Scope | None]] = {}
    # The units that each method costs, without its options. Every view has its own.
    costs: ClassVar[Mapping[str, int]]
    # The methods that change nothing, whose statements have to be fast.
    reading_methods: ClassVar[frozenset[str]] = frozenset({"GET", "HEAD", "OPTIONS"})
    # The known query parameters. None: unknown ones are ignored, because existing clients may send them.
    query: ClassVar[frozenset[str] | None] = None

    # The methods that hold one of the owner's slots for searches while they run.
    searching_methods: ClassVar[frozenset[str]] = frozenset()

    # The slot that this request needs. It is taken with the payment.
    slot: Slot | None = None
    _transaction: OwnerTransaction
    _hold: thread_shares.Hold | None = None
    _charged = 0
    _waited_s = 0.0

    @property
    def caller(self) -> Caller:
        return caller_of(self.request)

    @property
    def transaction(self) -> OwnerTransaction:
        """The owner's transaction, which is open while a handler of a `transactional` view runs."""
        return self._transaction

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Handle a request like `APIView.dispatch`, but with the handler inside the owner's transaction."""
        self.args, self.kwargs = args, kwargs
        self.headers = self.default_response_headers
        self.request = self.initialize_request(request, *args, **kwargs)
        try:
            self.response = self._respond(self.request, *args, **kwargs)
        except BaseException:
            if self._hold:
                self._hold.release()
            raise
        finally:
            if self.slot:
                self.slot.release()
        return self._hold.keep_until_sent(self.response) if self._hold else self.response

    def _respond(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        try:
            self.initial(request, *args, **kwargs)
            response = self._handle(request, *args, **kwargs)
        except Exception as exc:
            response = self.handle_exception(exc)
        return self.finalize_response(request, response, *args, **kwargs)

    def charge(self, units: int) -> None:
        """Charge for the options of a request, after its validation and before the work.

        The bucket has already paid for the request, so it may have to pay only a part in advance, and owes the rest.
        """
        if units > 0:
            in_advance = min(units, max(1, settings.ENV.rate_burst // 2))
            budgets.charge(self.request, self.caller, in_advance)
            self._charged += in_advance
            self.owe(units - in_advance)
            self._take_turns(units)

    def owe(self, units: int) -> None:
        """Charge for work whose amount only shows while it is done; later requests wait until it is paid for."""
        if units > 0:
            budgets.owe(self.request, self.caller, units)
            self._charged += units

    def settle(self, seconds: float) -> None:
        """Charge for work that took long, as far as its cost did not cover the time."""
        if seconds > _COVERED_S:
            self.owe(int(seconds * budgets.UNITS_PER_SECOND) - self._charged)

    def paginate(self, rows: QuerySet[Row], *, newest_first: bool = False) -> Page[Row]:
        """Return the page of `rows` that the request selects, and charge for its length."""
        page = paginate(self.request, rows, newest_first=newest_first)
        units = len(page.rows) // ROWS_PER_UNIT
        self.owe(units)
        self._take_turns(units)
        return page

    def _take_turns(self, units: int) -> None:
        if units >= HEAVY and self._hold:
            before = time.monotonic()
            self._hold.become_heavy(within_s=settings.ENV.web_queue_s)
            self._waited_s += time.monotonic() - before

    def _handle(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self._charged = budgets.cost_of(self, request.method or "")
        reads = request.method in self.reading_methods
        statement_limit_s.set(settings.ENV.read_timeout_s if reads else settings.ENV.write_timeout_s)
        method = (request.method or "").lower()
        handler: _Handler | None = getattr(self, method, None) if method in self.http_method_names else None
        if handler is None:
            return self.http_method_not_allowed(request, *args, **kwargs)
        if self.slot:
            self.slot.require()  # before the body, which may be large, is read
        if not self.transactional:
            return handler(request, *args, **kwargs)
        began = time.monotonic()
        try:
            with acting_for(self.caller.owner_id) as self._transaction:
                return handler(request, *args, **kwargs)
        finally:
            if reads:
                self.settle(time.monotonic() - began - self._waited_s)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._refuse_unknown_parameters(request)

    def _refuse_unknown_parameters(self, request: Request) -> None:
        unknown = sorted(set(request.query_params) - self.query)[:MAX_PROBLEMS] if self.query is not None else []
        if unknown:
            problems = tuple(
                Problem(f"/{escape_pointer(name)}", UnknownParameter.code, UnknownParameter.title) for name in unknown
            )
            raise UnknownParameter(f"Unknown query parameter {unknown[0][:100]!r}.", problems=problems)

    def check_permissions(self, request: Request) -> None:
        # The rate limit first, so that a forbidden request also costs the key and carries the rate-limit headers.
        if isinstance(request.auth, Caller) and request.method in self.searching_methods:
            limit = settings.ENV.max_concurrent_searches
            self.slot = Slot("search", owner_id=request.auth.owner_id, limit=limit)
        super().check_throttles(request)
        if isinstance(request.auth, Caller):
            self._hold = thread_shares.shares().take(request.auth.owner_id)
        super().check_permissions(request)

    def check_throttles(self, _request: Request) -> None:
        """Do nothing: `check_permissions` has checked the rate limit."""


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The security scheme of API keys in the OpenAPI document."""

    target_class = "accounts.authentication.KeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key: `pali_...`. Create one with `POST /v1/keys/` or `manage.py create_api_key`.",
        }
