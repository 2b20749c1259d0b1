"""Django serves the API alone; the ASGI application hands everything else to its neighbours."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("api/v1/", include("builder.api.urls"))]

handler400 = "builder.api.problems.bad_request"
handler403 = "builder.api.problems.forbidden"
handler404 = "builder.api.problems.not_found"
handler500 = "builder.api.problems.server_error"
