"""Prime factors and divisors of numbers as large as sizes are.

M. Rabin, *Probabilistic algorithm for testing primality*, 1980, with bases that decide it below 3.3e24 (J. Sorenson,
J. Webster, *Strong pseudoprimes to twelve prime bases*, 2017); J. Pollard, *A Monte Carlo method for factorization*,
1975, from fixed starts, so that each answer is the same every time.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd, prod

from dynconstraints.solver.limits import LISTED_FACTORS, MOST_FACTORED, RHO_STEPS

_BASES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)


@lru_cache(maxsize=1024)
def divisors(number: int) -> tuple[int, ...] | None:
    """The divisors of the number, of both signs, in order; None for 0, and where they were not all found."""
    number = abs(number)
    if not 0 < number <= MOST_FACTORED:
        return None
    primes = _primes(number)
    if primes is None or prod(count + 1 for count in primes.values()) > LISTED_FACTORS:
        return None
    found = [1]
    for prime, count in primes.items():
        found = [divisor * prime**power for divisor in found for power in range(count + 1)]
    found.sort()
    return (*(-divisor for divisor in reversed(found)), *found)


def _primes(number: int) -> dict[int, int] | None:
    """How often each prime divides the number."""
    counts: dict[int, int] = {}
    pending = [number]
    while pending:
        n = pending.pop()
        if n == 1:
            continue
        factor = n if _is_prime(n) else _factor(n)
        if factor is None:
            return None
        if factor == n:
            counts[n] = counts.get(n, 0) + 1
        else:
            pending.extend((factor, n // factor))
    return counts


def _is_prime(n: int) -> bool:
    for prime in _BASES:
        if n % prime == 0:
            return n == prime
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return n > 1 and all(_passes(n, base, odd, twos) for base in _BASES)


def _passes(n: int, base: int, odd: int, twos: int) -> bool:
    power = pow(base, odd, n)
    if power in (1, n - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % n
        if power == n - 1:
            return True
    return False


def _factor(n: int) -> int | None:
    """A factor of a number that is not prime, neither 1 nor itself; None where it is not found."""
    for prime in _BASES:
        if n % prime == 0:
            return prime
    for start in range(1, 8):
        slow = fast = 2
        for _ in range(RHO_STEPS):
            slow = (slow * slow + start) % n
            fast = (fast * fast + start) % n
            fast = (fast * fast + start) % n
            common = gcd(slow - fast, n)
            if common == n:
                break
            if common > 1:
                return common
    return None
