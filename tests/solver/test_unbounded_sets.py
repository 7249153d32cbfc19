"""Ends that are said not to be there, and congruences of unbounded sets, against z3's own search for values."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dynconstraints import ConstraintSystem
from dynconstraints.ir.evaluate import value_of
from dynconstraints.solver.limits import Limited
from dynconstraints.solver.search.z3_query import solve
from dynconstraints.syntax.parser import parse
from dynconstraints.syntax.term import parse_term

few = settings(max_examples=max(1, settings().max_examples // 4))
NAMES = ("a", "b", "c")
small = st.integers(-4, 4)
sums = st.lists(st.tuples(small, st.sampled_from(NAMES)), min_size=1, max_size=2).map(
    lambda parts: " + ".join(f"{k}*{name}" for k, name in parts)
)
pieces = st.one_of(
    st.builds("{} <= {}".format, sums, small),
    st.builds("{} <= {} + {}".format, st.sampled_from(NAMES), st.sampled_from(NAMES), small),
    st.builds("{} % {} == {}".format, st.sampled_from(NAMES), st.integers(2, 6), st.integers(0, 1)),
    st.builds("{} != {}".format, sums, small),
    st.builds("{} == {}".format, sums, st.integers(-6, 6)),
)


@few
@given(texts=st.lists(pieces, min_size=1, max_size=4), expression=sums)
def test_ends_and_congruences_of_linear_sets(texts: list[str], expression: str) -> None:
    """No end: values beyond any bound. An end: none beyond it. A modulus: none else, and no larger one."""
    system, term = ConstraintSystem(texts), parse_term(expression)
    formulas = [constraint.formula for constraint in system.constraints]

    def found(query: str) -> object:
        """Values, None where there are none. Sets for which z3 gives up tell nothing and don't count as examples."""
        answer = solve((*formulas, parse(query).formula))
        assume(not isinstance(answer, Limited))
        return answer

    some = found("true")
    if some is None:
        return
    bounds = system.range(expression)
    for end, tight, beyond, far in (
        (bounds.upper, bounds.upper_is_tight, ">", f"({expression}) > 10**12"),
        (bounds.lower, bounds.lower_is_tight, "<", f"({expression}) < -10**12"),
    ):
        assert found(f"({expression}) {beyond} {end}" if end is not None else "false") is None
        if tight:
            assert isinstance(found(far if end is None else f"({expression}) == {end}"), dict)
    modulus, remainder = system.congruence(expression)
    value = value_of(term, dict.fromkeys(NAMES, 0) | some)
    if modulus == 0:
        assert found(f"({expression}) != {remainder}") is None
    else:
        assert found(f"({expression}) % {modulus} != {remainder}") is None
        for prime in (2, 3, 5, 7):
            larger = modulus * prime
            assert isinstance(found(f"({expression}) % {larger} != {value % larger}"), dict)
