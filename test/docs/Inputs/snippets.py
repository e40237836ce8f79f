"""snippets.py PAGE: checks each indented block of a page as a model of its own
with gradus, which is found by PATH; prints what is wrong, and how many there are."""
import pathlib
import re
import subprocess
import sys

page = pathlib.Path(sys.argv[1]).read_text()
blocks = re.findall(r"^\n((?:    .*\n|\n(?=    ))+)", page, re.M)
for block in blocks:
    model = re.sub("^    ", "", block, flags=re.M)
    pathlib.Path("snippet.nn").write_text(model)
    found = subprocess.run(["gradus", "check", "snippet.nn"], capture_output=True, text=True)
    if found.returncode or found.stderr:
        print(model, found.stderr, sep="\n")
print(f"{len(blocks)} models")
