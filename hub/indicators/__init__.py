# SPDX-License-Identifier: EUPL-1.2
"""Indicators: definitions as data, pure columnar formulas, and the engine that keeps their values true.

    definition, catalogue   YAML -> frozen definitions, checked as a whole, in the order of their graph
    rounding, aggregation,  pure array functions
    formulas
    steps, cells, combine   the kernel: columns of readings -> steps -> inputs per window -> results
    revision                what becomes of a result: provisional, final, revision, nothing
    plan, engine            which windows are dirty, and the shell that reads, computes and commits them
    frozen                  which of them are past retention and stay as they are
    projector               the change feed -> sinks;  representation: one value as public JSON
    table, evaluate         the same kernel on a table, for people and tests

Live work, recompute and `evaluate` go through the one kernel, so they cannot disagree.
"""
