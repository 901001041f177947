# SPDX-License-Identifier: EUPL-1.2
"""`/metrics`, beside the prefix of the API, where Prometheus looks for it."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from hub.api.auth import ServicesDep, reads
from hub.api.metrics import render
from hub.api.probe import probe

router = APIRouter(tags=["operation"])

TEXT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Prometheus text, or OpenMetrics where Accept prefers it.",
        "content": {
            "text/plain": {
                "schema": {"type": "string"},
                "example": 'cityhub_deliveries{connector="native",outcome="decoded"} 5120.0\n',
            }
        },
    }
}


@router.get("/metrics", dependencies=[Depends(reads)], response_class=Response, responses=TEXT, summary="Metrics")
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Counters, gauges and the state of every part for Prometheus, read from journals and ledger at each scrape."""
    parts = await probe(services.health, services.check_seconds)
    accept = request.headers.get("accept", "")
    body, media_type = await run_in_threadpool(render, services, parts, accept)
    return Response(body, headers={"Content-Type": media_type})
