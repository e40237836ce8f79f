#!/usr/bin/env python3
"""tidy-in-groups.py BUILD FILE...
Runs clang-tidy on FILEs, several in one translation unit: what it takes is mostly
for the headers of MLIR, whose checks the files of a unit share. Files that do not
compile together, since they use a name for different things, go into units of
their own. Exit code 1 if anything is found."""
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

LARGEST = 8  # files in a unit
HEADERS = r"(compiler|dialect|runtime|tools)/[^.]*\.(h|cpp)$"


def commands(build):
    """From each source file to its arguments for the compiler, without the file."""
    result = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        arguments = shlex.split(entry["command"])
        kept = [a for a in arguments if a not in ("-c", entry["file"])]
        at = kept.index("-o")
        result[os.path.realpath(entry["file"])] = kept[:at] + kept[at + 2 :]
    return result


class Groups:
    def __init__(self, build):
        self.folder = build / "tidy"
        self.folder.mkdir(exist_ok=True)
        self.build = build
        self.commands = commands(build)
        self.numbers = itertools.count()

    def of(self, files):
        """Files of one folder and with the same arguments, in units."""
        paths = sorted(os.path.realpath(file) for file in files)
        for missing in (path for path in paths if path not in self.commands):
            sys.exit(f"error: {missing} is not compiled")
        key = lambda path: (os.path.dirname(path), self.commands[path])
        for _, same in itertools.groupby(sorted(paths, key=key), key):
            same = list(same)
            units = -(-len(same) // LARGEST)
            for i in range(units):
                yield same[i::units]

    def check(self, paths):
        """What clang-tidy finds in files as one unit, or in smaller ones."""
        unit = self.folder / f"{next(self.numbers)}.cpp"
        unit.write_text("".join(f'#include "{path}"\n' for path in paths))
        done = subprocess.run(
            ["clang-tidy-22", "--quiet", "--warnings-as-errors=*",
             f"--header-filter={HEADERS}", "--checks=-bugprone-suspicious-include",
             f"--config-file={os.path.abspath('.clang-tidy')}", unit, "--"]
            + self.commands[paths[0]][1:],
            cwd=self.build, capture_output=True, text=True)
        if len(paths) > 1 and "clang-diagnostic-error" in done.stdout:
            half = len(paths) // 2
            return self.check(paths[:half]) + self.check(paths[half:])
        print(*(os.path.relpath(path) for path in paths), flush=True)
        if done.returncode == 0:
            return ""
        return done.stdout + done.stderr


def main():
    groups = Groups(pathlib.Path(sys.argv[1]).resolve())
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(groups.check, groups.of(sys.argv[2:])))
    print(re.sub(r"(?m)^\d+ warnings? .*generated\.\n", "", "".join(found)), end="")
    return 1 if any(found) else 0


sys.exit(main())
