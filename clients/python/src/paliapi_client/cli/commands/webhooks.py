"""`pali webhooks`: endpoints that are notified, and what was delivered to them."""

from typing import Annotated

import typer

from paliapi_client.cli.as_json import as_json
from paliapi_client.cli.options import Yes, chosen, confirm
from paliapi_client.cli.output import Column
from paliapi_client.cli.session import Session, command
from paliapi_client.operations.webhooks import DeliveryStatus, Event

_COLUMNS = (
    Column("Id", right=True),
    Column("URL", shortened=True),
    Column("Events"),
    Column("Enabled"),
    Column("Failing since"),
)
_DELIVERY_COLUMNS = (
    Column("Id", right=True),
    Column("Event"),
    Column("Status"),
    Column("Attempts", right=True),
    Column("Response", right=True),
    Column("Created"),
    Column("Next attempt"),
)

_Id = Annotated[int, typer.Argument(metavar="ID", help="Id of the webhook, as listed.")]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="Endpoints that are notified, and their deliveries.", no_args_is_help=True)
    command(group, "list")(list_webhooks)
    command(group, "create")(create)
    command(group, "enable")(enable)
    command(group, "disable")(disable)
    command(group, "test")(test)
    command(group, "rotate-secret")(rotate_secret)
    command(group, "deliveries")(deliveries)
    command(group, "replay")(replay)
    command(group, "delete")(delete)
    app.add_typer(group, name="webhooks")


def list_webhooks(session: Session) -> None:
    """List the webhooks of the account."""
    with session.client() as pali:
        webhooks = list(pali.webhooks.list())
    if session.output.json:
        session.output.document({"webhooks": as_json(webhooks)})
        return
    rows = [(one.id, one.url, one.events, one.enabled, one.failing_since) for one in webhooks]
    session.output.rows(_COLUMNS, rows, empty="No webhooks.")


def create(
    session: Session,
    address: Annotated[str, typer.Argument(metavar="URL", help="Where messages are sent.")],
    *,
    event: Annotated[
        list[str] | None, typer.Option(metavar="EVENT", help="Such as document.ready; several times for several.")
    ] = None,
    description: Annotated[str, typer.Option(help="A note for people.")] = "",
) -> None:
    """Create a webhook, and write its secret to standard output: it is shown only this once."""
    events = chosen("--event", event, Event)
    with session.client() as pali:
        webhook = pali.webhooks.create(address, events=events, description=description or None)
    if session.output.json:
        session.output.document({"webhook": as_json(webhook)})
        return
    session.output.message(f"Webhook {webhook.id}. Its secret is shown only this once:")
    session.output.line(webhook.secret)


def enable(session: Session, webhook_id: _Id) -> None:
    """Enable a webhook."""
    _set_enabled(session, webhook_id, enabled=True)


def disable(session: Session, webhook_id: _Id) -> None:
    """Disable a webhook: its pending messages wait."""
    _set_enabled(session, webhook_id, enabled=False)


def _set_enabled(session: Session, webhook_id: int, *, enabled: bool) -> None:
    with session.client() as pali:
        webhook = pali.webhooks.update(webhook_id, enabled=enabled)
    if session.output.json:
        session.output.document({"webhook": as_json(webhook)})
    else:
        session.output.message(f"Webhook {webhook_id} is {'enabled' if webhook.enabled else 'disabled'}.")


def test(session: Session, webhook_id: _Id) -> None:
    """Send a test message."""
    with session.client() as pali:
        delivery = pali.webhooks.test(webhook_id)
    if session.output.json:
        session.output.document({"delivery": as_json(delivery)})
    else:
        session.output.message(f"Delivery {delivery.id} is queued; see: pali webhooks deliveries {webhook_id}")


def rotate_secret(
    session: Session,
    webhook_id: _Id,
    *,
    overlap_hours: Annotated[int, typer.Option(help="How long messages are also signed with the old secret.")] = 24,
) -> None:
    """Replace the secret, and write the new one to standard output."""
    with session.client() as pali:
        webhook = pali.webhooks.rotate_secret(webhook_id, overlap_hours=overlap_hours)
    if session.output.json:
        session.output.document({"webhook": as_json(webhook)})
        return
    session.output.message(f"The new secret of webhook {webhook_id}:")
    session.output.line(webhook.secret)


def deliveries(
    session: Session,
    webhook_id: _Id,
    *,
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only deliveries with this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
) -> None:
    """List deliveries, the newest first."""
    with session.client() as pali:
        rows = []
        for delivery in pali.webhooks.deliveries(webhook_id, status=status):
            rows.append(delivery)
            if len(rows) >= limit:
                break
    if session.output.json:
        session.output.document({"deliveries": as_json(rows)})
        return
    cells = [
        (one.id, one.event, one.status, one.attempts, one.response_status, one.created_at, one.next_try_at)
        for one in rows
    ]
    session.output.rows(_DELIVERY_COLUMNS, cells, empty="No deliveries.")


def replay(
    session: Session, webhook_id: _Id, delivery_id: Annotated[int, typer.Argument(help="Id of the delivery.")]
) -> None:
    """Send a message again."""
    with session.client() as pali:
        delivery = pali.webhooks.replay(webhook_id, delivery_id)
    if session.output.json:
        session.output.document({"delivery": as_json(delivery)})
    else:
        session.output.message(f"Delivery {delivery.id} is queued.")


def delete(session: Session, webhook_id: _Id, *, yes: Yes = False) -> None:
    """Delete a webhook with its log of deliveries."""
    confirm(f"Delete webhook {webhook_id} and its log of deliveries?", yes=yes)
    with session.client() as pali:
        pali.webhooks.delete(webhook_id)
    if session.output.json:
        session.output.document({"deleted": webhook_id})
    else:
        session.output.message(f"Webhook {webhook_id} is deleted.")
