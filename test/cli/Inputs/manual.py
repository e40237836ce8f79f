"""The manual page FILE against the help of all verbs."""
import re
import subprocess
import sys

page = open(sys.argv[1]).read()
# What groff would make of it, for the characters that are escaped.
for escaped, plain in [
    ("\\-", "-"), ("\\e", "\\"), ("\\(ga", "`"), ("\\(ti", "~"),
    ("\\(ha", "^"), ("\\&", ""),
]:
    page = page.replace(escaped, plain)


def run(*command):
    return subprocess.run(
        command, check=True, capture_output=True, text=True
    ).stdout


verbs = re.findall(r"^  (\w+)  +\w", run("gradus", "help", "--all"), re.M)
assert re.findall(r"^\.SS (.*)", page, re.M) == verbs
sections = re.split(r"^\.SS .*\n", page, flags=re.M)[1:]
for verb, section in zip(verbs, sections):
    text = run("gradus", "help", verb)
    flags = re.findall(r"^  ((?:-\w, )?--[\w-]+)", text, re.M)
    for flag in flags:
        assert flag == "-h, --help" or f"\n.B {flag}" in section, (verb, flag)
    examples = re.search(r"\nExamples:\n((?:  .*\n)+)", text).group(1)
    for example in examples.splitlines():
        assert f"\n{example.strip()}\n" in section, (verb, example)
