# SPDX-License-Identifier: EUPL-1.2
"""Publish one message, to try a connector or to see what becomes of garbage."""

import os

import uvloop

from hub.app import Parts
from hub.core.delivery import Publication
from hub.core.errors import Invalid
from hub.settings import Settings


def publish_one(settings: Settings, topic: str, payload: bytes) -> None:
    """Publish with QoS 1 and say that the broker has confirmed it."""
    if not topic or any(sign in topic for sign in "+#\0"):
        raise Invalid(f"{topic!r} is no topic to publish to: it must not be empty or hold + or #", "TOPIC")
    parts = Parts(settings)
    if not parts.data.root.is_dir():
        raise Invalid(f"{parts.data.root} does not exist: name the hub's directory with --data", "--data")
    uvloop.run(_publish(parts, Publication(topic, payload)))
    print(f"the broker has confirmed {len(payload)} bytes on {topic}")


async def _publish(parts: Parts, message: Publication) -> None:
    publisher = parts.publisher(f"publish-{os.getpid()}")
    try:
        await publisher.publish([message])
    finally:
        await publisher.close()
