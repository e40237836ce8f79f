"""close.py A.csv B.csv BOUND [differ]: the numbers of both agree within BOUND
(relative for large ones, absolute for small ones) and, if so asked, are not the
same: then one of them was not computed."""
import sys


def read(path):
    rows = open(path).readlines()[1:]
    return [float(number) for row in rows for number in row.split(",")]


a, b = read(sys.argv[1]), read(sys.argv[2])
assert len(a) == len(b) > 0, (len(a), len(b))
worst = max(abs(x - y) / (1 + abs(y)) for x, y in zip(a, b))
assert worst < float(sys.argv[3]), worst
assert "differ" not in sys.argv or a != b
