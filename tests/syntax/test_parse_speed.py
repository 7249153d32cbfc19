"""How long parsing takes."""

import gc
import statistics
import time
import timeit

from dynconstraints.syntax.parser import parse
from dynconstraints.syntax.reader import read_formula


def conjunction(length: int) -> str:
    """A conjunction of about ``length`` characters."""
    return " and ".join(f"n{i:05d} > 1{i:05d}" for i in range(length // 22))


def seconds(text: str) -> float:
    """Processor time to read the text for the first time.

    Without the garbage collector, as ``timeit`` does: what it walks is the heap of all tests that ran before.
    """
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        read_formula(text)
        return time.process_time() - start
    finally:
        gc.enable()


def test_a_short_text_takes_under_250_microseconds_the_first_time():
    """From text to constraint, with the parser warm."""
    parse("a > 1")
    spent = []
    for index in range(400):
        text = f"s{index} % 32 == 0"
        start = time.perf_counter()
        parse(text)
        spent.append(time.perf_counter() - start)
    assert min(spent) < 250e-6


def test_a_text_seen_before_takes_under_5_microseconds():
    """With a source and a constraint of its own."""
    parse("s0 % 32 == 0")
    assert min(timeit.repeat(lambda: parse("s0 % 32 == 0"), number=500, repeat=40)) / 500 < 5e-6


def test_the_time_is_linear_in_the_length():
    """Ten times the text, at most fifteen times the time, up to 100,000 characters."""
    read_formula("a > 1")
    short, long = conjunction(10_000), conjunction(100_000)
    # Side by side, since the processor's own speed changes by half within a test.
    ratios = [seconds(long) / seconds(short) for _ in range(9)]
    assert statistics.median(ratios) < 15


def test_benchmark_of_a_short_text(benchmark):
    """For the record; run with --benchmark-enable."""
    benchmark(read_formula, "s0 % 32 == 0")
