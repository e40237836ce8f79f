"""Reads the help of every verb and runs its examples in the current folder."""
import json
import re
import subprocess


def run(command):
    result = subprocess.run(
        command, shell=True, capture_output=True, text=True
    )
    assert result.returncode == 0, (command, result)
    return result.stdout


verbs = re.findall(r"^  (\w+)  +\w", run("gradus help --all"), re.M)
assert "train" in verbs and "explain" in verbs, verbs
for verb in verbs:
    text = run(f"gradus {verb} --help")
    assert text == run(f"gradus help {verb}")
    assert all(len(line) < 80 for line in text.splitlines()), text
    assert text.startswith(f"Usage: gradus {verb}")
    codes = text.split("\nExit codes:\n")[1].splitlines()
    numbers = [int(line.split()[0]) for line in codes if line[2] != " "]
    assert {0, 1, 3, 125} <= set(numbers) and numbers == sorted(numbers), codes
    examples = re.search(r"\nExamples:\n((?:  .*\n)+)", text).group(1)
    for example in examples.splitlines():
        assert f"gradus {verb}" in example, example
        # What stands behind `#` says what to expect.
        output = run(example)
        if ">" not in example and "--json" in example:
            json.loads(output)
