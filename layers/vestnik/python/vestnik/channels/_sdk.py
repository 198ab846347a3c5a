"""One call of an AWS service that reaches people, and what its errors mean."""

from typing import Any

from vestnik.errors import Later, Refused, Unknown
from vestnik.resources import client

LATER = "later"
WORDS = {
    # Throttled. The services spell it in many ways.
    "TooManyRequestsException": LATER,
    "TooManyRequests": LATER,
    "Throttling": LATER,
    "ThrottlingException": LATER,
    "ThrottledException": LATER,
    "Throttled": LATER,
    "RequestLimitExceeded": LATER,
    "RequestThrottled": LATER,
    "RequestTimeout": LATER,
    # Our own account, not the shop or the person: nothing was sent, and people will put it right.
    "AccessDenied": LATER,
    "AccessDeniedException": LATER,
    "AuthorizationError": LATER,
    "ExpiredToken": LATER,
    "ExpiredTokenException": LATER,
    "InvalidClientTokenId": LATER,
    "UnrecognizedClientException": LATER,
    "InvalidSignatureException": LATER,
    "SignatureDoesNotMatch": LATER,
}
NEVER_SENT = ("EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError", "NoCredentialsError")


def call(service: str, operation: str, request: dict[str, Any], words: dict[str, str]) -> dict[str, Any]:
    """Call once and return the answer.

    `words` maps the service's error (`Code`, `Code.REASON`, or a piece of its text in lower case) to our code, or
    to LATER. A 4xx without a word is Refused `refused`; a 5xx or a broken connection is Unknown.
    """
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError

    try:
        answer: dict[str, Any] = getattr(client(service, sends=True), operation)(**request)
        return answer
    except ClientError as error:
        raise meaning(dict(error.response), {**WORDS, **words}) from None
    except ParamValidationError as error:
        raise Refused(str(error), code="bad-request") from None
    except (BotoCoreError, HTTPClientError) as error:
        if type(error).__name__ in NEVER_SENT:
            raise Later(f"{service}: {type(error).__name__}") from None
        raise Unknown(f"{service}: {type(error).__name__}") from None


def meaning(response: dict[str, Any], words: dict[str, str]) -> Refused | Later | Unknown:
    """An SDK error answer in our words."""
    error = response.get("Error", {})
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    code, text = str(error.get("Code", "")), str(error.get("Message", ""))
    said = f"{code}: {text}"
    if not 400 <= status < 500:
        return Unknown(said)
    word = _word(code, str(response.get("Reason", "")), text.lower(), words)
    if word == LATER or status == 429:
        return Later(said)
    return Refused(said, code=word)


def _word(code: str, reason: str, text: str, words: dict[str, str]) -> str:
    for piece, word in words.items():
        if piece.islower() and piece in text:
            return word
    return words.get(f"{code}.{reason}") or words.get(code) or "refused"
