"""Prints the mlir blocks of the dialect's generated page as one file for
gradus-opt -split-input-file: doc-examples.py SOURCE."""
import pathlib
import re
import subprocess
import sys

source = pathlib.Path(sys.argv[1])
page = subprocess.run(
    ["mlir-tblgen", "-gen-dialect-doc", "-dialect=graph", "-I", str(source),
     "-I", "/usr/lib/llvm-22/include", str(source / "dialect/GraphOps.td")],
    capture_output=True, check=True, text=True).stdout
examples = re.findall(r"```mlir\n(.*?)```", page, re.S)
print("\n// -----\n".join(examples))
