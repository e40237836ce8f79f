"""same.py TOLERANCE FILE FILE...: the numbers of all files are those of the first,
each within the tolerance times its size, or that of 1."""
import sys

tolerance = float(sys.argv[1])
first, *others = [
    [float(word) for word in open(path).read().split()] for path in sys.argv[2:]
]
assert first
for numbers in others:
    assert len(numbers) == len(first), (first, numbers)
    for x, y in zip(first, numbers):
        assert abs(x - y) <= tolerance * (1 + abs(x)), (first, numbers)
