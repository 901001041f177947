# SPDX-License-Identifier: EUPL-1.2
"""A 64-bit digest of each result, made on the arrays: what is stored is compared by it, without making objects.

The digest covers everything that `hub.indicators.results.materialise` makes a value from: every matrix of `Results`,
of the cells behind it and of its details, the values of the places below, and the definition's fields that turn them
into words. It covers more than that (figures that are rounded on their way into words, cells of unused inputs), which
costs nothing but a full comparison now and then. Status is left out: provisional and final results are the same result.

Each figure's 64 bits are mixed into the state by xor, multiplication by an odd constant and a shifted xor. Each of the
three is a bijection, so results that differ in a single figure never have the same digest; those that differ in
several do with a chance of about 2^-64. A hub that compares a billion results a day meets one such in some 50 million
years. NaN is one bit pattern, and -0.0 is 0.0. `DIGEST_VERSION` is part of it: whoever changes what a result says
without changing its figures raises it.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
from msgspec import json

from hub.indicators.aggregation import Ints
from hub.indicators.combine import Results
from hub.indicators.definition import Definition
from hub.indicators.inputs import Values

DIGEST_VERSION = 1

Words = npt.NDArray[np.uint64]
_ODD = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(32)
_NAN = np.uint64(0x7FF8000000000000)


def digests(r: Results, units: Mapping[str, str]) -> Ints:
    """Digest of each (place, window) of the results."""
    state = np.full(r.value.shape, _seed(r.definition, units), dtype=np.uint64)
    for matrix in _matrices(r, r.value.shape):
        _mix(state, _words(matrix))
    for name in sorted(r.below):
        _mix(state, _below(r, r.below[name]))
    return state.view(np.int64)


def _seed(d: Definition, units: Mapping[str, str]) -> np.uint64:
    """What turns figures into words: the fields that a value or its reason quotes."""
    named = [DIGEST_VERSION, d.id, d.version, d.unit, d.window, d.step, d.capture, d.spatial, d.formula, d.inputs]
    return _hash(json.encode([*named, dict(units)]))


def _hash(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(blake2b(text, digest_size=8).digest(), "little"))


def _matrices(found: object, shape: tuple[int, ...]) -> Iterator[npt.NDArray[np.generic]]:
    """All matrices of one figure a window, however deep, in a fixed order; profiles are told by what became of them."""
    if isinstance(found, np.ndarray):
        if found.shape == shape:
            yield found
    elif isinstance(found, Mapping):
        for name in sorted(found):
            yield from _matrices(found[name], shape)
    elif isinstance(found, tuple) and hasattr(found, "_fields"):
        for part in found:
            yield from _matrices(part, shape)


def _words(matrix: npt.NDArray[np.generic]) -> Words:
    if matrix.dtype != np.float64:
        return np.asarray(matrix, dtype=np.int64).view(np.uint64)
    figures = np.asarray(matrix, dtype=np.float64) + 0.0  # -0.0 + 0.0 is 0.0
    return np.where(np.isnan(figures), _NAN, figures.view(np.uint64))


def _mix(state: Words, words: Words) -> None:
    """In place, since states are large."""
    state ^= words
    state *= _ODD
    state ^= state >> _SHIFT


def _below(r: Results, values: Values) -> Words:
    """Sum over the places below of a hash of place and figure, so that their order does not matter."""
    shape = r.value.shape
    position = {place: p for p, place in enumerate(r.places)}
    total = np.zeros(shape[0] * shape[1], dtype=np.uint64)
    names = np.array([_hash(place.encode()) for place in values.places], dtype=np.uint64)
    at = np.searchsorted(r.windows, values.start, side="right") - 1
    inside = (at >= 0) & (at < shape[1])
    words = names[values.place] if len(names) else np.empty(0, np.uint64)
    _mix(words, _words(values.value))
    _mix(words, _ODD * np.ones(len(words), np.uint64))
    for above, p in position.items():
        under = np.array([n == above or n.startswith(above + "/") for n in values.places], dtype=np.bool_)
        use = inside & (under[values.place] if len(names) else inside)
        order = np.argsort(at[use], kind="stable")
        cells, first = np.unique(at[use][order], return_index=True)
        if len(cells):
            total[p * shape[1] + cells] = np.add.reduceat(words[use][order], first)
    return total.reshape(shape)
