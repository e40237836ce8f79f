"""Asks the completion script of bash what it offers, and compares that with
the help: completion.py SCRIPT. Works in a new folder beside the script."""
import os
import re
import subprocess
import sys

script = os.path.abspath(sys.argv[1])
folder = script + ".folder"
os.makedirs(folder + "/runs", exist_ok=True)
os.chdir(folder)
for name in ["model.nn", "my model.nn", "rows.csv"]:
    open(name, "w").close()


def run(*command):
    return subprocess.run(
        command, check=True, capture_output=True, text=True
    ).stdout


def offered(*words):
    """What Tab offers for the last word; bash has cut the line into these."""
    line = (
        f"source '{script}'; COMP_WORDS=(\"$@\"); "
        "COMP_CWORD=$(($# - 1)); _gradus; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return set(run("bash", "-c", line, "-", *words).splitlines()) - {""}


def expect(wanted, *words):
    found = offered(*words)
    assert found == set(wanted), (words, found)


run("bash", "-n", script)
verbs = re.findall(r"^  (\w+)  +\w", run("gradus", "help", "--all"), re.M)
expect(verbs, "gradus", "")
expect(["--help", "--version"], "gradus", "-")
expect(["train"], "gradus", "tra")
expect([], "gradus", "nonsense", "")
for verb in verbs:
    text = run("gradus", "help", verb)
    flags = re.findall(r"^  ((?:-\w, )?--[\w-]+)", text, re.M)
    names = [name for flag in flags for name in flag.split(", ")]
    assert "--help" in names
    expect(names, "gradus", verb, "model.nn", "-")
expect(["f32", "f64"], "gradus", "train", "--precision", "")
expect(["gradient", "graph"], "gradus", "compile", "--emit", "=", "gra")
assert {"ast", "llvm"} <= offered("gradus", "compile", "--emit", "=")
expect(["runs"], "gradus", "train", "model.nn", "-o", "")
expect(["rows.csv"], "gradus", "predict", "model.nn", "--output", "ro")
expect(["model.nn", "my model.nn", "runs"], "gradus", "train", "")
expect([], "gradus", "train", "--seed", "")
expect(["train"], "gradus", "help", "tra")
expect(["bash"], "gradus", "completion", "b")
assert "E0312" in offered("gradus", "explain", "E03")
