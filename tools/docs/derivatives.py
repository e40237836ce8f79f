#!/usr/bin/env python3
"""The table of derivatives, read from llvm-tblgen's dump of Derivatives.td.

  derivatives.py check SOURCE   whether the table is closed and tested
  derivatives.py table SOURCE   docs/Derivatives.md

What rules of dialect/Batching.td make of rows is checked and printed with it.

Closed: whatever a rule writes can be differentiated again. An op is fine if it
has a rule, implements Differentiable, ends derivatives by declaration
(ZeroDerivative), or has no real result. Rows: an op with a real operand is
pointwise, has a rule, or is declared to be run row by row. Tested: every op with a rule has a case
in test/unit/differentiate/DerivativeTests.cpp.
"""
import json
import pathlib
import re
import subprocess
import sys

TBLGEN = "llvm-tblgen"
INCLUDE = "/usr/lib/llvm-22/include"


def dump(source, name):
    command = [TBLGEN, "-dump-json", "-I", INCLUDE, "-I", str(source)]
    table = source / "dialect" / name
    run = subprocess.run(command + [str(table)], capture_output=True, check=True)
    return json.loads(run.stdout)


class Table:
    def __init__(self, source):
        self.source = source
        self.records = dump(source, "Derivatives.td")
        self.rules = [self.records[name] for name in self.instances("Vjp")]
        self.ops = {name: self.records[name] for name in self.instances("Graph_Op")}

    def instances(self, name):
        return self.records["!instanceof"][name]

    def traits(self, op):
        return {trait["def"] for trait in op["traits"]}

    def forward(self, rule):
        """The dag of the op a rule is about."""
        return rule["sourcePattern"]["args"][1][0]

    def name_of(self, dag):
        return dag["operator"]["def"]

    def has_rule(self):
        return {self.name_of(self.forward(rule)) for rule in self.rules}

    def is_differentiable(self, op):
        interfaces = (self.records.get(trait, {}) for trait in self.traits(op))
        return any(i.get("cppInterfaceName") == "Differentiable" for i in interfaces)

    def has_real_result(self, op):
        kinds = {value["def"] for value, _ in op["results"]["args"]}
        return bool(kinds & {"Graph_Real", "Graph_Tensor", "Graph_Scalar"})

    def has_real_operand(self, op):
        text = json.dumps(op["arguments"])
        return "Graph_Real" in text or "Graph_Tensor" in text

    def is_fine(self, name):
        op = self.ops[name]
        return (
            name in self.has_rule()
            or "ZeroDerivative" in self.traits(op)
            or self.is_differentiable(op)
            or not self.has_real_result(op)
            or not self.has_real_operand(op)
        )


class Batching:
    """How each op is computed for all rows at once."""

    def __init__(self, source):
        self.records = records = dump(source, "Batching.td")
        instances = records["!instanceof"]
        forwards = [records[name]["sourcePattern"] for name in instances["Batch"]]
        self.table = {
            dag["operator"]["def"] for dag in forwards if "EachOp" in ops_in(dag)
        }
        self.in_code, self.row_by_row = (
            {records[name]["Of"]["def"] for name in instances[kind]}
            for kind in ("BatchInCode", "RowByRow")
        )


def ops_in(dag):
    """The names of all ops of a dag."""
    if not isinstance(dag, dict) or dag.get("kind") != "dag":
        return
    yield dag["operator"]["def"]
    for argument, _ in dag["args"]:
        yield from ops_in(argument)


def check(table):
    failures = []
    for rule in table.rules:
        for result in rule["resultPatterns"]:
            for name in ops_in(result):
                if name in table.ops and not table.is_fine(name):
                    forward = table.name_of(table.forward(rule))
                    failures.append(f"the rule of {forward} uses {name}, which has none")
    for name in table.ops:
        if name != "ArgmaxOp" and not table.is_fine(name):
            failures.append(f"{name} has no rule")
    batching = Batching(table.source)
    batched = batching.table | batching.in_code | batching.row_by_row
    for name, op in table.ops.items():
        if table.has_real_operand(op) and name not in batched:
            if "Elementwise" not in table.traits(op):
                failures.append(f"{name} has no rule in Batching.td")
    tests = table.source / "test/unit/differentiate/DerivativeTests.cpp"
    text = tests.read_text()
    for name in sorted(table.has_rule()):
        mnemonic = table.ops[name]["opName"]
        if f'"{mnemonic}"' not in text:
            failures.append(f"{name} has no case in {tests.name}")
    return failures


INFIX = {"add": "+", "sub": "-", "mul": "*", "strong_mul": "*", "div": "/"}
COMPARISON = {"eq": "=", "gt": ">"}


def formula(table, dag, label, inner=False):
    """A dag as a formula; strong products print as products."""
    if not isinstance(dag, dict):
        return label
    if dag["kind"] == "def":
        return COMPARISON[table.records[dag["def"]]["value"].split("::")[-1]]
    operator = dag["operator"]["def"]
    arguments = [formula(table, argument, name, True) for argument, name in dag["args"]]
    if operator == "replaceWithValue":
        return arguments[0]
    if operator not in table.ops:
        call = table.records[operator]["expression"]
        fill = re.search(r"fillLike\(.*, ([-\d.]+)\)", call)
        if fill:
            return fill.group(1).replace("1.1283791670955125739", "2/sqrt(pi)")
        return f"{call.split('(')[0]}({', '.join(arguments)})"
    mnemonic = table.ops[operator]["opName"]
    if mnemonic in INFIX:
        text = f" {INFIX[mnemonic]} ".join(arguments)
        return f"({text})" if inner else text
    if mnemonic == "neg":
        return f"-{arguments[0]}"
    if mnemonic == "compare":
        return f"{arguments[1]} {arguments[0]} {arguments[2]}"
    return f"{mnemonic}({', '.join(arguments)})"


def rows(table):
    batching = Batching(table.source)

    def names(ops):
        records = batching.records
        return ", ".join(sorted(f"`{records[name]['opName']}`" for name in ops))

    yield ""
    yield "## All rows of a Jacobian at once"
    yield ""
    yield "A row of a Jacobian or Hessian is a product with a row of the identity."
    yield "By the rules of `dialect/Batching.td` all rows are computed at once, with"
    yield "one more axis; what does not depend on the row is computed once."
    yield ""
    yield "- Pointwise ops: the same op, other operands repeated along the new axis."
    yield f"- By the table: {names(batching.table)}."
    yield f"- By a rule in `dialect/Batching.cpp`: {names(batching.in_code)}."
    yield f"- Row by row, in a loop: {names(batching.row_by_row)}."


def markdown(table):
    yield "# Derivatives"
    yield ""
    yield "Read from `dialect/Derivatives.td` by `tools/docs/derivatives.py table`:"
    yield "for `y = op(...)` with the cotangent `dy`, the cotangent of each real"
    yield "operand. Products with `dy` are strong: a zero wins (see `strong_mul`)."
    yield ""
    yield "| y | cotangents |"
    yield "|---|---|"
    for rule in table.rules:
        forward = table.forward(rule)
        name = table.ops[table.name_of(forward)]["opName"]
        operands = [label for _, label in forward["args"]]
        real = [
            label
            for (kind, _), label in zip(
                table.ops[table.name_of(forward)]["arguments"]["args"], operands
            )
            if kind["def"] in ("Graph_Real", "Graph_Tensor")
        ]
        results = [
            f"`d{x} = {formula(table, result, None)}`"
            for x, result in zip(real, rule["resultPatterns"])
        ]
        yield f"| `{name}({', '.join(operands)})` | {'<br>'.join(results)} |"
    for name, op in table.ops.items():
        if table.is_differentiable(op):
            yield f"| `{op['opName']}` | a rule of its own in `dialect/GraphOps.cpp` |"
    zero = [
        f"`{op['opName']}`"
        for op in table.ops.values()
        if "ZeroDerivative" in table.traits(op)
    ]
    yield ""
    yield f"Derivative zero by declaration: {', '.join(zero)}."
    yield from rows(table)


def main():
    mode, source = sys.argv[1], pathlib.Path(sys.argv[2])
    table = Table(source)
    if mode == "table":
        print("\n".join(markdown(table)))
        return 0
    failures = check(table)
    for failure in failures:
        print(failure)
    return 1 if failures else 0


sys.exit(main())
