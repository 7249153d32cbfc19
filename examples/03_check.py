"""The solver by itself, without torch: what a set of constraints implies, where it conflicts, and which values fit."""

from dynconstraints import ConstraintSystem, Open, Unsat

sizes = ConstraintSystem(["s0 % 32 == 0", "32 <= s0 <= 1024", "s1 == 2*s0"])

print(sizes.check())
print("s1 % 64 == 0:", sizes.implies("s1 % 64 == 0"))
match sizes.implies("s0 % 64 == 0"):
    case Open(holds_at, fails_at):
        print("s0 % 64 == 0: holds at", holds_at, "and fails at", fails_at)
print("s1 + 3 lies in", sizes.bounds("s1 + 3"), "and is, modulus and remainder,", sizes.congruence("s1 + 3"))

for violation in sizes.violations({"s0": 65, "s1": 130}):
    print("violated:", violation.constraint)
print("nearest:", sizes.nearest({"s0": 65, "s1": 130}))
print("samples:", list(sizes.sample(4, seed=0)))

match sizes.extend(["s1 <= 2000", "s1 >= 1999", "s0 != 64"]).check():
    case Unsat(core):
        print("conflict:", " | ".join(map(str, core)))

for dropped in sizes.extend(["s0 % 16 == 0", "s1 <= 4096"]).minimize().dropped:
    print(dropped.constraint, "follows from", " and ".join(map(str, dropped.follows_from)))
