# SPDX-License-Identifier: EUPL-1.2
"""The long stories first: where several processes share the tests, nobody is left waiting for the last of them."""

import pytest

_LONG = ("/e2e/", "/commands/", "/transport/", "/storage/ledger/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by folder alone; the order within stays."""
    items.sort(key=lambda item: next((i for i, part in enumerate(_LONG) if part in item.path.as_posix()), len(_LONG)))
