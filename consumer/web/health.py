"""Health and metrics over HTTP: /livez asks nobody, /readyz tells whether work can be done, /metrics for Prometheus."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consumer.observability.metrics import Metrics

LIVE_WITHIN_SECONDS = 60.0  # longer than any step of a loop between two beats
CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"


def health_app(
    *,
    beats: Callable[[], Mapping[str, float]],
    readiness: Callable[[], Awaitable[Mapping[str, str]]],
    metrics: Metrics,
    live_within_seconds: float = LIVE_WITHIN_SECONDS,
) -> Starlette:
    """Make the application.

    ``beats`` gives the seconds since each loop's last heartbeat; ``readiness`` gives, per part, an empty text where it
    is ready and a sentence where it is not.
    """

    async def livez(_: Request) -> Response:
        late = {name: round(age, 1) for name, age in beats().items() if age > live_within_seconds}
        return JSONResponse({"alive": not late, "stuck": late}, status_code=503 if late else 200)

    async def readyz(_: Request) -> Response:
        missing = {name: text for name, text in (await readiness()).items() if text}
        return JSONResponse({"ready": not missing, "missing": missing}, status_code=503 if missing else 200)

    async def show_metrics(_: Request) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return Starlette(
        routes=[
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/metrics", show_metrics),
        ]
    )
