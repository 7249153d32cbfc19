"""What is proved holds on every assignment of a box: the whole portfolio, and refutation by cases by itself."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import formulas

from dynconstraints.ir.evaluate import holds, truth_of
from dynconstraints.ir.nodes import Formula, Int, Name, Relation, comparison
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.tableau.branch import Fuel
from dynconstraints.solver.tableau.tableau import Closed, Tableau
from dynconstraints.solver.verdicts import Implied, Open, Refuted, Unknown

NAMES = ("a", "b")
BOX = [dict(zip(NAMES, values, strict=True)) for values in product(range(-5, 6), repeat=2)]
few = settings(max_examples=max(1, settings().max_examples // 4))
small = formulas(NAMES, max_leaves=4, constants=9)
givens = st.lists(small, max_size=3)
positive = tuple(comparison(Name(name), Relation.GT, Int(0)) for name in NAMES)


def box(low: int, high: int) -> list[Formula]:
    return [comparison(Name(n), r, Int(end)) for n in NAMES for r, end in ((Relation.GE, low), (Relation.LE, high))]


@few
@given(formulas=givens, query=small, signed=st.booleans())
def test_a_closed_tableau_has_no_model(formulas: list[Formula], query: Formula, signed: bool) -> None:
    """Refutation by cases never closes a set that an assignment in the box satisfies, and its models are models."""
    given_ = [*formulas, *(() if signed else positive)]

    def accepts(model: dict[str, int]) -> bool:
        return all(holds(formula, model) for formula in (*given_, query))

    found = Tableau.of(given_).search(query, Fuel(1_000), NAMES, accepts)
    if isinstance(found, Closed):
        assert not any(map(accepts, BOX))
    elif found is not None:
        assert accepts(found)


@few
@given(formulas=givens, query=small)
def test_verdicts_agree_with_the_box(formulas: list[Formula], query: Formula) -> None:
    """Implied: true at all of the set's assignments in the box; Refuted: at none; both witnesses are right."""
    verdict = Portfolio(formulas).implies(query, 100_000)
    models = [values for values in BOX if all(holds(formula, values) for formula in formulas)]
    match verdict:
        case Implied():
            assert all(truth_of(query, values) is True for values in models)
        case Refuted():
            assert not any(truth_of(query, values) is True for values in models)
        case Open(holds_at, fails_at):
            assert all(holds(formula, values) for formula in formulas for values in (holds_at, fails_at))
            assert truth_of(query, holds_at) is True
            assert truth_of(query, fails_at) is not True
        case Unknown(reason):
            assert reason


@few
@given(formulas=st.lists(small, max_size=2), query=small)
def test_verdicts_on_a_bounded_set_are_exact(formulas: list[Formula], query: Formula) -> None:
    """Where the set is bounded to the box, the verdict is the one that trying all assignments gives."""
    bounded = [*formulas, *box(-5, 5)]
    verdict = Portfolio(bounded).implies(query, 300_000)
    truths = {truth_of(query, values) is True for values in BOX if all(holds(f, values) for f in formulas)}
    expected = {frozenset(): Implied, frozenset({True}): Implied, frozenset({False}): Refuted}.get(
        frozenset(truths), Open
    )
    assert isinstance(verdict, (expected, Unknown))


@few
@given(formulas=givens)
def test_models_satisfy_and_unsatisfiable_sets_have_none(formulas: list[Formula]) -> None:
    """A model found satisfies every formula by the evaluator; where none is found, none is in the box."""
    model = Portfolio(formulas).model(100_000)
    if isinstance(model, dict):
        assert all(holds(formula, model) for formula in formulas)
    elif model is None:
        assert not any(all(holds(formula, values) for formula in formulas) for values in BOX)
