"""Django's settings. Whatever differs between installations comes from `Env`."""

from datetime import timedelta
from typing import Any

from botocore.config import Config

from paliapi import derived_settings, env, logs, parts
from paliapi.database import database_settings
from paliapi.roles import APP, SIGN_IN, STAFF_LOGIN
from paliapi.units import MAX_FILES_PER_FORM

ENV = env.load()

# General
SECRET_KEY = ENV.secret_key
DEBUG = False
ALLOWED_HOSTS = list(ENV.allowed_hosts)
# There are two web servers: that of the API, and the admin, which has sessions and a database login of its own.
_IS_ADMIN = ENV.part == parts.ADMIN
API_URLCONF, ADMIN_URLCONF = "paliapi.urls", "paliapi.admin_urls"
ROOT_URLCONF = ADMIN_URLCONF if _IS_ADMIN else API_URLCONF
WSGI_APPLICATION = "paliapi.wsgi.application"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.CustomUser"

INSTALLED_APPS = [
    "paliapi",
    "accounts",
    "collections_app",
    "console",
    "accounts.admin_config.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
SERVES_PAGES = ENV.part in ("", parts.WEB, parts.ADMIN)
if SERVES_PAGES:
    INSTALLED_APPS += ["accounts.browsers.apps.AllauthAccounts", "allauth.mfa", "allauth.socialaccount"]
    INSTALLED_APPS.append("allauth.socialaccount.providers.openid_connect")

_BEFORE_SESSIONS = [
    "paliapi.middleware.RequestContext",
    "paliapi.middleware.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
]
_FOR_EVERY_REQUEST = [*_BEFORE_SESSIONS, "accounts.limits.address_budget.AddressBudget"]
API_MIDDLEWARE = [
    *_BEFORE_SESSIONS,
    "console.middleware.ConsoleMiddleware",
    "accounts.limits.address_budget.AddressBudget",
    "paliapi.middleware.TolerateMissingSlash",
    "django.middleware.common.CommonMiddleware",
]
ADMIN_MIDDLEWARE = [
    *_FOR_EVERY_REQUEST,
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
# For paths of the console only: the API accepts no cookies.
CONSOLE_MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.browsers.pages.BrowserUser",
    "django.contrib.messages.middleware.MessageMiddleware",
]
MIDDLEWARE = ADMIN_MIDDLEWARE if _IS_ADMIN else API_MIDDLEWARE

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.access.caller_of_session",
            ]
        },
    }
]

# Storage
DATABASES = {
    "default": database_settings(
        derived_settings.database_login(ENV),
        pool_size=derived_settings.database_connections(ENV),
        role=STAFF_LOGIN if _IS_ADMIN else APP,
    )
}
# The pages where people sign in have a login of their own. Without one, that of the process assumes its role.
SIGN_IN_DATABASE = "sign_in" if ENV.database_sign_in_url else "default"
if ENV.database_sign_in_url:
    DATABASES["sign_in"] = database_settings(
        ENV.database_sign_in_url, pool_size=derived_settings.SIGN_IN_CONNECTIONS, role=SIGN_IN, statement_timeout_s=10
    )
DATABASE_ROUTERS = ["accounts.browsers.database.SignInRouter"]
CACHES = {"default": {"BACKEND": "accounts.browsers.redis_cache.OnceCache"}}

# The files' addresses change with their contents, so browsers keep them for good.
STATIC_URL = f"/static/{derived_settings.static_version()}/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_IMMUTABLE_FILE_TEST = derived_settings.is_static_address

STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "paliapi.durable_files.DurableFiles",
        "OPTIONS": {"location": ENV.files, "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if ENV.s3_bucket:
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": ENV.s3_bucket,
            "endpoint_url": ENV.s3_endpoint_url or None,
            "region_name": ENV.s3_region or None,
            "access_key": ENV.s3_access_key_id or None,
            "secret_key": ENV.s3_secret_access_key or None,
            "default_acl": None,
            "querystring_auth": True,
            "file_overwrite": True,
            # The SDK's default timeouts are too long for an upload request.
            "client_config": Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 2}),
        },
    }

# The parsers of views that take files use another handler; they also limit the size of JSON bodies.
FILE_UPLOAD_HANDLERS = ["paliapi.http.uploads.RefusingUploadHandler"]
FILE_UPLOAD_TEMP_DIR = None
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = MAX_FILES_PER_FORM  # a view may accept fewer

# Sessions are for the admin and the console. The API accepts only keys.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/admin/login/" if _IS_ADMIN else "/sign-in/"
LOGIN_REDIRECT_URL = "/"
_https = (derived_settings.admin_url(ENV) if _IS_ADMIN else ENV.base_url).startswith("https://")
SESSION_COOKIE_SECURE = _https
# Cookies are shared by all ports of a host, so the console and the admin have different ones.
_session = "session" if _IS_ADMIN else "console_session"
SESSION_COOKIE_NAME = f"__Host-{_session}" if _https else f"paliapi_{_session}"
SESSION_COOKIE_AGE = int(timedelta(hours=ENV.session_hours).total_seconds())
SESSION_ENGINE = "accounts.browsers.sessions"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
CSRF_COOKIE_SECURE = _https
CSRF_COOKIE_HTTPONLY = True
_csrf = "csrf" if _IS_ADMIN else "console_csrf"
CSRF_COOKIE_NAME = f"__Host-{_csrf}" if _https else f"paliapi_{_csrf}"
CSRF_TRUSTED_ORIGINS = [derived_settings.admin_url(ENV) if _IS_ADMIN else ENV.base_url]
CSRF_FAILURE_VIEW = "paliapi.http.problems.csrf_failure"
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_SSL_REDIRECT = False
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # the TLS proxy redirects; doing so here would loop if the proxy did not pass on the scheme
    "security.W021",  # preloading affects the whole domain, so its owner must decide
]
if _IS_ADMIN:
    SILENCED_SYSTEM_CHECKS.append("drf_spectacular.E001")  # it serves no API that could be documented
else:
    # The admin is installed everywhere for its migrations, and served only where it has this middleware.
    SILENCED_SYSTEM_CHECKS += ["admin.E408", "admin.E409", "admin.E410", "security.W003"]
if ENV.trust_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING_CONFIG = None
logs.configure(level=ENV.log_level, form=ENV.log_format)

# django-allauth, whose views are those of the console where people sign in
ACCOUNT_ADAPTER = "accounts.browsers.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.browsers.forms.SignInForm",
    "change_password": "accounts.browsers.forms.PasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_RATE_LIMITS = False  # the forms have ours
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _https else "http"
SOCIALACCOUNT_ADAPTER = "accounts.browsers.openid.OpenIdAdapter"
# A form would be stopped by the content security policy, because it leads to the provider's site.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
SOCIALACCOUNT_PROVIDERS = derived_settings.openid_providers(ENV)
MFA_ADAPTER = "accounts.browsers.adapters.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "accounts.browsers.forms.CodeForm",
    "reauthenticate": "accounts.browsers.forms.OwnCodeForm",
    "authenticate_webauthn": "accounts.browsers.forms.KeyForm",
    "reauthenticate_webauthn": "accounts.browsers.forms.OwnKeyForm",
    "add_webauthn": "accounts.browsers.forms.NewKeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_TOLERANCE = 1  # clocks differ, and typing takes time

# The API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["paliapi.http.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["paliapi.http.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "paliapi.http.openapi.Schema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "paliapi.http.problems.AlwaysJSON",
    "DEFAULT_THROTTLE_CLASSES": ["accounts.limits.budgets.KeyRate"],
    "EXCEPTION_HANDLER": "paliapi.http.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "COMPACT_JSON": True,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "PaliAPI",
    "VERSION": "1.0.0",
    "DESCRIPTION": (
        "Retrieval for visually rich documents. Upload PDFs, slides, scans and images into collections, send queries, "
        "and get back the pages that answer them.\n\n"
        "Every request except health and signed links needs `Authorization: Bearer YOUR_KEY`. Every error is "
        "`application/problem+json` with a stable `code` and the `request_id` that also appears in the log."
    ),
    "LICENSE": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    "SERVERS": [{"url": "http://localhost:8001", "description": "`make run` on this machine"}],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SCHEMA_PATH_PREFIX": "/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_NAME_OVERRIDES": {"RankingEnum": ["auto", "maxsim", "hybrid", "lexical"]},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "paliapi.http.openapi.postprocess_schema",
    ],
    "TAGS": [
        {"name": "health", "description": "Liveness and readiness."},
        {"name": "keys", "description": "API keys, and usage of the account."},
        {"name": "collections", "description": "Sets of documents that are searched together."},
        {"name": "evaluations", "description": "Questions with judged answers, and how well rankings find these."},
        {"name": "documents", "description": "Uploaded documents, their processing state and their pages."},
        {"name": "search", "description": "Find the pages that answer a query."},
        {"name": "embeddings", "description": "Multi-vector embeddings for your own programs."},
        {"name": "filter", "description": "Find collections and documents by their metadata."},
        {"name": "webhooks", "description": "Notifications when documents are ready or have failed."},
        {"name": "helpers", "description": "File conversions for use with other endpoints."},
    ],
}
