"""One call: what is repeated, for how long, and which error each failure becomes."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from permmigrate.cloudinary.credentials import KeyPair
from permmigrate.cloudinary.questions import Questions
from permmigrate.cloudinary.session import Patience, Session, Timing
from permmigrate.cloudinary.transport import open_client
from permmigrate.errors import (
    AbsentError,
    CredentialsError,
    DeniedError,
    ExitCode,
    MalformedAnswerError,
    ServiceError,
    ThrottledError,
    UnreachableError,
)

API = "https://api.example.com"
ENDPOINT = "GET /v1_1/things"
KEY = KeyPair("key", "s3cr3t-canary", "CLOUDINARY_ACCOUNT_URL")
NOW = datetime.datetime(2026, 11, 22, 8, 0, tzinfo=datetime.UTC)


@dataclass
class Clock:
    """A clock that moves only when someone sleeps."""

    time: float = 0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def timing(self) -> Timing:
        return Timing(clock=lambda: self.time, sleep=self.sleep, now=lambda: NOW, chance=lambda: 0.5)


Answer = httpx.Response | Exception


def session(answers: Iterator[Answer], clock: Clock, **patience: float) -> Session:
    def answer(request: httpx.Request) -> httpx.Response:
        given = next(answers)
        if isinstance(given, Exception):
            raise given
        return given

    client = open_client(API, inner=httpx.MockTransport(answer))
    return Session(
        client,
        secrets=("s3cr3t-canary",),
        patience=Patience(**patience),  # type: ignore[arg-type]
        timing=clock.timing(),
    )


def forever(make: Callable[[], Answer]) -> Iterator[Answer]:
    while True:
        yield make()


def good() -> httpx.Response:
    return httpx.Response(200, json={"ok": True})


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(420),
        httpx.Response(429),
        httpx.Response(500),
        httpx.Response(503),
        httpx.ConnectError("x"),
        httpx.ReadTimeout("x"),
        httpx.RemoteProtocolError("x"),
    ],
)
def test_a_read_is_repeated(failure: Answer) -> None:
    """Limits, the service's own failures and lost connections are tried again."""
    clock = Clock()

    answer = session(iter([failure, good()]), clock).read(ENDPOINT, key=KEY)

    assert answer.flag("ok", False)
    assert len(clock.slept) == 1


def test_pauses_grow_and_are_bounded() -> None:
    """Without a Retry-After pauses double up to the cap, each by chance somewhere below it."""
    clock = Clock()

    with pytest.raises(ServiceError, match="tried 6 times"):
        session(forever(lambda: httpx.Response(500)), clock, base=1, cap=5).read(ENDPOINT)

    assert clock.slept == [0.5, 1, 2, 2.5, 2.5]


def test_retry_after_seconds_are_honoured() -> None:
    """The service's own number of seconds is waited at least."""
    clock = Clock()

    session(iter([httpx.Response(429, headers={"Retry-After": "7"}), good()]), clock).read(ENDPOINT)

    assert 7 <= sum(clock.slept) <= 8


def test_retry_after_date_is_honoured() -> None:
    """A Retry-After may be a date."""
    clock = Clock()
    later = httpx.Response(503, headers={"Retry-After": "Sun, 22 Nov 2026 08:00:20 GMT"})

    session(iter([later, good()]), clock).read(ENDPOINT)

    assert 20 <= sum(clock.slept) <= 21


def test_a_senseless_retry_after_is_ignored() -> None:
    """What is neither a number nor a date does not stop us."""
    clock = Clock()

    session(iter([httpx.Response(429, headers={"Retry-After": "soon"}), good()]), clock).read(ENDPOINT)

    assert sum(clock.slept) < 1


def test_patience_ends_before_a_pause_that_is_too_long() -> None:
    """An hour's Retry-After is not slept through: the error says how long the service wants."""
    clock = Clock()
    limited = forever(lambda: httpx.Response(420, headers={"Retry-After": "3600"}))

    with pytest.raises(ThrottledError, match="asks to wait 3600 seconds") as caught:
        session(limited, clock).read(ENDPOINT)

    assert clock.slept == []
    assert caught.value.status == 420


def test_total_time_is_bounded() -> None:
    """Attempts end when their time is up, however many were left."""
    clock = Clock()

    with pytest.raises(ServiceError):
        session(forever(lambda: httpx.Response(500)), clock, attempts=1000, seconds=60).read(ENDPOINT)

    assert clock.time <= 60


def test_one_limit_holds_every_thread_back() -> None:
    """A Retry-After given to one call is waited for by the next one too."""
    clock = Clock()
    answers = iter([httpx.Response(429, headers={"Retry-After": "30"}), good(), good()])
    one = session(answers, clock)
    one.read(ENDPOINT)
    clock.time -= 10

    one.read(ENDPOINT)

    assert 10 <= clock.slept[-1] <= 11


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, CredentialsError),
        (403, DeniedError),
        (404, AbsentError),
        (420, ThrottledError),
        (429, ThrottledError),
        (302, MalformedAnswerError),
        (204, ServiceError),
        (400, ServiceError),
        (409, ServiceError),
        (500, ServiceError),
    ],
)
def test_every_status_has_its_error(status: int, kind: type[ServiceError]) -> None:
    """Each status becomes one class with a message, a hint, the status and exit code 4."""
    with pytest.raises(ServiceError) as caught:
        session(forever(lambda: httpx.Response(status, text="secret payload")), Clock()).read(
            ENDPOINT, key=KEY
        )

    error = caught.value
    assert kind is type(error)
    assert (status, ExitCode.SERVICE) == (error.status, error.exit_code)
    assert ENDPOINT in error.message
    assert error.hint
    assert "secret payload" not in f"{error} {error.hint}"


def test_a_refused_caller_without_key_is_not_a_matter_of_credentials() -> None:
    """A public endpoint that answers 401 is denied: no credentials were sent."""
    with pytest.raises(DeniedError):
        session(iter([httpx.Response(401)]), Clock()).read(ENDPOINT)


def walk(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for child in kind.__subclasses__():
        yield from walk(child)


@pytest.mark.parametrize("kind", sorted(set(walk(httpx.RequestError)), key=lambda kind: kind.__name__))
def test_no_exception_of_httpx_gets_out(kind: type[Exception]) -> None:
    """Whatever httpx raises for a request becomes a ServiceError without httpx's words."""
    with pytest.raises(ServiceError) as caught:
        session(forever(lambda: kind("s3cr3t-canary")), Clock()).read(ENDPOINT)

    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe", b"[" * 100_000, b"{} {}"])
def test_not_json_is_malformed(body: bytes) -> None:
    """A login page, an empty body or nonsense is malformed, with a hint about the address."""
    with pytest.raises(MalformedAnswerError) as caught:
        session(iter([httpx.Response(200, content=body)]), Clock()).read(ENDPOINT)

    assert "--api-url" in caught.value.hint


def test_a_body_that_cannot_be_decoded_is_malformed() -> None:
    """A broken content encoding is the answer's fault, not the network's."""
    broken = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip"))

    with pytest.raises(MalformedAnswerError):
        session(iter([broken]), Clock()).read(ENDPOINT)


def test_the_services_message_is_shown_without_our_secrets() -> None:
    """A 400 shows the service's short message, and masks a secret that it repeats."""
    body = {"error": {"message": "bad s3cr3t-canary\nvalue"}}

    with pytest.raises(ServiceError, match=r"400: bad \*\*\* value"):
        session(iter([httpx.Response(400, json=body)]), Clock()).read(ENDPOINT, key=KEY)


def test_credentials_travel_in_the_header_only() -> None:
    """With a key the header carries it; without one there is no header; the address never has it."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return good()

    one = Session(open_client(API, inner=httpx.MockTransport(answer)))
    one.read(ENDPOINT, key=KEY)
    one.read(ENDPOINT)

    assert [KEY.authorization(), None] == [request.headers.get("Authorization") for request in seen]
    assert all("canary" not in str(request.url) for request in seen)


def test_values_stay_inside_their_segment() -> None:
    """An id with slashes or dots cannot reach another endpoint; a folder's path keeps its slashes."""
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        return good()

    one = Session(open_client(API, inner=httpx.MockTransport(answer)))
    one.read("GET /v1/{user_id}/groups", {"user_id": "../a/b?c#d"})
    one.read("GET /v1/{cloud_name}/folders/{folder}", {"cloud_name": "c", "folder": "A b/ü/100%?"})

    assert seen == [b"/v1/..%2Fa%2Fb%3Fc%23d/groups", b"/v1/c/folders/A%20b/%C3%BC/100%25%3F"]


def page(cursor: str | None) -> httpx.Response:
    return httpx.Response(200, json={"next_cursor": cursor} if cursor else {})


def test_pages_follow_the_cursor() -> None:
    """Pages are asked for until an answer has no cursor."""
    asked: list[str | None] = []
    cursors = iter(["a", "b", None])

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("cursor"))
        return page(next(cursors))

    one = Questions(Session(open_client(API, inner=httpx.MockTransport(answer))))

    assert len(list(one.pages(ENDPOINT))) == 3
    assert asked == [None, "a", "b"]


def test_a_repeated_cursor_is_refused() -> None:
    """Pages that would never end are an error."""
    with pytest.raises(MalformedAnswerError, match="repeats a cursor"):
        list(Questions(session(iter([page("a"), page("b"), page("a")]), Clock())).pages(ENDPOINT))


def test_a_service_that_is_gone_is_not_waited_for_again_and_again() -> None:
    """When the very first call got no answer, the second fails at once."""
    clock = Clock()
    one = session(forever(lambda: httpx.ConnectError("x")), clock)
    with pytest.raises(UnreachableError):
        one.read(ENDPOINT)
    calls, slept = one.calls, len(clock.slept)

    with pytest.raises(UnreachableError, match="was not called"):
        one.read(ENDPOINT)

    assert (calls, slept) == (one.calls, len(clock.slept))


def test_five_calls_without_an_answer_end_it() -> None:
    """Once the service had answered, five calls in a row may fail before the rest fails at once."""
    answers: list[Answer] = [good(), *[httpx.ConnectError("x")] * 10]
    one = session(iter(answers), Clock(), attempts=2)
    one.read(ENDPOINT)
    for _ in range(5):
        with pytest.raises(UnreachableError, match="no answer"):
            one.read(ENDPOINT)

    with pytest.raises(UnreachableError, match="was not called"):
        one.read(ENDPOINT)


def test_a_closed_session_sends_nothing() -> None:
    """After closing, whatever is still queued fails at once."""
    one = session(iter([]), Clock())
    one.close()

    with pytest.raises(UnreachableError, match="is closed"):
        one.read(ENDPOINT)

    assert one.calls == 0
