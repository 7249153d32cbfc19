"""The integer lattice against brute force over small boxes."""

import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynconstraints.facts.domains.linear_equalities import Affine, Contradiction, Lattice, Row, affine_of, linear_facts
from dynconstraints.ir.nodes import Bool, Compare
from dynconstraints.syntax.parser import parse

NAMES = ("a", "b", "c")
BOX = range(-6, 7)


def lattice_of(*texts, names=()):
    facts = [linear_facts(parse(text).formula) for text in texts]
    return Lattice.of(names, [e for f in facts for e in f.equalities], [c for f in facts for c in f.congruences])


def parametrised(order, *texts):
    lattice = lattice_of(*texts)
    assert isinstance(lattice, Lattice)
    return lattice.parametrise(order)


affines = st.builds(
    Affine.of, st.integers(-6, 6), st.dictionaries(st.sampled_from(NAMES), st.integers(-4, 4), max_size=3)
)
systems = st.tuples(
    st.lists(affines, max_size=2), st.lists(st.tuples(affines, st.integers(2, 7) | st.integers(-5, -2)), max_size=3)
)


def holds(system, values):
    equalities, congruences = system
    return all(a.evaluate(values) == 0 for a in equalities) and all(a.evaluate(values) % m == 0 for a, m in congruences)


def points():
    return (dict(zip(NAMES, values, strict=True)) for values in product(BOX, repeat=3))


def test_a_relation_leaves_one_parameter_in_either_order():
    """`s0 % 32 == 0, s1 == 2*s0`: the second name brings no parameter."""
    texts = ("s0 % 32 == 0", "s1 == 2*s0")
    assert parametrised(("s0", "s1"), *texts) == (Row("s0", 0, (), 32), Row("s1", 0, (("s0", 64),), 0))
    assert parametrised(("s1", "s0"), *texts) == (Row("s1", 0, (), 64), Row("s0", 0, (("s1", 32),), 0))


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("n % 4 == 3", Row("n", 3, (), 4)),
        ("n % -4 == -1", Row("n", 3, (), 4)),
        ("divides(6, n)", Row("n", 0, (), 6)),
        ("n // 8 * 8 == n", Row("n", 0, (), 8)),
        ("n == align_up(n, 8)", Row("n", 0, (), 8)),
        ("n in range(5, 50, 10)", Row("n", 5, (), 10)),
        ("n in {3, 9, 27}", Row("n", 3, (), 6)),
        ("2*n % 8 == 6", Row("n", 3, (), 4)),
        ("not n % 4 != 3", Row("n", 3, (), 4)),
        ("n == 7", Row("n", 7, (), 0)),
        ("n % 4 == 3 and n % 6 == 5", Row("n", 11, (), 12)),
        ("n % 1 == 0", Row("n", 0, (), 1)),
        ("n % 4 != 3", Row("n", 0, (), 1)),
    ],
)
def test_each_way_of_writing_a_congruence_is_read(text, row):
    """The row of one name under one constraint."""
    assert parametrised(("n",), text) == (row,)


@pytest.mark.parametrize(
    "text", ["n % 4 == 4", "n % -4 == 1", "2*n == 3", "n % 4 == 1 and n % 6 == 0", "2*(n % 4) == 3", "false"]
)
def test_contradictions_are_found(text):
    """No lattice where nothing satisfies the equalities and congruences."""
    assert isinstance(lattice_of(text), Contradiction)


def test_a_remainder_equal_to_a_name_is_a_congruence():
    """`n % 16 == m % 16` ties residues, and `n % 4 == m` too."""
    assert parametrised(("n", "m"), "n % 16 == m % 16")[1] == Row("m", 0, (("n", 1),), 16)
    assert parametrised(("n", "m"), "n % 4 == m")[1] == Row("m", 0, (("n", 1),), 4)


def test_affine_of_reads_linear_terms_only():
    """Division that cancels is linear, an undefined term never is."""

    def read(text):
        comparison = parse(f"{text} == 0").formula
        assert isinstance(comparison, Compare)
        return affine_of(comparison.operands[0])

    assert read("2*(a - 3*b) + 7 - a") == Affine(7, (("a", 1), ("b", -6)))
    assert read("a // 2 * 2 + a % 2") == Affine.name("a")
    assert read("a*b") is None
    assert read("0*(1 // a)") is None
    assert read("1 // a - 1 // a") is None
    assert linear_facts(Bool(True)).equalities == ()


@given(systems)
def test_the_lattice_is_the_set_of_solutions(system):
    """Within a box, exactly the solutions are in it; a contradiction has none."""
    lattice = Lattice.of(NAMES, *system)
    for values in points():
        assert holds(system, values) == (isinstance(lattice, Lattice) and lattice.contains(values))


@given(systems, st.permutations(NAMES), st.integers(0, 3))
def test_rows_of_a_prefix_do_not_depend_on_what_follows(system, order, length):
    """The projection onto the first names is given by their rows."""
    lattice = Lattice.of(NAMES, *system)
    if isinstance(lattice, Lattice):
        assert lattice.parametrise(order)[:length] == lattice.parametrise(order[:length])


@given(systems, st.permutations(NAMES))
def test_rows_depend_on_the_solutions_alone(system, order):
    """The form is canonical: facts in any order give the same rows, with coefficients in their ranges."""
    equalities, congruences = system
    lattice = Lattice.of(NAMES, equalities, congruences)
    other = Lattice.of(NAMES[::-1], equalities[::-1], [(a * -1, -m) for a, m in congruences[::-1]])
    if isinstance(lattice, Lattice):
        assert isinstance(other, Lattice)
        rows = lattice.parametrise(order)
        assert rows == other.parametrise(order)
        for row in rows:
            parts = (row.constant, *(c for _, c in row.coefficients))
            assert not row.divisor or all(0 <= part < row.divisor for part in parts)


@given(systems, affines)
def test_the_congruence_of_a_form_is_exact(system, affine):
    """It divides the difference to every solution, and is the gcd of the parameters' steps."""
    lattice = Lattice.of(NAMES, *system)
    if isinstance(lattice, Contradiction):
        return
    modulus, remainder = lattice.congruence_of(affine)
    for values in points():
        if holds(system, values):
            value = affine.evaluate(values)
            assert value % modulus == remainder if modulus else value == remainder
    rows = {row.name: row.affine for row in lattice.parametrise(NAMES)}
    form = sum((rows[name] * weight for name, weight in affine.coefficients), Affine(affine.constant))
    assert form.content == modulus


def test_numbers_beyond_64_bits_are_exact():
    """Moduli and constants of any size."""
    (row,) = parametrised(("n",), f"n % {2**80} == {2**70 + 1}", f"n % {3**50} == 5")
    assert row.divisor == 2**80 * 3**50
    assert row.constant % 2**80 == 2**70 + 1
    assert row.constant % 3**50 == 5


def shapes(kind, n):
    names = [f"s{i}" for i in range(n)]
    match kind:
        case "chain":
            facts = [(Affine.of(i, {names[i]: -1, names[i + 1]: 1}), 0 if i % 2 else 8) for i in range(n - 1)]
        case "star":
            facts = [(Affine.of(i, {names[0]: -1, names[i]: 1}), 0 if i % 2 else 8) for i in range(1, n)]
        case _:
            picks = [(7 * i * i + 3 * i, 5 * i * i * i + 1) for i in range(n)]
            facts = [
                (Affine.of(0, {names[i]: 1, names[p % n]: -1, names[q % n]: 2}), 2 ** (i % 5 + 1))
                for i, (p, q) in enumerate(picks)
            ]
    return names, [a for a, m in facts if not m], [(a, m) for a, m in facts if m]


@pytest.mark.parametrize("kind", ["chain", "star", "sparse"])
def test_a_thousand_names_are_parametrised_in_seconds(kind):
    """Sparse systems stay sparse; the bound is loose, for a loaded machine."""
    start = time.process_time()
    names, equalities, congruences = shapes(kind, 1000)
    lattice = Lattice.of(names, equalities, congruences)
    assert isinstance(lattice, Lattice)
    assert len(lattice.parametrise(names)) == 1000
    assert time.process_time() - start < 5
