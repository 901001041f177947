# SPDX-License-Identifier: EUPL-1.2
"""A package of its own: a dependency installs another one called `tests`, which would be found instead."""
