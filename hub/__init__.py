# SPDX-License-Identifier: EUPL-1.2
"""cityhub: an event-driven sensor and IoT hub for cities."""

__version__ = "0.2.0"
