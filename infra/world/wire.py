"""AWS's wire formats, as far as the world looks into them: what a request is about, and how an error reads."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.awsrequest import AWSResponse

Answer = tuple[int, dict[str, str], bytes | str]

# botocore's hyphenized service ids, where they differ from the client's name.
SERVICES = {"secrets-manager": "secretsmanager"}


class Body(BytesIO):
    """A response body as urllib3 hands it over."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        while chunk := self.read():
            yield chunk


def response(url: str, status: int, headers: dict[str, str], body: bytes | str) -> AWSResponse:
    """A response as the SDK reads it from the network."""
    content = Body(body.encode() if isinstance(body, str) else body)
    return AWSResponse(url, status, headers, content)  # type: ignore[arg-type]


def names(service: str, request: Any) -> list[str]:
    """What a request is about, by physical names: tables, a queue's URL, a bucket, a secret; [] where nothing."""
    if service == "s3":
        return [bucket(request.url)]
    if service == "sns":
        return form(request).get("TopicArn", ["phone"])
    if service not in ("dynamodb", "sqs", "secretsmanager"):
        return []
    body = json_body(request)
    if "TransactItems" in body:
        return [next(iter(write.values()))["TableName"] for write in body["TransactItems"]]
    if "RequestItems" in body:
        return list(body["RequestItems"])
    return [body[key] for key in ("TableName", "QueueUrl", "SecretId", "Name") if key in body]


def bucket(url: str) -> str:
    """The bucket of an S3 URL, whether it stands in the host or in the path."""
    parts = urlsplit(url)
    host = parts.netloc.split(".")
    return unquote(parts.path.split("/")[1]) if host[0].startswith("s3") else host[0]


def json_body(request: Any) -> dict[str, Any]:
    """The JSON object that a request carries ({} where none)."""
    found: dict[str, Any] = json.loads(request.body or "{}")
    return found


def form(request: Any) -> dict[str, list[str]]:
    """The form that a request of the query protocol carries."""
    body = request.body or ""
    if isinstance(body, dict):
        return {key: [str(value)] for key, value in body.items()}
    return parse_qs(body.decode() if isinstance(body, bytes) else body)


def error(service: str, status: int, code: str, message: str) -> AWSResponse:
    """An error in the protocol of the service."""
    if service in ("s3", "sns"):
        xml = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        text = xml if service == "s3" else f"<ErrorResponse>{xml}<RequestId>0</RequestId></ErrorResponse>"
        return response("", status, {"content-type": "text/xml"}, text)
    headers = {"content-type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
    body = {"__type": code, "message": message}
    return response("", 400 if code == "AccessDeniedException" else status, headers, json.dumps(body))
