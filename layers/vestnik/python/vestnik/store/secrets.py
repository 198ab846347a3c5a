"""The one module that speaks Secrets Manager. A secret is a flat object of strings; nothing else ever holds one."""

import json
from typing import Any

from vestnik import resources

KEPT_SECONDS = 300
_kept: dict[str, tuple[float, dict[str, str]]] = {}


def sender_secret(shop: str, sender: str) -> dict[str, str]:
    """The credentials of a sender ({} where it has none), kept in memory for five minutes."""
    return _read(_sender_name(shop, sender))


def account_secret(shop: str, account: str) -> dict[str, str]:
    """The credentials of an account at a marketplace ({} where it has none), kept in memory for five minutes."""
    return _read(_sender_name(shop, _account(account)))


def put_account_secret(shop: str, account: str, secret: dict[str, str]) -> None:
    """Keep an account's credentials."""
    put_sender_secret(shop, _account(account), secret)


def drop_account_secret(shop: str, account: str) -> None:
    """Remove an account's credentials at once."""
    drop_sender_secret(shop, _account(account))


def _account(account: str) -> str:
    # No sender's id begins with `@`, so neither can be named as the other.
    return f"@account/{account}"


def link_key() -> bytes:
    """The key that signs public links."""
    return _read(resources.env("LINK_KEY"))["key"].encode()


def put_sender_secret(shop: str, sender: str, secret: dict[str, str]) -> None:
    """Keep a sender's credentials."""
    name, text = _sender_name(shop, sender), json.dumps(secret)
    client = _client()
    try:
        client.create_secret(Name=name, SecretString=text)
    except client.exceptions.ResourceExistsException:
        client.put_secret_value(SecretId=name, SecretString=text)
    _kept.pop(name, None)


def drop_sender_secret(shop: str, sender: str) -> None:
    """Remove a sender's credentials at once."""
    client = _client()
    name = _sender_name(shop, sender)
    _kept.pop(name, None)
    try:
        client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    except client.exceptions.ResourceNotFoundException:
        return


def forget() -> None:
    """Drop what is kept in memory."""
    _kept.clear()


def _read(name: str) -> dict[str, str]:
    at = resources.now().timestamp()
    kept = _kept.get(name)
    if kept and 0 <= at - kept[0] < KEPT_SECONDS:
        return kept[1]
    client = _client()
    try:
        value: dict[str, str] = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
    except client.exceptions.ResourceNotFoundException:
        value = {}
    _kept[name] = (at, value)
    return value


def _sender_name(shop: str, sender: str) -> str:
    return f"{resources.env('SECRETS_PREFIX')}{shop}/{sender}"


def _client() -> Any:
    return resources.client("secretsmanager")
