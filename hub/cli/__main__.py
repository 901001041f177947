# SPDX-License-Identifier: EUPL-1.2
"""`python -m hub.cli`, as the supervisor starts the hub's processes."""

from hub.cli import main

main()
