"""The facts of `gradus doctor --json` against the system's: FILE FOLDER."""
import json
import os
import sys

facts = json.load(open(sys.argv[1]))
assert facts["healthy"] is True
assert facts["libraries"]["llvm"].startswith("22.")
assert facts["libraries"]["zlib"]
cores = facts["cores"]
assert cores["affinity"] == len(os.sched_getaffinity(0)), cores
assert 1 <= cores["usable"] <= cores["affinity"] <= cores["processors"], cores
page = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
assert abs(facts["memory"]["bytes"] - page) < 0.01 * page, facts["memory"]
assert 0 < facts["memory"]["available_bytes"] <= facts["memory"]["bytes"]
assert facts["compiler"] == {
    "works": True,
    "failure": "",
    "seconds": facts["compiler"]["seconds"],
}
assert facts["runs"]["folder"] == os.path.join(sys.argv[2], "runs")
assert facts["runs"]["writable"] is True
for package in facts["data"]:
    assert package["present"] == os.path.isdir(package["folder"]), package
assert facts["cache"] is None
