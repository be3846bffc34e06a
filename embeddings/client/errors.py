"""What can go wrong for a program that asks the service."""


class ClientError(Exception):
    """The base. `index` names the input that it is about, if it is about one."""

    def __init__(self, detail: str, *, index: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.index = index


class ServiceUnavailable(ClientError):
    """Not now; the same call may work later."""

    def __init__(self, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class AccessDenied(ClientError):
    """The service does not take this token."""


class Rejected(ClientError):
    """The service says that an input cannot be embedded, whenever it is asked."""


class TooLarge(Rejected):
    """One input alone is larger than the service takes."""


class Untrustworthy(ClientError):
    """The service answered with something that is not embeddings."""


class OtherSpace(Untrustworthy):
    """The service answers with vectors of another model than the one expected."""
