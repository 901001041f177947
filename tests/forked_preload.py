# SPDX-License-Identifier: EUPL-1.2
"""What the server of forks imports once: all commands. Nobody else imports this."""

import pkgutil
from importlib import import_module

import hub.cli
import hub.commands
import tests.commands.taking

__all__ = ["hub", "tests"]

for _module in pkgutil.iter_modules(hub.commands.__path__, "hub.commands."):
    import_module(_module.name)
