"""Types a line and Tab into zsh and prints what it becomes: SCRIPT LINE."""
import os
import pty
import select
import sys
import time

script, line = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": "."}
    os.execvpe("zsh", ["zsh", "-f", "-i"], environment)


def read(until, seconds=20):
    text = ""
    deadline = time.monotonic() + seconds
    while until not in text and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            text += os.read(terminal, 4096).decode(errors="replace")
    assert until in text, text
    return text


# The line is printed by a command of its own: what the editor draws is not.
setup = (
    "PS1='> '; unsetopt prompt_sp; autoload -U compinit; compinit -u -D; "
    f"source {script}; "
    "show() { print -r -- \"LINE<$BUFFER>END\" }; zle -N show; "
    "bindkey '^X' show; echo rea''dy\n"
)
os.write(terminal, setup.encode())
read("ready")
os.write(terminal, line.encode() + b"\t\x18")
text = read(">END")
print(text[text.rindex("LINE<") + 5 : text.rindex(">END")])
os.write(terminal, b"\x03\x04")
os.close(terminal)
os.waitpid(pid, 0)
