# SPDX-License-Identifier: EUPL-1.2
"""Strategies of a city and how far they are fulfilled."""
