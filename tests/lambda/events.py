"""Events of each source. The files hold the shapes that AWS publishes: API Gateway Developer Guide, "Set up Lambda
proxy integrations" and "Create AWS Lambda proxy integrations for HTTP APIs"; Lambda Developer Guide, "Lambda function
URLs"; Elastic Load Balancing, "Use Lambda functions as targets". A test changes what it is about."""

import json
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl

EVENTS = Path(__file__).parent / "events"
SOURCES = ["rest-api", "http-api", "function-url", "alb", "alb-multi-value"]


def event(source, method="GET", path="/", query="", headers=None, body=None, stage=None, base64=False):
    """A request, as this source would hand it over."""
    made = json.loads((EVENTS / f"{source}.json").read_text())
    made["body"], made["isBase64Encoded"] = body, base64
    if source in ("http-api", "function-url"):
        version_2(made, method, path, query, stage or "$default")
    else:
        version_1(made, source, method, path, query, stage or "prod")
    for name, value in (headers or {}).items():
        if made.get("headers") is not None:
            made["headers"][name] = value
        if made.get("multiValueHeaders") is not None:
            made["multiValueHeaders"][name] = [value]
    return made


def version_2(made, method, path, query, stage):
    whole = path if stage == "$default" else f"/{stage}{path}"
    made["rawPath"], made["rawQueryString"] = whole, query
    made["queryStringParameters"] = {name: ",".join(values) for name, values in parse_qs(query).items()}
    context = made["requestContext"]
    context["stage"] = stage
    context["http"] |= {"method": method, "path": whole}


def version_1(made, source, method, path, query, stage):
    made["httpMethod"], made["path"] = method, path
    # API Gateway has decoded what a load balancer passes on as it came.
    pairs = parse_qsl(query) if source == "rest-api" else [pair.split("=", 1) for pair in query.split("&") if pair]
    several = {}
    for name, value in pairs:
        several.setdefault(name, []).append(value)
    one_each = {name: values[-1] for name, values in several.items()}
    if source == "rest-api":
        made["pathParameters"] = {"proxy": path[1:]} if path != "/" else None
        made["requestContext"] |= {"stage": stage, "path": f"/{stage}{path}", "httpMethod": method}
        made["queryStringParameters"], made["multiValueQueryStringParameters"] = one_each or None, several or None
    elif source == "alb":
        made["queryStringParameters"] = one_each
    else:
        made["multiValueQueryStringParameters"] = several
