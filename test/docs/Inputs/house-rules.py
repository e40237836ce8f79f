"""What holds for every file of the source tree: house-rules.py SOURCE RULE."""
import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1])
rule = sys.argv[2]
failures = []


def files(*folders):
    for folder in folders:
        for path in sorted((source / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def check_lengths():
    """A stage that wants a longer file wants splitting."""
    for path in files("compiler", "dialect", "runtime", "tools"):
        lines = len(path.read_text().splitlines())
        if lines > 600:
            failures.append(f"{path.relative_to(source)}: {lines} lines")


def check_top_level():
    """The top level is the map of the project."""
    allowed = set(
        "compiler dialect runtime test tools examples docs CMakeLists.txt "
        "README.md LICENSE".split()
    )
    for path in source.iterdir():
        ignored = path.name == "runs" or re.match(r"build($|-)", path.name)
        if not path.name.startswith(".") and not ignored:
            if path.name not in allowed:
                failures.append(path.name)


def check_prose():
    """No line of a source says that something is left to do."""
    for path in files("compiler", "dialect", "runtime", "tools", "examples"):
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if re.search(rb"\b(TODO(?!\(#\d+\))|FIXME|XXX)\b", line):
                failures.append(f"{path.relative_to(source)}:{number}")


def check_names():
    """A file is named after its idea."""
    for path in files("compiler", "dialect", "runtime", "tools"):
        if re.search(r"Utils|Helpers|Common", path.stem):
            failures.append(str(path.relative_to(source)))


def check_diagnostics():
    """A message that no test provokes is a message nobody has read."""
    codes = []
    for table in ["compiler/Diagnostics.def", "runtime/Errors.def"]:
        text = (source / table).read_text()
        codes += re.findall(r"^DIAGNOSTIC\((\w+), (\w+)", text, re.M)
    tests = "\n".join(
        path.read_text(errors="ignore")
        for path in files("test")
        if "docs" not in path.parts
    )
    for code, name in codes:
        if f"[{code}]" not in tests and f'"{code}"' not in tests:
            failures.append(f"{code} {name}")


check = globals()["check_" + rule.replace("-", "_")]
check()
if failures:
    print(check.__doc__, *failures, sep="\n  ")
    sys.exit(1)
