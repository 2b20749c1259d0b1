"""Django serves the API and the page behind the links of mails; the ASGI application hands on everything else."""

from __future__ import annotations

from django.urls import include, path

from builder.api import decision_page

urlpatterns = [path("api/v1/", include("builder.api.urls")), path("d/<str:token>", decision_page.decision)]

handler400 = "builder.api.problems.bad_request"
handler403 = "builder.api.problems.forbidden"
handler404 = "builder.api.problems.not_found"
handler500 = "builder.api.problems.server_error"
