"""Damages every file of a folder: damage.py flip|cut FOLDER."""
import pathlib
import sys

for path in pathlib.Path(sys.argv[2]).iterdir():
    data = bytearray(path.read_bytes())
    if sys.argv[1] == "flip":
        data[-1] ^= 1
    else:
        del data[-len(data) // 3 :]
    path.write_bytes(data)
