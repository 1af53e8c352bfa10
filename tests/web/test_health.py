"""Health over HTTP: alive is said by the loops alone, ready by what they need."""

from collections.abc import Mapping

import httpx
import pytest
from prometheus_client import CONTENT_TYPE_LATEST

from consumer.observability.metrics import Metrics
from consumer.web.health import health_app
from consumer.web.server import HttpServer


async def get(
    path: str, beats: Mapping[str, float], readiness: Mapping[str, str], *, lag: float = 0.0
) -> httpx.Response:
    """Ask the application, without a network."""
    asked: list[str] = []

    async def ready() -> Mapping[str, str]:
        asked.append(path)
        return readiness

    app = health_app(beats=lambda: beats, readiness=ready, metrics=Metrics(), lag_seconds=lambda: lag)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://health") as client:
        answer = await client.get(path)
    assert asked == ([path] if path == "/readyz" else []), "only readiness asks anybody"
    return answer


async def test_it_is_alive_while_every_loop_comes_round() -> None:
    """Also when nothing is ready: a restart would not bring the database back."""
    answer = await get("/livez", {"sync.leasing": 2.0, "intake.taking": 179.0}, {"database": "away"})
    assert (answer.status_code, answer.json()) == (200, {"alive": True, "stuck": {}})


async def test_a_loop_that_is_stuck_is_named() -> None:
    """With its age."""
    answer = await get("/livez", {"sync.leasing": 181.26, "intake.taking": 1.0}, {})
    assert (answer.status_code, answer.json()) == (503, {"alive": False, "stuck": {"sync.leasing": 181.3}})


async def test_a_loop_that_waits_for_a_slow_peer_is_alive() -> None:
    """A statement without an answer ends after 60 s, and its connection 10 s later: no restart would help."""
    answer = await get("/livez", {"intake.writer": 75.0}, {"database": "away"})
    assert answer.status_code == 200


@pytest.mark.parametrize(("lag", "status"), [(0.0, 200), (5.0, 200), (5.1, 503)])
async def test_an_event_loop_that_stood_still_is_not_alive(lag: float, status: int) -> None:
    """Above five seconds; it is named among what is stuck."""
    answer = await get("/livez", {}, {}, lag=lag)
    assert answer.status_code == status
    assert answer.json()["stuck"] == ({"event loop": lag} if status == 503 else {})


async def test_it_is_ready_when_nothing_is_missing() -> None:
    """Parts that answer with an empty text are ready."""
    answer = await get("/readyz", {}, {"database": "", "intake": ""})
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "missing": {}})


async def test_what_is_missing_is_said_in_words() -> None:
    """By part."""
    answer = await get("/readyz", {}, {"database": "it does not answer", "intake": ""})
    assert (answer.status_code, answer.json()["missing"]) == (503, {"database": "it does not answer"})


async def test_metrics_are_served_in_the_form_that_is_announced() -> None:
    """The type of the content is that of the client library that writes it."""
    answer = await get("/metrics", {}, {})
    assert (answer.status_code, answer.headers["content-type"]) == (200, CONTENT_TYPE_LATEST)
    assert "# TYPE booked_bookings_total counter" in answer.text


async def test_the_server_answers_on_a_free_port_and_frees_it() -> None:
    """Port 0 takes a free one; after the stop it can be taken again."""

    async def ready() -> Mapping[str, str]:
        return {}

    server = HttpServer(health_app(beats=dict, readiness=ready, metrics=Metrics()), host="127.0.0.1", port=0)
    await server.start()
    host, port = server.address
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"http://{host}:{port}/livez")).status_code == 200
    await server.stop(5.0)
    again = HttpServer(health_app(beats=dict, readiness=ready, metrics=Metrics()), host=host, port=port)
    await again.start()
    await again.stop(5.0)
