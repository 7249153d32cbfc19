"""The C++17 that a generated header calls: integers and floats in exact arithmetic that says where it has no room.

A value is known, undefined (something was divided by zero), or too large for the machine's integers; so is a truth
value. Both kinds of not known travel outwards as in Kleene's logic: what is known elsewhere may decide a connective all
the same.
Each piece names those that it uses, so that a header has what it needs and no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Piece(NamedTuple):
    """Some lines of C++, and the pieces before it that they use."""

    code: str
    needs: tuple[str, ...] = ()


PIECES = {
    "Int": Piece("""
#if defined(__SIZEOF_INT128__)
__extension__ typedef __int128 Wide;
#else
typedef std::int64_t Wide;
#endif
constexpr Wide kMost = (((Wide{1} << (8 * sizeof(Wide) - 2)) - 1) * 2) + 1;

enum class State : unsigned char { known, undefined, too_large };

struct Int {  // value counts where it is known; its magnitude is at most kMost
  Wide value;
  State state;
  constexpr Int(Wide v) : value(v < -kMost ? 0 : v), state(v < -kMost ? State::too_large : State::known) {}
  constexpr Int(State s) : value(0), state(s) {}
};

constexpr State both(State a, State b) {
  return a == State::undefined || b == State::undefined ? State::undefined : a == State::known ? b : a;
}
"""),
    "neg": Piece("inline Int neg(Int a) { return a.state == State::known ? Int(-a.value) : a; }", ("Int",)),
    "abs": Piece("inline Int abs(Int a) { return a.value < 0 ? Int(-a.value) : a; }", ("Int",)),
    "add": Piece(
        """
inline Int add(Int a, Int b) {
  const State state = both(a.state, b.state);
  if (state != State::known) return state;
  if (b.value > 0 ? a.value > kMost - b.value : a.value < -kMost - b.value) return State::too_large;
  return a.value + b.value;
}
""",
        ("Int",),
    ),
    "mul": Piece(
        """
inline Int mul(Int a, Int b) {
  const State state = both(a.state, b.state);
  if (state != State::known) return state;
  if (a.value == 0 || b.value == 0) return Wide{0};
  const Wide x = a.value < 0 ? -a.value : a.value, y = b.value < 0 ? -b.value : b.value;
  if (x > kMost / y) return State::too_large;
  return a.value * b.value;
}
""",
        ("Int",),
    ),
    "literal": Piece(
        """
inline Int literal(const char* digits) {  // one that no literal of the language holds
  Int result(0);
  for (; *digits; ++digits) result = add(mul(result, Int(10)), Int(*digits - '0'));
  return result;
}
""",
        ("add", "mul"),
    ),
    "sum": Piece(
        """
inline Int sum(std::initializer_list<Int> terms) {
  Int result(0);
  for (const Int& term : terms) result = add(result, term);
  return result;
}
""",
        ("add",),
    ),
    "product": Piece(
        """
inline Int product(std::initializer_list<Int> factors) {
  Int result(1);
  for (const Int& factor : factors) result = mul(result, factor);
  return result;
}
""",
        ("mul",),
    ),
    "power": Piece(
        """
inline Int power(Int base, unsigned long long exponent) {
  if (base.state != State::known) return base;
  Int result(1);
  for (; exponent; exponent >>= 1) {
    if (exponent & 1) result = mul(result, base);
    if (exponent > 1) base = mul(base, base);
    if (result.state != State::known) break;
  }
  return result;
}
""",
        ("mul",),
    ),
    "floordiv": Piece(
        """
inline Int floordiv(Int a, Int b) {
  const State state = both(a.state, b.state == State::known && b.value == 0 ? State::undefined : b.state);
  if (state != State::known) return state;
  const Wide quotient = a.value / b.value;
  return a.value % b.value != 0 && (a.value < 0) != (b.value < 0) ? quotient - 1 : quotient;
}
""",
        ("Int",),
    ),
    "mod": Piece(
        """
inline Int mod(Int a, Int b) {
  const State state = both(a.state, b.state == State::known && b.value == 0 ? State::undefined : b.state);
  if (state != State::known) return state;
  const Wide rest = a.value % b.value;
  return rest != 0 && (rest < 0) != (b.value < 0) ? rest + b.value : rest;
}
""",
        ("Int",),
    ),
    "least": Piece(
        """
inline Int least(Int a, Int b) {
  const State state = both(a.state, b.state);
  return state != State::known ? Int(state) : a.value < b.value ? a : b;
}
""",
        ("Int",),
    ),
    "greatest": Piece(
        """
inline Int greatest(Int a, Int b) {
  const State state = both(a.state, b.state);
  return state != State::known ? Int(state) : a.value < b.value ? b : a;
}
""",
        ("Int",),
    ),
    "gcd": Piece(
        """
inline Int gcd(Int a, Int b) {
  const State state = both(a.state, b.state);
  if (state != State::known) return state;
  Wide x = a.value, y = b.value;
  while (y != 0) {
    const Wide rest = x % y;
    x = y;
    y = rest;
  }
  return x < 0 ? -x : x;
}
""",
        ("Int",),
    ),
    "lcm": Piece(
        """
inline Int lcm(Int a, Int b) {
  const Int common = gcd(a, b);
  if (common.state != State::known || common.value == 0) return common;
  return abs(mul(Int(a.value / common.value), b));
}
""",
        ("gcd", "mul", "abs"),
    ),
    "Truth": Piece(
        """
enum class Truth : unsigned char { no, yes, undefined, too_large };

constexpr Truth truth(bool value) { return value ? Truth::yes : Truth::no; }
constexpr Truth unknown(State state) { return state == State::undefined ? Truth::undefined : Truth::too_large; }
""",
        ("Int",),
    ),
    "compared": Piece(
        """
inline Truth eq(Int a, Int b) {
  const State state = both(a.state, b.state);
  return state != State::known ? unknown(state) : truth(a.value == b.value);
}
inline Truth lt(Int a, Int b) {
  const State state = both(a.state, b.state);
  return state != State::known ? unknown(state) : truth(a.value < b.value);
}
""",
        ("Truth",),
    ),
    "negation": Piece(
        """
constexpr Truth negation(Truth a) { return a == Truth::yes ? Truth::no : a == Truth::no ? Truth::yes : a; }
""",
        ("Truth",),
    ),
    "any": Piece(
        """
inline Truth any(std::initializer_list<Truth> truths) {
  Truth result = Truth::no;
  for (const Truth one : truths) {
    if (one == Truth::yes) return one;
    if (result != Truth::too_large && one != Truth::no) result = one;
  }
  return result;
}
""",
        ("Truth",),
    ),
    "all": Piece(
        """
inline Truth all(std::initializer_list<Truth> truths) {
  Truth result = Truth::yes;
  for (const Truth one : truths) {
    if (one == Truth::no) return one;
    if (result != Truth::too_large && one != Truth::yes) result = one;
  }
  return result;
}
""",
        ("Truth",),
    ),
    "choose": Piece(
        """
inline Int choose(Truth condition, Int then, Int otherwise) {
  if (condition == Truth::yes) return then;
  if (condition == Truth::no) return otherwise;
  return condition == Truth::undefined ? State::undefined : State::too_large;
}
inline Truth choose(Truth condition, Truth then, Truth otherwise) {
  return condition == Truth::yes ? then : condition == Truth::no ? otherwise : condition;
}
""",
        ("Truth",),
    ),
    "in_range": Piece(
        """
inline Truth in_range(Int item, Int start, Int stop, Int step) {
  const State state = both(both(item.state, start.state), stop.state);
  if (state != State::known) return unknown(state);
  const Truth within = step.value > 0 ? all({negation(lt(item, start)), lt(item, stop)})
                                      : all({negation(lt(start, item)), lt(stop, item)});
  return all({within, eq(mod(add(item, neg(start)), step), Int(0))});
}
""",
        ("compared", "negation", "all", "mod", "add", "neg"),
    ),
    "is_power_of_two": Piece(
        """
inline Truth is_power_of_two(Int a) {
  if (a.state != State::known) return unknown(a.state);
  return truth(a.value > 0 && (a.value & (a.value - 1)) == 0);
}
""",
        ("Truth",),
    ),
    "Real": Piece(
        """
struct Real {  // value * 2**exponent, the value odd or 0
  Wide value;
  long long exponent;
  State state;

  Real(Wide v, long long e) : value(v), exponent(e), state(State::known) {
    for (; value != 0 && value % 2 == 0; value /= 2) ++exponent;
    if (value == 0) exponent = 0;
    if (exponent > (1LL << 30) || exponent < -(1LL << 30)) *this = Real(State::too_large);
  }
  Real(State s) : value(0), exponent(0), state(s) {}
  Real(Int a) : Real(a.value, 0) { state = a.state; }
  Real(double number) : Real(State::known) {
    int places = 0;
    const double part = std::frexp(number, &places);
    *this = Real(static_cast<Wide>(std::ldexp(part, 53)), places - 53LL);
  }
};

inline Real neg(Real a) { return a.state == State::known ? Real(-a.value, a.exponent) : a; }
inline Real abs(Real a) { return a.value < 0 ? neg(a) : a; }
inline Real add(Real a, Real b) {
  const State state = both(a.state, b.state);
  if (state != State::known) return state;
  if (a.value == 0 || b.value == 0) return a.value == 0 ? b : a;
  const Real low = a.exponent < b.exponent ? a : b;
  Real high = a.exponent < b.exponent ? b : a;
  for (; high.exponent > low.exponent; --high.exponent) {
    if (high.value > kMost / 2 || high.value < -(kMost / 2)) return State::too_large;
    high.value *= 2;
  }
  const Int total = add(Int(high.value), Int(low.value));
  return total.state == State::known ? Real(total.value, low.exponent) : Real(total.state);
}
inline Real mul(Real a, Real b) {
  const State state = both(a.state, b.state);
  if (state != State::known) return state;
  const Int total = mul(Int(a.value), Int(b.value));
  return total.state == State::known ? Real(total.value, a.exponent + b.exponent) : Real(total.state);
}
inline Real sum(std::initializer_list<Real> terms) {
  Real result = Int(0);
  for (const Real& term : terms) result = add(result, term);
  return result;
}
inline Real product(std::initializer_list<Real> factors) {
  Real result = Int(1);
  for (const Real& factor : factors) result = mul(result, factor);
  return result;
}
inline Real power(Real base, unsigned long long exponent) {
  if (base.state != State::known) return base;
  Real result = Int(1);
  for (; exponent; exponent >>= 1) {
    if (exponent & 1) result = mul(result, base);
    if (exponent > 1) base = mul(base, base);
    if (result.state != State::known) break;
  }
  return result;
}
inline int bits(Wide value) {
  int count = 0;
  for (; value != 0; value /= 2) ++count;
  return count;
}
inline int order(Real a, Real b) {  // the sign of a - b, of known ones
  const int sign = (a.value > 0) - (a.value < 0), other = (b.value > 0) - (b.value < 0);
  if (sign != other || sign == 0) return (sign > other) - (sign < other);
  const long long top = bits(a.value) + a.exponent, other_top = bits(b.value) + b.exponent;
  if (top != other_top) return (top > other_top) == (sign > 0) ? 1 : -1;
  for (; a.exponent > b.exponent; --a.exponent) a.value *= 2;  // has room: both are as long then
  for (; b.exponent > a.exponent; --b.exponent) b.value *= 2;
  return (a.value > b.value) - (a.value < b.value);
}
inline Truth eq(Real a, Real b) {
  const State state = both(a.state, b.state);
  return state != State::known ? unknown(state) : truth(order(a, b) == 0);
}
inline Truth lt(Real a, Real b) {
  const State state = both(a.state, b.state);
  return state != State::known ? unknown(state) : truth(order(a, b) < 0);
}
inline Real least(Real a, Real b) {
  const State state = both(a.state, b.state);
  return state != State::known ? Real(state) : order(a, b) < 0 ? a : b;
}
inline Real greatest(Real a, Real b) {
  const State state = both(a.state, b.state);
  return state != State::known ? Real(state) : order(a, b) < 0 ? b : a;
}
inline Real choose(Truth condition, Real then, Real otherwise) {
  if (condition == Truth::yes) return then;
  if (condition == Truth::no) return otherwise;
  return condition == Truth::undefined ? State::undefined : State::too_large;
}
""",
        ("neg", "abs", "add", "mul", "sum", "product", "power", "least", "greatest", "compared", "choose"),
    ),
    "message": Piece(
        """
inline const char* refusal(Truth held) {
  return held == Truth::yes         ? nullptr
         : held == Truth::too_large ? "too large to be decided: "
                                    : "constraint violated: ";
}
inline std::string message(const char* refusal, const char* constraint,
                           std::initializer_list<std::pair<const char*, std::string>> values) {
  std::string result = std::string(refusal) + constraint;
  const char* before = ", where ";
  for (const auto& value : values) {
    result += before;
    result += value.first;
    result += " = " + value.second;
    before = ", ";
  }
  return result;
}
inline std::string shown(std::int64_t value) { return std::to_string(value); }
""",
        ("Truth",),
    ),
    "shown": Piece(
        """
inline std::string shown(double value) {  // the fewest digits that are this float
  char digits[32];
  for (int count = 15; count <= 17; ++count) {
    std::snprintf(digits, sizeof digits, "%.*g", count, value);
    if (std::strtod(digits, nullptr) == value) break;
  }
  return digits;
}
""",
    ),
}
"""In an order in which each follows what it needs."""


def pieces(names: Iterable[str]) -> str:
    """The code of the pieces, with all that they need, each once."""
    wanted: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += PIECES[name].needs
    return "\n\n".join(piece.code.strip("\n") for name, piece in PIECES.items() if name in wanted)
