"""The HTTP API, one module a resource: parse, authorise, one domain call, render."""
