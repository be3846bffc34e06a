"""One delivery: what was sent, and what came back."""

import json
from typing import Any

from django.http import HttpResponse

from accounts.ownership import OwnerTransaction
from collections_app.webhooks import endpoints
from console.views.webhooks.endpoints import EndpointPage, endpoint_url
from console.views.webhooks.forms import failure_of


class DeliveryPage(EndpointPage):
    template = "console/webhooks/delivery.html"

    def show(self, tx: OwnerTransaction, **context: Any) -> HttpResponse:
        delivery = endpoints.find_delivery(tx, self.caller, self.endpoint_id, int(self.kwargs["delivery_id"]))
        return self.page(
            delivery=delivery,
            endpoint=delivery.endpoint,
            endpoint_url=endpoint_url(self.endpoint_id),
            payload=json.dumps(delivery.payload, ensure_ascii=False, indent=2),
            failure=failure_of(delivery),
            **context,
        )
