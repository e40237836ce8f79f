"""Breaks files, and holds gradus to what it promises about broken ones:
mutants.py models FIRST COUNT MODEL.nn...: mutants number FIRST to FIRST + COUNT
    - 1 of each model are checked.
mutants.py bytes FIRST COUNT FILE COMMAND...: the command is run with mutants of
    the file in its place.
A mutant depends on its number and what it is made of alone.

Whatever the mutant, the exit code is 0 or 1, within a minute; 1 comes with one
to twenty errors that have codes; what is printed is text, and speaks of nothing
inside of the compiler. Of the commands here none runs out of memory or disk.
"""
import os
import pathlib
import random
import re
import subprocess
import sys

TOKEN = re.compile(rb'"[^"\n]*"|\w+|[ \t]+|\n|->|\.\.|\|>|[=<>!/]=|//|.', re.S)
INSIDE = re.compile(
    r"internal error|assert|mlir|llvm|linalg|memref|tensor<|nlohmann|json\.exc"
    r"|\b(graph|train|arith|scf|func|affine|vector)\.[a-z_]+\b|std::|basic_str",
    re.I,
)
PIECES = (
    b'0 1 -1 9223372036854775807 1e999 1e-400 0.5 " "" "x ( ) [ ] { } .. . , : ; '
    b"= == -> |> ~ @ ^ - // % not and if for fn let var param dim const train over "
    b"grad backward return requires real index(2) bool x B sum mean( reshape x.T "
    b"zeros[0] [] () \xff \xce\xb1 # ## ' $ import"
).split() + [b"\0", b"\t", b"\n", b"\r"]


def mutant_of_model(text, chance):
    """The text with one to four of its tokens, or stretches of them, changed."""
    words = sorted(set(re.findall(rb"\w+", text)))
    tokens = TOKEN.findall(text)
    for _ in range(chance.choice([1, 1, 1, 2, 3, 4])):
        if not tokens:
            break
        at, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        to = at + chance.choice([1, 1, 2, 3, 8, 30])
        kind = chance.randrange(8)
        if kind == 0:
            del tokens[at:to]
        elif kind == 1:
            tokens[other:other] = tokens[at:to]
        elif kind == 2:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif kind == 3:
            tokens[at] = chance.choice(PIECES)
        elif kind == 4:
            tokens.insert(at, chance.choice(PIECES))
        elif kind == 5 and chance.random() < 0.3:
            del tokens[at:]
        else:
            named = [i for i, token in enumerate(tokens) if token.isalnum()]
            tokens[chance.choice(named or [at])] = chance.choice(words)
    return b"".join(tokens)


def mutant_of_bytes(data, chance):
    """The bytes with one to four of them, or stretches, changed."""
    out = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4])):
        if not out:
            break
        at, count = chance.randrange(len(out)), chance.choice([1, 2, 8])
        kind = chance.randrange(6)
        if kind == 0:
            out[at] = chance.randrange(256)
        elif kind == 1:
            del out[at:]
        elif kind == 2:
            del out[at : at + count]
        elif kind == 3:
            out[at:at] = bytes(chance.randrange(256) for _ in range(count))
        elif kind == 4:
            out[at:at] = out[at : at + count]
        else:
            digits = [i for i, byte in enumerate(out) if chr(byte).isdigit()]
            out[chance.choice(digits or [at])] = ord(chance.choice("0379-e.nx"))
    return bytes(out)


def complaint(command):
    """What is wrong with what the command says, if anything."""
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "NO_COLOR": "1"},
            timeout=60,
        )
        said = done.stdout.decode()
    except subprocess.TimeoutExpired:
        return "it does not end"
    except UnicodeDecodeError as error:
        return f"what it prints is not UTF-8: {error.object!r}"
    errors = re.findall(r"^error\[E\d{4}\]: ", said, re.M)
    # The user's own lines and names are shown; what they hold is not ours.
    ours = re.sub(r"^ *\d+ \|.*$|`[^`\n]*`|\"[^\"\n]*\"", "", said, flags=re.M)
    inside = INSIDE.search(ours)
    if done.returncode not in (0, 1):
        return f"exit code {done.returncode}\n{said}"
    if done.returncode == 1 and not 1 <= len(errors) <= 20:
        return f"{len(errors)} errors\n{said}"
    if inside:
        return f"`{inside[0]}` is said\n{said}"
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", said):
        return f"control characters are printed\n{said!r}"
    return None


def main():
    kind, first, count, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), []
    files = sys.argv[4:] if kind == "models" else sys.argv[4:5]
    failures = 0
    for path in map(pathlib.Path, files):
        whole = path.read_bytes()
        for number in range(first, first + count):
            chance = random.Random(f"{path.name} {number}")
            if kind == "models":
                broken = pathlib.Path(f"{path.stem}-{number}.nn")
                broken.write_bytes(mutant_of_model(whole, chance))
                wrong = complaint(["gradus", "check", str(broken)])
            else:
                broken = path
                broken.write_bytes(mutant_of_bytes(whole, chance))
                wrong = complaint(sys.argv[5:])
            if wrong:
                failures += 1
                kept = pathlib.Path(f"{path.name}-{number}.kept")
                kept.write_bytes(broken.read_bytes())
                print(f"{kept}: {wrong}\n")
        if kind == "bytes":
            path.write_bytes(whole)
    return failures > 0


sys.exit(main())
