"""Whether the published OpenAPI document is kept: calls made up from it, by each role and nobody, of a real product."""
