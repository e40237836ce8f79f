"""Runs a command on a terminal of its own and prints what it shows, with
escapes as ESC: [NAME=VALUE...] COMMAND...; NO_COLOR is unset before."""
import os
import pty
import sys

words = sys.argv[1:]
os.environ.pop("NO_COLOR", None)
os.environ["TERM"] = "xterm"
while "=" in words[0]:
    name, value = words.pop(0).split("=", 1)
    os.environ[name] = value
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(words[0], words)
shown = b""
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:  # the other end is closed
        break
    if not piece:
        break
    shown += piece
os.waitpid(pid, 0)
print(shown.decode().replace("\x1b", "ESC").replace("\r", ""))
