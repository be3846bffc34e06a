"""Where keys are stored."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import keyring.backend
import pytest

from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.credentials import LoginStore, normal_url
from paliapi_client.cli.exit_codes import ExitCode

URL = "https://pali.example.com"


class MemoryKeyring(keyring.backend.KeyringBackend):
    priority: float = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.passwords: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.passwords[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.passwords[service, username]


class BrokenKeyring(MemoryKeyring):
    def set_password(self, *_arguments: str) -> None:
        raise RuntimeError("the bus is gone")


UseKeyring = Callable[[MemoryKeyring], MemoryKeyring]


@pytest.fixture
def use_keyring() -> Iterator[UseKeyring]:
    before = keyring.get_keyring()

    def use(backend: MemoryKeyring) -> MemoryKeyring:
        keyring.set_keyring(backend)
        return backend

    yield use
    keyring.set_keyring(before)


@pytest.fixture
def store(tmp_path: Path, use_keyring: UseKeyring) -> LoginStore:
    use_keyring(BrokenKeyring())
    return LoginStore({"HOME": str(tmp_path)})


def test_key_is_stored_in_a_file_that_only_its_owner_can_read(store: LoginStore) -> None:
    assert store.save(URL, "pali_1") == "file"
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.path.parent.stat().st_mode & 0o777 == 0o700
    assert (store.url(), store.credentials().key, store.credentials().source) == (URL, "pali_1", "file")
    assert [path.name for path in store.path.parent.iterdir()] == ["logins.json"]


def test_key_is_stored_in_the_keyring_alone(store: LoginStore, use_keyring: UseKeyring) -> None:
    store.save(URL, "pali_old")
    backend = use_keyring(MemoryKeyring())
    assert store.save(URL, "pali_1") == "keyring"
    assert "pali_" not in store.path.read_text()
    assert (store.credentials().key, store.credentials().source) == ("pali_1", "keyring")
    assert store.delete(URL)
    assert backend.passwords == {}


def test_locked_keyring_is_explained(store: LoginStore, use_keyring: UseKeyring) -> None:
    backend = use_keyring(MemoryKeyring())
    store.save(URL, "pali_1")
    backend.passwords.clear()
    with pytest.raises(Complaint, match="Unlock it") as error:
        store.credentials()
    assert error.value.exit_code == ExitCode.NOT_PERMITTED


def test_keyring_that_stores_in_plain_text_is_not_used(store: LoginStore, use_keyring: UseKeyring) -> None:
    backend = use_keyring(MemoryKeyring())
    backend.priority = 0.5
    assert store.save(URL, "pali_1") == "file"
    assert backend.passwords == {}


def test_key_of_another_server_is_never_used(store: LoginStore) -> None:
    store.save(URL, "pali_1")
    with pytest.raises(Complaint) as error:
        store.credentials("https://evil.example.com")
    assert error.value.code == "not_logged_in"
    for other in ("http://pali.example.com", "https://pali.example.com:8443", "https://pali.example.com.evil.com"):
        with pytest.raises(Complaint):
            store.credentials(other)


def test_environment_has_precedence(tmp_path: Path, store: LoginStore) -> None:
    store.save(URL, "pali_1")
    environ = {"HOME": str(tmp_path), "PALIAPI_API_KEY": "pali_2", "PALIAPI_URL": "http://other:8001/v1/"}
    chosen = LoginStore(environ).credentials()
    assert (chosen.url, chosen.key, chosen.source) == ("http://other:8001", "pali_2", "environment")
    assert LoginStore({"HOME": str(tmp_path), "PALIAPI_URL": URL}).credentials().key == "pali_1"


def test_file_that_others_can_read_is_rejected(store: LoginStore) -> None:
    store.save(URL, "pali_1")
    store.path.chmod(0o640)
    with pytest.raises(Complaint, match="other users") as error:
        store.credentials()
    assert error.value.code == "login_file_exposed"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"url": 1, "keys": {}}', b'{"url": null, "keys": {"a": 1}}', b"\xff", b"[" * 100_000],
)
def test_damaged_file_is_explained(store: LoginStore, content: bytes) -> None:
    store.save(URL, "pali_1")
    store.path.write_bytes(content)
    with pytest.raises(Complaint) as error:
        store.credentials()
    assert error.value.code == "login_file_damaged"


def test_logins_are_replaced_as_a_whole(store: LoginStore) -> None:
    store.save(URL, "pali_1")
    stop = threading.Event()
    broken: list[str] = []

    def read() -> None:
        while not stop.is_set():
            try:
                json.loads(store.path.read_text())
            except ValueError as error:  # noqa: PERF203
                broken.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(50):
        store.save(URL, f"pali_{number}" * 50)
    stop.set()
    reader.join()
    assert broken == []


def test_deleting_the_only_login_leaves_nothing(store: LoginStore) -> None:
    store.save(URL, "pali_1")
    assert store.delete(URL)
    assert not store.delete(URL)
    assert store.url() == "http://localhost:8001"
    assert "pali_1" not in store.path.read_text()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("localhost:8001", "http://localhost:8001"),
        ("https://Pali.Example.com:443/v1/", "https://pali.example.com"),
        ("http://[::1]:8001", "http://[::1]:8001"),
        ("https://example.com/pali/", "https://example.com/pali"),
    ],
)
def test_server_has_one_form(text: str, url: str) -> None:
    assert normal_url(text) == url


@pytest.mark.parametrize("text", ["", "ftp://x", "http://", "http://a:b@host", "http://host:x", "http://host:99999"])
def test_what_is_no_server_is_rejected(text: str) -> None:
    with pytest.raises(Complaint) as error:
        normal_url(text)
    assert error.value.code == "url_invalid"
