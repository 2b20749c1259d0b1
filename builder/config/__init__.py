"""The composition root: settings, URLs, the ASGI application and the wiring of the runtime's ports."""
