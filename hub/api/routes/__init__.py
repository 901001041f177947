# SPDX-License-Identifier: EUPL-1.2
"""Operations, one module for each resource; each has a `router`, joined in `hub.api.app`."""
