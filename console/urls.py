"""The routes of the console. Names of collections and documents are in the query, because they may contain slashes."""

from django.urls import path

from console.views.account import Account
from console.views.activity.events import Events
from console.views.activity.jobs import Activity, ChangedJobs
from console.views.collection import ChangedCollection, CollectionPage, DeletedCollection
from console.views.collections import Collections
from console.views.document import (
    CancelledDocument,
    ChangedDocument,
    DeletedDocument,
    DocumentPage,
    DocumentState,
    RetriedDocument,
)
from console.views.evaluations.pages import (
    CancelledRun,
    DeletedEvaluation,
    EvaluationPage,
    Evaluations,
    StartedRun,
)
from console.views.first_visit import Sample
from console.views.home import home
from console.views.keys import Keys, RevokedKey, RotatedKey
from console.views.page_images import PageImage
from console.views.pages import Heat, PageView
from console.views.quality.pages import CollectionQuality, Quality
from console.views.search import Search
from console.views.signing_in import openid, second_factor
from console.views.signing_in.password_link import password_link
from console.views.signing_in.security import EndedSessions, Security, changed_password, first_password
from console.views.signing_in.sign_in import sign_in, sign_out
from console.views.signing_in.sign_in_link import sign_in_link
from console.views.uploads import Uploads
from console.views.webhooks.deliveries import DeliveryPage
from console.views.webhooks.endpoints import (
    ChangedEndpoint,
    DeletedEndpoint,
    EndpointPage,
    ReplayedDelivery,
    RotatedSecret,
    SwitchedEndpoint,
    TestedEndpoint,
    Webhooks,
)

_WEBHOOK = "webhooks/<int:webhook_id>/"

urlpatterns = [
    path("", home, name="console-home"),
    path("sign-in/", sign_in, name="console-sign-in"),
    path("sign-in/", sign_in, name="account_login"),  # django-allauth's name
    path("sign-in/link/", sign_in_link, name="console-sign-in-link"),
    path("sign-in/with/<str:provider_id>/", openid.begin, name="openid_connect_login"),
    path("sign-in/with/<str:provider_id>/callback/", openid.finish, name="openid_connect_callback"),
    path("sign-in/password/", password_link, name="console-password-link"),
    path("sign-out/", sign_out, name="console-sign-out"),
    path("account/", Account.as_view(), name="console-account"),
    path("security/", Security.as_view(), name="console-security"),
    path("security/sessions/end/", EndedSessions.as_view(), name="console-sessions-end"),
    path("security/", Security.as_view(), name="mfa_index"),  # these names are django-allauth's
    path("security/", Security.as_view(), name="mfa_list_webauthn"),
    path("sign-in/second-factor/", second_factor.authenticate, name="mfa_authenticate"),
    path("security/confirm/", second_factor.confirm_password, name="account_reauthenticate"),
    path("security/confirm/provider/", openid.confirm, name="openid_reauthenticate"),
    path("security/confirm/code/", second_factor.confirm_code, name="mfa_reauthenticate"),
    path("security/confirm/key/", second_factor.confirm_key, name="mfa_reauthenticate_webauthn"),
    path("security/app/", second_factor.add_app, name="mfa_activate_totp"),
    path("security/app/remove/", second_factor.remove_app, name="mfa_deactivate_totp"),
    path("security/codes/", second_factor.codes, name="mfa_view_recovery_codes"),
    path("security/codes/new/", second_factor.new_codes, name="mfa_generate_recovery_codes"),
    path("security/keys/add/", second_factor.add_key, name="mfa_add_webauthn"),
    path("security/keys/<int:pk>/remove/", second_factor.remove_key, name="mfa_remove_webauthn"),
    path("security/password/", changed_password, name="account_change_password"),
    path("security/password/set/", first_password, name="account_set_password"),
    path("keys/", Keys.as_view(), name="console-keys"),
    path("keys/<int:key_id>/revoke/", RevokedKey.as_view(), name="console-key-revoke"),
    path("keys/<int:key_id>/rotate/", RotatedKey.as_view(), name="console-key-rotate"),
    path("webhooks/", Webhooks.as_view(), name="console-webhooks"),
    path(_WEBHOOK, EndpointPage.as_view(), name="console-webhook"),
    path(f"{_WEBHOOK}change/", ChangedEndpoint.as_view(), name="console-webhook-change"),
    path(f"{_WEBHOOK}switch/", SwitchedEndpoint.as_view(), name="console-webhook-switch"),
    path(f"{_WEBHOOK}test/", TestedEndpoint.as_view(), name="console-webhook-test"),
    path(f"{_WEBHOOK}rotate/", RotatedSecret.as_view(), name="console-webhook-rotate"),
    path(f"{_WEBHOOK}delete/", DeletedEndpoint.as_view(), name="console-webhook-delete"),
    path(f"{_WEBHOOK}deliveries/<int:delivery_id>/", DeliveryPage.as_view(), name="console-delivery"),
    path(f"{_WEBHOOK}deliveries/<int:delivery_id>/replay/", ReplayedDelivery.as_view(), name="console-delivery-replay"),
    path("collections/", Collections.as_view(), name="console-collections"),
    path("collection/", CollectionPage.as_view(), name="console-collection"),
    path("collection/change/", ChangedCollection.as_view(), name="console-collection-change"),
    path("collection/delete/", DeletedCollection.as_view(), name="console-collection-delete"),
    path("document/", DocumentPage.as_view(), name="console-document"),
    path("document/state/", DocumentState.as_view(), name="console-document-state"),
    path("document/change/", ChangedDocument.as_view(), name="console-document-change"),
    path("document/delete/", DeletedDocument.as_view(), name="console-document-delete"),
    path("document/retry/", RetriedDocument.as_view(), name="console-document-retry"),
    path("document/cancel/", CancelledDocument.as_view(), name="console-document-cancel"),
    path("sample/", Sample.as_view(), name="console-sample"),
    path("activity/", Activity.as_view(), name="console-activity"),
    path("activity/events/", Events.as_view(), name="console-events"),
    path("activity/change/", ChangedJobs.as_view(), name="console-activity-change"),
    path("quality/", Quality.as_view(), name="console-quality"),
    path("quality/collection/", CollectionQuality.as_view(), name="console-collection-quality"),
    path("evaluations/", Evaluations.as_view(), name="console-evaluations"),
    path("evaluations/<int:evaluation_id>/", EvaluationPage.as_view(), name="console-evaluation"),
    path("evaluations/<int:evaluation_id>/run/", StartedRun.as_view(), name="console-evaluation-run"),
    path(
        "evaluations/<int:evaluation_id>/runs/<int:run_id>/cancel/",
        CancelledRun.as_view(),
        name="console-evaluation-cancel",
    ),
    path("evaluations/<int:evaluation_id>/delete/", DeletedEvaluation.as_view(), name="console-evaluation-delete"),
    path("upload/", Uploads.as_view(), name="console-upload"),
    path("search/", Search.as_view(), name="console-search"),
    path("page/", PageView.as_view(), name="console-page"),
    path("page/heat/", Heat.as_view(), name="console-heat"),
    path("page/<int:page_id>/<str:kind>", PageImage.as_view(), name="console-page-image"),
]
