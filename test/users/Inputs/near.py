"""near.py TOLERANCE NUMBER...: the numbers on stdin are these, each within the
tolerance times its size, or that of 1."""
import re
import sys

tolerance = float(sys.argv[1])
expected = [float(word) for word in sys.argv[2:]]
text = re.sub(r"^\w+:$", "", sys.stdin.read(), flags=re.M)
found = [float(word) for word in text.split()]
assert len(found) == len(expected), (found, expected)
for x, y in zip(found, expected):
    assert x == y or abs(x - y) <= tolerance * (1 + abs(y)), (found, expected)
