"""What an answer means: pure functions from a response, or from none, to its JSON or to one of our errors.

No message holds a payload or a secret: an endpoint's template, a status and, for a call that the service
did not understand, its own short message with our secrets masked.
"""

from __future__ import annotations

from typing import Any, Final

import httpx

from permmigrate.cloudinary.credentials import KeyPair
from permmigrate.errors import (
    AbsentError,
    CredentialsError,
    DeniedError,
    MalformedAnswerError,
    ServiceError,
    ThrottledError,
    UnreachableError,
)
from permmigrate.snapshot import jsontext

THROTTLED: Final = (420, 429)
_NOT_IMPLEMENTED: Final = 501


def worth_repeating(status: int) -> bool:
    """Whether the same read may be answered otherwise a little later."""
    return status in THROTTLED or (status >= 500 and status != _NOT_IMPLEMENTED)


def content(endpoint: str, response: httpx.Response, key: KeyPair | None, secrets: tuple[str, ...]) -> Any:
    """The JSON of a 200. Raises the ServiceError that fits anything else."""
    if response.status_code != 200:
        raise refusal(endpoint, response.status_code, told(response, secrets), key)
    try:
        return jsontext.read(response.content)
    except (ValueError, RecursionError):
        raise MalformedAnswerError(
            f"`{endpoint}` did not answer with JSON",
            hint="check `--api-url`; a proxy or a login page may be answering in its place",
            status=response.status_code,
        ) from None


def refusal(endpoint: str, status: int, message: str, key: KeyPair | None) -> ServiceError:
    """The error for an answer that is not 200 and that repeating would not change; `message` is `told`."""
    if status == 401 and key:
        return CredentialsError(
            f"the service did not accept `{key.source}` for `{endpoint}` (401)",
            hint="check the key, the secret and what they belong to",
            status=status,
        )
    if status in (401, 403):
        who = f"the key of `{key.source}`" if key else "a caller without a key"
        return DeniedError(
            f"{who} may not call `{endpoint}` ({status})",
            hint="give the key a role that covers it" if key else "it should be public: check `--api-url`",
            status=status,
        )
    if status == 404:
        return AbsentError(
            f"`{endpoint}` found nothing (404)",
            hint="it does not exist, or the account's plan does not have it",
            status=status,
        )
    if 300 <= status < 400:
        return MalformedAnswerError(
            f"`{endpoint}` points to another address ({status}), which is not followed",
            hint="give the final address with `--api-url`",
            status=status,
        )
    return ServiceError(
        f"`{endpoint}` was answered with {status}{message and f': {message}'}",
        hint="the service did not understand the call as it is",
        status=status,
    )


def given_up(
    endpoint: str, outcome: httpx.Response | httpx.RequestError, attempts: int, asked: float | None
) -> ServiceError:
    """The error for a call that was repeated as long as patience held; `asked` is the last Retry-After."""
    tries = "once" if attempts == 1 else f"{attempts} times"
    if isinstance(outcome, httpx.RequestError):
        return UnreachableError(
            f"no answer from `{outcome.request.url.netloc.decode()}` to `{endpoint}`, "
            f"tried {tries}: {_why(outcome)}",
            hint="check the network, the proxy variables and `--api-url`",
        )
    status = outcome.status_code
    if status in THROTTLED:
        wait = f"; the service asks to wait {asked:.0f} seconds" if asked else ""
        return ThrottledError(
            f"`{endpoint}` is limited by the account's call rate ({status}), tried {tries}{wait}",
            hint="try again later, or with fewer `--workers`",
            status=status,
        )
    return ServiceError(
        f"`{endpoint}` failed on the service's side ({status}), tried {tries}",
        hint="try again later",
        status=status,
    )


def told(response: httpx.Response, secrets: tuple[str, ...]) -> str:
    """The service's own short message, with our secrets masked, or nothing."""
    try:
        message = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    text = "".join(c if c.isprintable() else " " for c in str(message))
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***") if secret else text
    return text[:200]


def _why(error: httpx.RequestError) -> str:
    match error:
        case httpx.ConnectTimeout():
            return "the connection took too long"
        case httpx.TimeoutException():
            return "it took too long"
        case httpx.ProxyError():
            return "the proxy refused"
        case httpx.ConnectError() if "CERTIFICATE" in str(error).upper():
            return "the certificate is not trusted"
        case httpx.ConnectError():
            return "the connection could not be made"
        case _:
            return "the connection was lost"
