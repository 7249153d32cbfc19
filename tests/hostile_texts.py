"""Texts that are no constraints and large ones, and how soon each is answered."""

MEGABYTE, SECONDS = 1_000_000, 1.0

REFUSED = {
    "parentheses": "(" * MEGABYTE,
    "negations": "not " * (MEGABYTE // 4),
    "signs": "-" * MEGABYTE,
    "sums": "a+" * (MEGABYTE // 2),
    "tower": "2**10**9 == a",
    "digits": "a == " + "9" * 100_000,
    "nul": "s0 > 0\0",
}


def large(many: int) -> dict[str, str]:
    """Constraints over so many names: names apart, and in one chain."""
    names = range(many)
    return {"names": " and ".join(f"n{i} > {i}" for i in names), "chain": " <= ".join(f"n{i}" for i in names)}
