"""Errors about webhooks and their deliveries."""

from paliapi.errors import Conflict, Forbidden, Invalid, LimitReached, NotFound


class WebhookNotFound(NotFound):
    code = "webhook_not_found"
    title = "Webhook not found."


class WebhookDeliveryNotFound(NotFound):
    code = "webhook_delivery_not_found"
    title = "Delivery not found."


class WebhooksOutOfReach(Forbidden):
    code = "webhooks_out_of_reach"
    title = "Webhooks cover all collections; this key is restricted to some."


class WebhookURLRefused(Invalid):
    code = "webhook_url_refused"
    title = "Webhook URLs must point to a public web server on an allowed port."


class WebhookDisabled(Conflict):
    code = "webhook_disabled"
    title = "This webhook is disabled; enable it first."


class TooManyWebhooks(LimitReached):
    code = "too_many_webhooks"
    title = "This account has reached its webhook limit; delete some."
