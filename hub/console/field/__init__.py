# SPDX-License-Identifier: EUPL-1.2
"""Field pages: what a technician does with a phone. Plain forms that work without scripts."""
