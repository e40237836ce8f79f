"""Holds the pages of `gradus explain` to what gradus does:
errors.py SOURCE FOLDER E03...: runs the examples of the pages whose codes begin
    so, in FOLDER; gradus is found by PATH. With --update, writes the messages
    of the wrong examples into the pages.
errors.py SOURCE --complete: every code has a page, every page a code.

A page, docs/errors/CODE.md:

    # E0312: what is wrong, in a few words

    Why it is wrong, and what to do.

    Wrong:

        the text of a model

        error[E0312]: what `gradus check wrong.nn` says to it

    Right:

        the text of a model that checks clean

Instead of a model there may be commands, `$ gradus ...`, each followed by what
it prints; "`FILE`:" above a text makes it a file of its own. For commands there
are the files of test/docs/Inputs/errors, a model line.nn with its data, and the
arrays below. A head that says "reported as E0901" is of a code that no command
provokes; its wrong example says that one.
"""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import zipfile

FENCE = "    "
FORM = (
    "write docs/errors/{}.md: what it means, a wrong example with its message, "
    "a right one (the form: tools/docs/errors.py; the message is filled in by "
    "tools/docs/errors.py SOURCE FOLDER {} --update)"
)


# Arrays for the commands: file, type, shape, values.
ARRAYS = [
    ("three.npy", "f4", [3], [1, 2, 3]),
    ("four.npy", "f4", [4], [1, 2, 3, 4]),
    ("empty.npy", "f4", [0], []),
    ("labels.npy", "i8", [3], [2, 0, 7]),
]


def npy(kind, shape, values):
    sizes = "".join(f"{size}, " for size in shape)
    head = f"{{'descr': '<{kind}', 'fortran_order': False, 'shape': ({sizes}), }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    letter = {"f4": "f", "i8": "q"}[kind]
    return (
        b"\x93NUMPY\x01\x00"
        + struct.pack("<H", len(head))
        + head.encode()
        + struct.pack(f"<{len(values)}{letter}", *values)
    )


def idx(shape, values):
    sizes = b"".join(struct.pack(">I", size) for size in shape)
    return bytes([0, 0, 8, len(shape)]) + sizes + bytes(values)


def write_inputs(folder):
    for name, kind, shape, values in ARRAYS:
        (folder / name).write_bytes(npy(kind, shape, values))
    with zipfile.ZipFile(folder / "values.npz", "w") as archive:
        archive.writestr("x.npy", npy("f4", [3], [1, 2, 3]))
    (folder / "images.idx").write_bytes(idx([2, 2, 2], range(8)))
    (folder / "labels.idx").write_bytes(idx([2], [1, 3]))


class Section:
    """`Wrong:` or `Right:`: files, then commands with what they print."""

    def __init__(self, name):
        self.name = name
        self.files = []  # (name, lines)
        self.commands = []  # [command, lines of the page it prints]


def parse(text):
    """The head of a page, and its sections."""
    head, section, name = [], None, None
    sections = []
    for line in text.splitlines():
        start = re.fullmatch(r"(Wrong|Right):", line)
        file = re.fullmatch(r"`([\w.-]+)`:", line)
        if start:
            section = Section(start[1])
            sections.append(section)
            name = start[1].lower() + ".nn"
        elif section is None:
            head.append(line)
        elif file:
            name = file[1]
        elif line.startswith(FENCE + "$ "):
            section.commands.append([line[len(FENCE) + 2 :], []])
        elif re.match(FENCE + r"(error|warning)\[", line) and not section.commands:
            section.commands.append([None, [line[len(FENCE) :]]])
        elif section.commands:
            if line:
                section.commands[-1][1].append(line[len(FENCE) :])
        elif line.startswith(FENCE):
            if not section.files or section.files[-1][0] != name:
                section.files.append((name, []))
            section.files[-1][1].append(line[len(FENCE) :])
        elif line:
            raise ValueError(f"what is {line!r}?")
    return head, sections


def render(head, sections):
    out = list(head)
    for section in sections:
        out += [section.name + ":", ""]
        for name, lines in section.files:
            if name != section.name.lower() + ".nn" or len(section.files) > 1:
                out += [f"`{name}`:", ""]
            out += [FENCE + line for line in lines] + [""]
        for command, lines in section.commands:
            if command is not None:
                out.append(FENCE + "$ " + command)
            out += [(FENCE + line).rstrip() for line in lines]
        if section.commands:
            out.append("")
    return "\n".join(out).rstrip() + "\n"


def run(section, folder, inputs):
    """What each command prints, and the last exit code."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(inputs, folder)
    write_inputs(folder)
    for name, lines in section.files:
        (folder / name).write_text("\n".join(lines) + "\n")
    results, code = [], 0
    default = f"gradus check {section.name.lower()}.nn"
    for command, _ in section.commands or [[None, []]]:
        done = subprocess.run(
            command or default,
            shell=True,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "NO_COLOR": "1"},
            timeout=60,
        )
        text = done.stdout.decode(errors="replace")
        # Under ASan an allocation that fails is said twice.
        text = re.sub(r"==\d+==WARNING: AddressSanitizer failed .*\n", "", text)
        results.append((command, [line.rstrip() for line in text.splitlines()]))
        code = done.returncode
    return results, code


def check_page(path, folder, inputs, update):
    """A list of what is wrong with a page."""
    code = path.stem
    head, sections = parse(path.read_text())
    if not re.match(rf"# {code}: [a-z`/]", head[0]):
        return [f"{path}: the title is `# {code}: ...`, in lower case"]
    if [section.name for section in sections] != ["Wrong", "Right"]:
        return [f"{path}: `Wrong:` and `Right:` are missing"]
    wrong, right = sections
    failures = []
    results, status = run(wrong, folder / code, inputs)
    said = "\n".join(line for _, lines in results for line in lines)
    found = set(re.findall(r"^(?:error|warning)\[(\w+)\]", said, re.M))
    instead = re.search(r"reported\s+as (E\d{4})", "\n".join(head))
    isMachines = "E1050" <= code < "E1060"
    expected = 3 if isMachines else 2 if code in ("E0513", "E1044") else 1
    if said.startswith("warning["):
        expected = 0
    if found != {instead[1] if instead else code} or status != expected:
        failures.append(f"{path}: exit code {status}, and it says:\n{said}")
    printed = [[command, lines] for command, lines in results]
    if update and not failures:
        wrong.commands = printed
        path.write_text(render(head, sections))
    elif wrong.commands != printed:
        failures.append(
            f"{path}: the page is not up to date (--update); now it says:\n{said}"
        )
    results, status = run(right, folder / code, inputs)
    if status != 0:
        said = "\n".join(line for _, lines in results for line in lines)
        failures.append(f"{path}: the right example fails:\n{said}")
    return failures


def check_complete(source):
    codes = set()
    for table in ["compiler/Diagnostics.def", "runtime/Errors.def"]:
        text = (source / table).read_text()
        codes.update(re.findall(r"^DIAGNOSTIC\((\w+),", text, re.M))
    pages = {path.stem for path in (source / "docs/errors").glob("*.md")}
    failures = [
        f"{code} has no page: " + FORM.format(code, code)
        for code in sorted(codes - pages)
    ]
    return failures + [
        f"docs/errors/{page}.md explains a code that does not exist"
        for page in sorted(pages - codes)
    ]


def main():
    arguments = [word for word in sys.argv[1:] if not word.startswith("--")]
    source = pathlib.Path(arguments[0])
    failures = []
    if "--complete" in sys.argv:
        failures = check_complete(source)
    else:
        folder = pathlib.Path(arguments[1])
        inputs = source / "test/docs/Inputs/errors"
        for path in sorted((source / "docs/errors").glob("*.md")):
            if path.stem.startswith(tuple(arguments[2:])):
                try:
                    failures += check_page(
                        path, folder, inputs, "--update" in sys.argv
                    )
                except ValueError as error:
                    failures.append(f"{path}: {error}")
    print(*failures, sep="\n\n")
    return bool(failures)


sys.exit(main())
