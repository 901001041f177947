# SPDX-License-Identifier: EUPL-1.2
"""Grafana dashboards as code: Python builds them, the JSON they make is committed, a test keeps both equal."""
