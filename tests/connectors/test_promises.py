# SPDX-License-Identifier: EUPL-1.2
"""Every connector keeps the promises that lie beside it as samples."""

from pathlib import Path

import pytest

import connectors
from hub.sdk import Sample, families, find_samples

ROOT = Path(connectors.__file__).parent
FAMILIES = families(connectors)
SAMPLES = [sample for name, item in FAMILIES.items() for sample in find_samples(item, ROOT / name / "samples")]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_decodes_to_what_stands_beside_it(sample: Sample) -> None:
    assert sample.problem() is None


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_a_readme_and_samples_of_both_kinds(family: str) -> None:
    folder = ROOT / family
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("# ")
    assert list(folder.rglob("*.out.json"))
    assert list(folder.rglob("*.err"))
