# SPDX-License-Identifier: EUPL-1.2
"""What `cityhub` does, a module per command; the command line itself is `hub.cli`."""
