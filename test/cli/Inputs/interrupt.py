"""interrupt.py COMMAND...: runs it, sends SIGINT once the first epoch is
reported on stderr, and wants the exit code 130. Prints what stderr said."""
import signal
import subprocess
import sys

process = subprocess.Popen(
    sys.argv[1:], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
)
for line in process.stderr:
    print(line, end="")
    if line.startswith("epoch "):
        process.send_signal(signal.SIGINT)
        break
for line in process.stderr:
    print(line, end="")
if process.wait() != 130:
    sys.exit(f"exit code {process.returncode}")
