"""Objects in S3 or a service that speaks its protocol."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import IO, Any
from urllib.parse import urlsplit

from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.exit_codes import ExitCode
from paliapi_client.cli.imports.remote import RemoteItem
from paliapi_client.cli.imports.seen import SeenVersions
from paliapi_client.cli.uploads.items import Item

# Objects in these classes take hours to become readable.
_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})


def s3_items(address: str, *, exclude: list[str], seen: SeenVersions) -> list[Item]:
    """Return the objects below `s3://BUCKET/PREFIX`. Credentials and endpoint are those of the AWS command line."""
    parts = urlsplit(address)
    bucket, prefix = parts.netloc, parts.path.lstrip("/")
    if not bucket or parts.query or parts.fragment:
        raise Complaint("address_invalid", "The address of a bucket is s3://BUCKET/PREFIX.")
    try:
        import boto3  # noqa: PLC0415  (an extra of its own)
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise Complaint("boto3_missing", 'S3 needs boto3: pip install "paliapi-client[cli,s3]"') from error
    try:
        client = boto3.client("s3")
        rows = list(_objects(client, bucket, prefix))
    except (BotoCoreError, ClientError) as error:
        raise Complaint("s3_failed", f"{address}: {error}", ExitCode.UNAVAILABLE) from error
    items: list[Item] = [
        RemoteItem(
            name=name,
            source=f"s3://{bucket}/{row['Key']}",
            version=str(row["ETag"]),
            fetch=_Fetch(client, bucket, row["Key"]),
            seen=seen,
        )
        for row in rows
        if (name := _name(row["Key"], prefix)) and not _is_excluded(name, exclude)
    ]
    if not items:
        raise Complaint("nothing_selected", f"No objects are below {address}.", ExitCode.NOT_FOUND)
    return items


def _objects(client: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for row in page.get("Contents", ()):
            if not row["Key"].endswith("/") and row.get("StorageClass") not in _ARCHIVED:
                yield row


def _name(key: str, prefix: str) -> str:
    """Return the part of a key below the folder that the prefix names."""
    folder = prefix if prefix.endswith("/") else prefix.rpartition("/")[0]
    below = key.removeprefix(prefix).lstrip("/") if key != prefix else ""
    if prefix and not prefix.endswith("/") and key.startswith(f"{prefix}/"):
        return below
    return key.removeprefix(folder).lstrip("/")


def _is_excluded(name: str, patterns: list[str]) -> bool:
    names = [name, *PurePosixPath(name).parts]
    return any(fnmatchcase(one, pattern.rstrip("/")) for pattern in patterns for one in names)


class _Fetch:
    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client, self._bucket, self._key = client, bucket, key

    def __call__(self, file: IO[bytes]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            self._client.download_fileobj(self._bucket, self._key, file)
        except (BotoCoreError, ClientError) as error:
            raise Complaint("s3_failed", f"{self._key}: {error}", ExitCode.UNAVAILABLE) from error
