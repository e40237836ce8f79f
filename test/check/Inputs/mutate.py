# mutate.py MODEL FOLDER COUNT: writes COUNT variants of MODEL into FOLDER, each
# with one word taken out, doubled, exchanged or replaced, or cut off at the end,
# and checks them. A variant may be right or refused; it may not crash, hang or
# be called an internal error.
import os
import random
import re
import subprocess
import sys

model, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
words = re.findall(r"\w+|\s+|#[^\n]*|.", open(model).read())
strange = ["(", "]", "}", "..", "= ", "-1", "0", "1e400", '"', "real", "grad(",
           "\n", "99999999999999999999", "\0", "\u00e9", "|>", "B", ","]
dice = random.Random(os.path.basename(model))
refused = 0
for number in range(count):
    at = dice.randrange(len(words))
    other = dice.randrange(len(words))
    variant = list(words)
    change = dice.choice(["drop", "double", "exchange", "replace", "cut"])
    if change == "drop":
        del variant[at]
    elif change == "double":
        variant.insert(at, variant[at])
    elif change == "exchange":
        variant[at], variant[other] = variant[other], variant[at]
    elif change == "replace":
        variant[at] = dice.choice(strange)
    else:
        del variant[at:]
    path = os.path.join(folder, f"variant{number}.nn")
    with open(path, "w") as file:
        file.write("".join(variant))
    try:
        done = subprocess.run(["gradus", "check", path], capture_output=True,
                              text=True, timeout=60)
    except subprocess.TimeoutExpired:
        sys.exit(f"{path}: does not end")
    if done.returncode not in (0, 1) or "internal" in done.stderr:
        sys.exit(f"{path}: exit code {done.returncode}\n{done.stderr}")
    refused += done.returncode
    os.remove(path)
# Were nothing refused, nothing would have been changed.
sys.exit(0 if refused > count // 4 else f"only {refused} were refused")
