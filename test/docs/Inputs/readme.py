"""The README says what is so: readme.py SOURCE.

Listings that follow a line ending in "`path`:" equal that file, the commands of
its shell blocks and the files it names exist, and its table of stages is that
of the folders in compiler/ and of Stages.def.
"""
import pathlib
import re
import shutil
import sys

source = pathlib.Path(sys.argv[1])
readme = (source / "README.md").read_text()
failures = []

listings = re.findall(r"`([\w./-]+)`:\n\n```\w*\n(.*?)```", readme, re.S)
for path, text in listings:
    if (source / path).read_text() != text:
        failures.append(f"the listing of {path} differs from the file")

for block in re.findall(r"```sh\n(.*?)```", readme, re.S):
    for line in block.splitlines():
        command = line.split()[0]
        if command == "build/bin/gradus":
            continue
        if not (source / command).is_file() and not shutil.which(command):
            failures.append(f"there is no command {command}")

for path in re.findall(r"`((?:\w[\w.-]*/)+[\w.-]*)`", readme):
    built = path.startswith("build")
    if not built and not (source / path).exists():
        failures.append(f"there is no {path}")

table = re.findall(r"^\| `compiler/(\w+)/`", readme, re.M)
folders = sorted(p.name for p in (source / "compiler").iterdir() if p.is_dir())
if table != folders:
    failures.append(f"stages in the table: {table}, folders: {folders}")

shown = re.findall(r"--emit=(\w+)", readme.split("| tests |")[1].split("\n\n")[0])
flags = re.findall(
    r'^STAGE\(\w+, "(\w+)"', (source / "compiler/Stages.def").read_text(), re.M
)
if shown != flags:
    failures.append(f"--emit in the table: {shown}, in Stages.def: {flags}")

print(*failures, sep="\n")
sys.exit(bool(failures))
