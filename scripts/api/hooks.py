"""Rules that Schemathesis cannot take from openapi.yaml."""

import schemathesis


@schemathesis.hook
def map_body(context, body):
    """To JSON Schema 2.0 is an integer; this API accepts only integers that are written as such."""
    if isinstance(body, float) and body.is_integer():
        return int(body)
    if isinstance(body, list):
        return [map_body(context, element) for element in body]
    if isinstance(body, dict):
        return {key: map_body(context, value) for key, value in body.items()}
    return body
