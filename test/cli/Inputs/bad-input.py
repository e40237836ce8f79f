"""bad-input.py FOLDER: writes models in FOLDER that no one writes, and holds
gradus to an answer for each: the exit code, the code of an error, and no more
than a few screens, seconds and MiB."""
import os
import pathlib
import random
import resource
import subprocess
import sys
import time

folder = pathlib.Path(sys.argv[1])
N = 10000
MIB = 1 << 20

# Name, text, code of an error; no code: nothing is wrong with it.
CASES = []


def case(name, text, code=None, verb="check"):
    CASES.append((name, text, code, verb))


def nested(name, before, after, code="E0111", middle="1", start="const a = "):
    case(name, start + before * N + middle + after * N + "\n", code)


def chain(name, link, last, code="E0111", count=N):
    """Declarations, each of which needs the next one; then the other way."""
    links = [link.format(i, i + 1) for i in range(count)]
    case(name, "".join(links) + last.format(count), code)
    case(name + " from below", last.format(count) + "".join(links[::-1]), code)


f = "fn f(x: real) = "
nested("parentheses", "(", ")")
nested("open parentheses", "(", "")
nested("lists", "[", "]", "E0111")
nested("signs", "-", "")
nested("nots", "not ", "", middle="true")
nested("calls", "exp(", ")", start=f)
nested("calls of calls", "", "(x)", start=f + "exp")
nested("subscripts in subscripts", "x[", "]", start=f, middle="0")
nested("subscripts", "", "[0]", start=f, middle="x")
nested("members", "", ".T", start=f, middle="x")
nested("tuples", "(x, ", ")", start=f, middle="x")
nested("gradients", "grad(", ", x)", start=f, middle="x")
nested("sums over indices", "sum[i](", ")", start=f, middle="x")
nested("pipes", "", " |> exp", start=f, middle="x")
nested("powers", "1 ^ ", "")
nested("powers of minus", "1 ^ -", "")
for op in "+ - * / // % @ and or".split():
    nested("chain of " + op, "", f" {op} 1")
nested("comparisons", "", " < 1", "E0110")
nested("sums of dims", "", " + 1", start="dim N = ")
nested("requirements", "", " and N > 1", start="fn f[N](x: real[N]) requires ", middle="N > 1")
nested("tuple types", "(real, ", ")", start="fn f(x: ", middle="real")
nested("shapes in shapes", "reshape[", "]", start=f, middle="4")
nested("types in types", "real[", "]", start="fn f(x: ", middle="1")
nested("ranges", "", "..", "E0103", start=f + "x[", middle="")
nested("results", "", " -> real", "E0103", start="fn f(x: real)", middle="")
nested("ifs", "if x > 0 {\n", "}\n", start="fn f(x: real) {\n", middle="return x\n")
nested("loops", "for i in 0..3 {\n", "}\n", start="fn f(x: real) {\n", middle="let y = x\n")
nested("else ifs", "", " else if x > 1 { return x }", start="fn f(x: real) {\n if x > 0 { return x }", middle="")
nested("modules", "module A {\n", "}\n", "E0102", start="", middle="")
nested("backwards", "backward { ", "", "E0103", start=f + "x ", middle="")
nested("braces", "{", "", "E0103", start="", middle="")
nested("functions", "fn f(x: real) { ", "", "E0102", start="", middle="")

chain("constants", "const a{0} = a{1}\n", "const a{0} = 1\n")
chain("dims", "dim A{0} = A{1}\n", "dim A{0} = 1\n")
chain("functions in turn", "fn f{0}(x: real) = f{1}(x)\n", "fn f{0}(x: real) = x\n")
chain("modules in turn", "module M{0} {{ layer a = M{1} }}\n", "module M{0} {{ param p: real = 0 }}\n")
chain("dims that double", "dim A{0} = A{1} * A{1}\n", "dim A{0} = 2\n", "E0326", 100)
# Deep in both ways at once.
chain("sums of constants", "const a{0} = a{1}" + " + 1" * 1000 + "\n", "const a{0} = 1\n", count=100)
case("layers that double",
     "".join(f"module M{i} {{ layer a = M{i + 1}; layer b = M{i + 1} }}\n" for i in range(60))
     + "module M60 { param p: real = 0 }\nlayer m = M0\n", "E0901")
case("let after let", "fn f(x: real) {\nlet a0 = x\n"
     + "".join(f"let a{i + 1} = a{i} + a{i}\n" for i in range(N)) + f"return a{N}\n}}\n")
case("recursion", "fn f(x: real) = g(x)\nfn g(x: real) = f(x)\n", "E0205")
case("a module in itself", "module M { layer a = M }\nlayer m = M\n", "E0205")

case("dims over 2^63", "dim N = 9223372036854775807 + 1\n", "E0326")
case("numbers over 2^64", "dim N = 99999999999999999999\n", "E0108")
case("axes over 2^53", "param p: real[4294967296 * 4294967296] = 0\n", "E0326")
case("negative dims", "dim N = 0 - 9223372036854775807 * 2\n", "E0302")
names = [f"N{i}" for i in range(40)]
case("products of sums", f"fn f[{', '.join(names)}](x: real["
     + " * ".join(f"({name} + 1)" for name in names) + "]) = x\n", "E0327")
case("powers of sums", "fn f[N](x: real[" + " * ".join(["(N + 1)"] * 400) + "]) = x\n", "E0327")
quotients = "N"
for _ in range(60):
    quotients = f"({quotients} // 3 + 1)"
case("quotients", f"fn f[N](x: real[{quotients}]) = x\n")
case("quotients that double", "fn f[A, B](x: real[A], y: real[B]) = zeros[(A // 3) * (B % 5) + 1]\n"
     "fn g[N](a0: real[N]) {\n" + "".join(f"let a{i + 1} = f(a{i}, a{i})\n" for i in range(60))
     + "return a60\n}\n", "E0327")

case("many errors", "".join(f"const a{i} = b{i}\n" for i in range(100000)), "E0201")
case("many syntax errors", ")\n" * 100000, "E0112")
case("a long line", "const a = b" + " + b" * 500 + ", $" * 100000 + "\n", "E0101")
case("a long name", "const " + "x" * MIB + " = 1\n", "E0119")
case("a long number", "const a = " + "1" * MIB + "\n", "E0119")
case("a long string", 'import "' + "a" * MIB + '"\n', "E0119")
case("an open string", '"' * (MIB + 1), "E0103")
case("many parameters", "fn f(" + ", ".join(f"x{i}: real" for i in range(N)) + ") = x0\n")
case("many parameters in a line", "fn f(" + ", ".join(f"x{i}: real" for i in range(N)) + ") = x0\n", verb="fmt")
case("many brackets in a line", "fn f() { " + "let a = f(x); " * 50000 + "return 1 }\n", verb="fmt")
case("many axes", "fn f(x: real[" + ", ".join(["2"] * N) + "]) = x\n")
case("many dims", "fn f[" + ", ".join(f"N{i}" for i in range(N)) + "](x: real) = x\n")

most = 4 * MIB
random.seed(1)
case("garbage", random.randbytes(most), "E01")
case("zeros", b"\0" * most, "E0101")
case("one token", "x" * most, "E0119")
case("parentheses only", "(" * most, "E0103")
case("names only", "a " * (most // 2), "E0103")
case("lines of names", "a\n" * (most // 2), "E0103")
case("comments", "# comment\n" * (most // 10))
case("documentation", "## a\n" * (most // 5))
case("blank lines", "\n" * most)
case("constants", "".join(f"const a{i} = {i}\n" for i in range(most // 24)))
case("one more byte", "#" * (most + 1), "E0004")
case("100 MB", b"\0" * 100000000, "E0004")


def limits():
    # The address space of the sanitizers has no bound.
    if "ASAN_OPTIONS" not in os.environ:
        resource.setrlimit(resource.RLIMIT_AS, (2048 * MIB, 2048 * MIB))


failures = 0
for name, text, code, verb in CASES:
    path = folder / (name.replace(" ", "-").replace("/", "over") + ".nn")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    began = time.monotonic()
    try:
        run = subprocess.run(["gradus", verb, path.name], cwd=folder, timeout=30,
                             capture_output=True, preexec_fn=limits)
        output = run.stderr.decode(errors="replace")
        exit_code = run.returncode
    except subprocess.TimeoutExpired:
        output, exit_code = "", "none"
    seconds = time.monotonic() - began
    path.unlink()
    good = exit_code == (1 if code else 0)
    good &= output.startswith("error[") and f"error[{code}" in output if code else not output
    good &= len(output) < 20000 and all(len(line) < 400 for line in output.splitlines())
    if not good:
        failures += 1
        print(f"{name}: exit code {exit_code}, expected {code}, after {seconds:.2f} s: {output[:300]}")
    elif "--times" in sys.argv:
        print(f"{seconds:6.2f} s  {name}: {output[:90].splitlines()[:1]}")
print(f"{len(CASES)} models, {failures} failures")
sys.exit(failures > 0)
