"""Measurements of Gradus and PyTorch, each in a process of its own, pinned to the
same cores. Gradus measures its multiply-add peak between its own steps."""
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
CORES = sorted(os.sched_getaffinity(0))
# Debian's PyTorch is a module of Debian's Python.
PYTHON = "/usr/bin/python3"
ALLOCATOR = pathlib.Path("/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4")


def widest_vectors():
    """What ATEN_CPU_CAPABILITY calls the best that this processor has."""
    flags = re.search(
        r"^flags\s*:(.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.M
    )
    found = set(flags[1].split()) if flags else set()
    if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= found:
        return "avx512"
    return "avx2" if {"avx2", "fma"} <= found else "default"


def environment():
    """Without what would make OpenBLAS or PyTorch slower than they are."""
    slower = ("OPENBLAS_", "OMP_", "GOMP_", "MKL_", "ATEN_", "LD_PRELOAD")
    return {k: v for k, v in os.environ.items() if not k.startswith(slower)}


def torch_environment(threads):
    allocator = {"LD_PRELOAD": str(ALLOCATOR)} if ALLOCATOR.exists() else {}
    return (
        environment()
        | allocator
        | {
            "OMP_NUM_THREADS": str(threads),
            "OPENBLAS_NUM_THREADS": str(threads),
            "ATEN_CPU_CAPABILITY": widest_vectors(),
        }
    )


def busy_seconds():
    """Of all cores since the machine started, guests of others included."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq, steal = map(
            int, file.readline().split()[1:9]
        )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(command, cores, variables):
    """The JSON that a command prints, with "others": how many cores other processes
    kept busy meanwhile. It runs on the last cores, as interrupts like the first."""
    busy, own, begin = busy_seconds(), children_seconds(), time.monotonic()
    os.sched_setaffinity(0, CORES[-cores:])
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    os.sched_setaffinity(0, CORES)
    elapsed = time.monotonic() - begin
    if done.returncode:
        sys.exit(f"{done.stderr}error: failed: {' '.join(map(str, command))}")
    others = busy_seconds() - busy - (children_seconds() - own)
    return json.loads(done.stdout) | {"others": max(0, others / elapsed)}


def gradus(
    program, folder, name, threads, seconds, dims=(), flags=(), cache=None, cores=None
):
    """What `gradus bench` measures of a workload, with compiled code in the folder
    `cache` or none, on so many cores as threads or on `cores`."""
    command = [program, "bench", folder / f"{name}.nn", *dims, *flags, "--json"]
    command += [] if cache else ["--no-cache"]
    weights = folder / f"{name.split('-')[0]}.safetensors"
    if weights.exists():
        command += ["--weights", weights]
    command += ["--threads", str(threads), "--seconds", str(seconds)]
    variables = environment() | ({"GRADUS_CACHE": str(cache)} if cache else {})
    return measured(command, cores or threads, variables)


def torch(folder, name, threads, seconds, variant, dims=(), flags=(), cores=None):
    """What torch_workloads.py measures of a workload."""
    command = [PYTHON, HERE / "torch_workloads.py", folder, name, *dims, *flags]
    command += [
        "--variant",
        variant,
        "--threads",
        str(threads),
        "--seconds",
        str(seconds),
    ]
    return measured(command, cores or threads, torch_environment(threads))
