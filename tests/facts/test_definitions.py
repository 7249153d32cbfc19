"""Names that nonlinear equalities define are replaced by what they are equal to."""

from dynconstraints.facts.product.analysis import analyse
from dynconstraints.facts.product.substitutions import with_definitions
from dynconstraints.ir.nodes import Name
from dynconstraints.syntax.parser import parse


def rows(*texts):
    return with_definitions({}, [parse(text).formula for text in texts])


def test_a_product_defines_a_name():
    """`hq == g*kv` leaves g and kv, and a second definition sees the first."""
    assert rows("hq == g*kv") == {"hq": {("g", "kv"): 1}}
    assert rows("hq == g*kv", "n == hq*2*s")["n"] == {("g", "kv", "s"): 2}


def test_a_symbolic_divisor_defines_a_multiple():
    """`a % b == 0` makes a the product of b and a fresh quotient; with a remainder, that is added."""
    (divided,) = rows("a % b == 0")["a"]
    assert len(divided) == 2
    assert "b" in divided
    assert rows("a % b == 1")["a"][()] == 1


def test_a_name_is_never_defined_by_itself():
    """`x == x*y` says nothing that could replace x."""
    assert "x" not in rows("x == x*y")


def test_chains_of_definitions_stay_small():
    """Past the size limit an equality stays a relation, and the answers stay sound."""
    texts = [f"s{i} == s{i + 1}*s{i + 1} + s{i + 1}*q{i}" for i in range(12)]
    made = rows(*texts)
    assert all(len(p) <= 16 for p in made.values())
    assert not analyse([parse(text).formula for text in texts]).is_empty


def test_what_is_defined_is_known_of():
    """Facts about the definition are facts about the name."""
    state = analyse([parse(t).formula for t in ("z == x*y", "2 <= x <= 4", "3 <= y <= 5")])
    assert state.range_of(Name("z")) == (6, 20)
    assert state.truth(parse("z % x == 0").formula) is True
