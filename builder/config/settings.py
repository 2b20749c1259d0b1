"""All settings, from the environment alone, in one file for every place Millrace runs.

Embedded (neither DATABASE_URL nor REDIS_URL): one process, SQLite, an in-memory broker and channel layer.
Scaled: PostgreSQL and Redis, any number of `web`, `worker` and `ticker` processes.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from builder.config import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VERSION = "0.1.0"

# --- where we are -----------------------------------------------------------------------------------------------

DATABASE_URL = env.secret("DATABASE_URL")
REDIS_URL = env.redis_address(env.secret("REDIS_URL"))
EMBEDDED = not DATABASE_URL and not REDIS_URL
TEST_BUILD = env.flag("MILLRACE_TEST_BUILD", False)
DEBUG = env.flag("DEBUG", False)
DATA_DIR = env.private_directory(Path(env.text("DATA_DIR", str(BASE_DIR / ".data"))).resolve())
HOST = env.text("HOST", "127.0.0.1")
PORT = env.whole_number("PORT", 8000, least=1, most=65535)
PUBLIC_URL = env.public_address(env.text("PUBLIC_URL"), f"http://127.0.0.1:{PORT}")
SECURE = PUBLIC_URL.startswith("https://")
WEB_PROCESSES = env.whole_number("WEB_PROCESSES", 1, least=1, most=64)
#: Runs that one process advances at the same time; all others wait in the database.
RUNS_AT_A_TIME = env.whole_number("RUNS_AT_A_TIME", 256, least=1, most=4096)
#: With less free space in DATA_DIR no run is begun, with half as much nothing is accepted (MiB; 0: whatever there is).
FREE_SPACE_FLOOR_MIB = env.whole_number("FREE_SPACE_FLOOR_MIB", 200, least=0, most=1_048_576)
#: How large a file may be that somebody uploads or a step makes.
FILE_SIZE_LIMIT_MIB = env.whole_number("FILE_SIZE_LIMIT_MIB", 200, least=1, most=1_048_576)
#: Processes that draw documents beside each process that runs steps; they begin with the first document.
DOCUMENT_PROCESSES = env.whole_number("DOCUMENT_PROCESSES", min(os.cpu_count() or 1, 4), least=1, most=64)
#: Tells a restored backup from the present; best where no backup reaches.
BEAT_FILE = Path(env.text("BEAT_FILE", str(DATA_DIR / "beat")))
FRONTEND_DIR = Path(env.text("FRONTEND_DIR", str(BASE_DIR / "frontend" / "dist")))

if DEBUG and not EMBEDDED and not TEST_BUILD:
    raise ImproperlyConfigured(
        "DEBUG=true shows settings to visitors: leave it out where DATABASE_URL or REDIS_URL is set."
    )
if env.text("FAILPOINTS") and not TEST_BUILD:
    raise ImproperlyConfigured("FAILPOINTS is set: it crashes the process on purpose and only a test build accepts it.")
if WEB_PROCESSES > 1 and not REDIS_URL:
    raise ImproperlyConfigured(
        f"WEB_PROCESSES={WEB_PROCESSES} without REDIS_URL: the in-memory layer carries live news within one process "
        "only. Set REDIS_URL, or leave WEB_PROCESSES out."
    )

if REDIS_URL and not DATABASE_URL and not TEST_BUILD:
    raise ImproperlyConfigured(
        "REDIS_URL without DATABASE_URL: several processes cannot share an SQLite file. Set DATABASE_URL, too."
    )

# --- secrets ----------------------------------------------------------------------------------------------------

SECRET_KEY = env.secret("SECRET_KEY", "MILLRACE_SECRET_KEY")
if not SECRET_KEY:
    if not EMBEDDED:
        raise ImproperlyConfigured(
            "SECRET_KEY is missing: every process needs the same one. Make it once with "
            "python -c 'import secrets; print(secrets.token_urlsafe(48))' and set SECRET_KEY or SECRET_KEY_FILE."
        )
    SECRET_KEY = env.private_file(DATA_DIR / "secret_key", make=env.new_secret())
env.strong_secret("SECRET_KEY", SECRET_KEY)
# Who may read /metrics; nobody without it.
METRICS_TOKEN = env.secret("METRICS_TOKEN")
if METRICS_TOKEN:
    env.strong_secret("METRICS_TOKEN", METRICS_TOKEN)

# The ring of keys that seal connections. Scaled processes share one file; embedded makes its own on first use.
CONNECTION_KEYS_FILE = Path(env.text("CONNECTION_KEYS_FILE", str(DATA_DIR / "connection_keys.json")))
CONNECTION_KEYS_MADE_HERE = EMBEDDED or TEST_BUILD

# --- the world outside ------------------------------------------------------------------------------------------

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
ALLOWED_HOSTS = list(
    dict.fromkeys(
        (
            *env.names("ALLOWED_HOSTS"),
            urlsplit(PUBLIC_URL).hostname or "localhost",
            *(_LOCAL_HOSTS if EMBEDDED or TEST_BUILD else ()),
        )
    )
)
if "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS=*: any Host header would be believed. List the names you serve.")

# Addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; none by default.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")

# Private networks that steps may reach, such as 10.20.0.0/16; none by default, and never this machine itself.
EGRESS_ALLOWED_NETWORKS = env.networks("EGRESS_ALLOWED_NETWORKS")

# Folders of this machine into which steps may save files; none by default.
SAVE_FOLDERS = env.folders("SAVE_FOLDERS")

# Where files and large values are kept: below DATA_DIR, or in an S3-compatible storage.
ARTIFACT_STORAGE = env.storage(env.secret("ARTIFACT_STORAGE_URL"))

# The installation's own mail, to those whom steps ask; steps may use a connection instead.
POST = env.post(env.secret("MAIL_URL"), env.text("MAIL_FROM"))

# The practice company: a small real company with an HTTP API and a mail box, for examples, the tour and tests.
# It is the one thing on this machine that steps may reach, and only by its name.
PRACTICE_COMPANY = env.flag("PRACTICE_COMPANY", EMBEDDED)
PRACTICE_HOST = "practice-company"
PRACTICE_ADDRESS = env.address("PRACTICE_ADDRESS", ("127.0.0.1", PORT))
PRACTICE_SMTP_ADDRESS = env.address("PRACTICE_SMTP_ADDRESS", ("127.0.0.1", min(PORT + 25, 65535)))

# --- Django -----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "runtime.store",
    "builder.audit",
    "builder.accounts",
    "builder.connections",
    "builder.workflows",
    "builder.live",
    "builder.config",
]
MIDDLEWARE = [
    "builder.config.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "builder.config.urls"
ASGI_APPLICATION = "builder.config.asgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
TEMPLATES: list[dict[str, Any]] = []
SILENCED_SYSTEM_CHECKS: list[str] = []
# Larger bodies are refused before Django sees them; see builder.config.door.
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

DATABASES = {"default": env.database(DATABASE_URL) if DATABASE_URL else env.sqlite(DATA_DIR / "millrace.sqlite3")}

CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": (
        {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL], "prefix": "millrace-live"},
        }
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}}
    )
}

# --- who you are ------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

_COOKIE_PREFIX = "__Host-" if SECURE else ""
SESSION_ENGINE = "builder.accounts.sessions"
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}millrace_session"
SESSION_COOKIE_AGE = int(timedelta(days=30).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}millrace_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = SECURE
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "builder.api.problems.csrf_failure"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = False
# The ASGI application has already replaced the scheme where a trusted proxy said https.
SECURE_SSL_REDIRECT = SECURE
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF],
        "connect-src": [SELF],
        "base-uri": [NONE],
        "form-action": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# --- the API ----------------------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "builder.api.authentication.TokenAuthentication",
        "builder.api.authentication.BrowserAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["builder.api.permissions.Denied"],
    "DEFAULT_PARSER_CLASSES": ["builder.api.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["builder.api.parsing.ProfileJSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "builder.api.parsing.AlwaysJSON",
    "EXCEPTION_HANDLER": "builder.api.problems.handle",
    "DEFAULT_SCHEMA_CLASS": "builder.api.schema.MillraceSchema",
    "UNAUTHENTICATED_USER": None,
    "NUM_PROXIES": 0,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Millrace",
    "DESCRIPTION": "Durable workflows that business people draw.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # Sets of values that stand in fields of one name, beside others: what their types are called for good.
    "ENUM_NAME_OVERRIDES": {
        "AlertKind": "runtime.contracts.alerts.ALERT_KINDS",
        "BulkKind": "builder.api.bulk_retries.BULK_KINDS",
        "RunStatus": "builder.api.run_filters.STATUSES",
    },
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "millrace_session",
                "description": "The browser's session; unsafe requests also send X-CSRFToken.",
            },
            "token": {"type": "http", "scheme": "bearer", "description": "A token of this workspace, mlr_…"},
        }
    },
}

# --- traces -----------------------------------------------------------------------------------------------------

# By the variables of OpenTelemetry; off where none names a collector. See builder.config.traces.
TRACES = env.traces(
    env.text("OTEL_EXPORTER_OTLP_ENDPOINT"),
    env.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
    headers=env.secret("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"),
    protocol=env.text("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", env.text("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")),
    exporter=env.text("OTEL_TRACES_EXPORTER", "otlp"),
    name=env.text("OTEL_SERVICE_NAME", "millrace"),
    sampler=env.text("OTEL_TRACES_SAMPLER", "parentbased_always_on"),
    ratio=env.text("OTEL_TRACES_SAMPLER_ARG"),
    batches=(
        env.whole_number("OTEL_BSP_MAX_QUEUE_SIZE", 2048, least=1, most=1_048_576),
        env.whole_number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, least=1, most=65_536),
        env.whole_number("OTEL_BSP_SCHEDULE_DELAY", 5000, least=10, most=600_000),
    ),
    # Hosts that HTTP steps tell which trace a request is part of (the header `traceparent`); none by default.
    hosts=env.names("TRACEPARENT_HOSTS"),
    disabled=env.flag("OTEL_SDK_DISABLED", False),
)

# --- logs -------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR"):
    raise ImproperlyConfigured(f"LOG_LEVEL={LOG_LEVEL}: use DEBUG, INFO, WARNING or ERROR.")
LOG_FORMAT = env.text("LOG_FORMAT", "plain" if EMBEDDED else "json")
if LOG_FORMAT not in ("plain", "json"):
    raise ImproperlyConfigured(f"LOG_FORMAT={LOG_FORMAT}: use plain or json.")
LOGGING_CONFIG = "builder.config.logs.configure"
LOGGING = {"level": LOG_LEVEL, "format": LOG_FORMAT}
