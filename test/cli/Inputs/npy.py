"""npy.py FILE TYPE SHAPE [VALUE...]: writes an npy file, as 0, 1, 2, ... without
values. TYPE is f4, f8, i8 or u1; SHAPE is like 2,64 or - for a scalar."""
import math
import struct
import sys

path, kind, shape, *values = sys.argv[1:]
dims = [] if shape == "-" else [int(size) for size in shape.split(",")]
count = math.prod(dims)
letter = {"f4": "f", "f8": "d", "i8": "q", "u1": "B"}[kind]
number = int if letter in "qB" else float
numbers = [number(value) for value in values] or list(range(count))
sizes = "".join(f"{size}, " for size in dims)
header = f"{{'descr': '<{kind}', 'fortran_order': False, 'shape': ({sizes}), }}"
header += " " * (-(len(header) + 11) % 64) + "\n"
with open(path, "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)))
    file.write(header.encode() + struct.pack(f"<{count}{letter}", *numbers))
