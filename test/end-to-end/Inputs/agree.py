"""agree.py FILE.nn FLAG...: every exported function without arguments of a model
says true."""
import re
import subprocess
import sys

names = re.findall(r"^export fn (\w+)\(\) -> bool", open(sys.argv[1]).read(), re.M)
assert names
for name in names:
    said = subprocess.run(
        ["gradus", "run", sys.argv[1], name] + sys.argv[2:],
        capture_output=True, text=True)
    assert said.stdout == "true\n", (name, said.stdout, said.stderr)
