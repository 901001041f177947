# SPDX-License-Identifier: EUPL-1.2
"""What goes over the line, as pydantic models: the OpenAPI document is made of them, tests hold answers against them.

Every model carries one example, which has to validate against it.
"""
