"""Health and metrics over HTTP: /livez asks nobody, /readyz tells whether work can be done, /metrics for Prometheus."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consumer.observability.figures_metrics import FiguresMetrics

# Longer than any step of a loop between two beats: a peer that answers nothing holds one for the 70 seconds of a
# statement's end, and a restart would not make the peer answer.
LIVE_WITHIN_SECONDS = 180.0
LAG_SECONDS_MAX = 5.0
CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"


def health_app(
    *,
    beats: Callable[[], Mapping[str, float]],
    readiness: Callable[[], Awaitable[Mapping[str, str]]],
    metrics: FiguresMetrics,
    lag_seconds: Callable[[], float] = lambda: 0.0,
    live_within_seconds: float = LIVE_WITHIN_SECONDS,
) -> Starlette:
    """Make the application.

    ``beats`` gives the seconds since each loop's last heartbeat; ``lag_seconds`` how late the event loop itself came
    round lately; ``readiness`` gives, per part, an empty text where it is ready and a sentence where it is not.
    """

    async def livez(_: Request) -> Response:
        late = {name: round(age, 1) for name, age in beats().items() if age > live_within_seconds}
        if (lag := lag_seconds()) > LAG_SECONDS_MAX:
            late["event loop"] = round(lag, 1)
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
