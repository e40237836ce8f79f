"""messages.py COMMAND...: runs a command with --diagnostics=json; stderr must be
JSON objects alone, one a line. Prints them short: level, code, message, spans,
then notes, help and edits. Ends with the command's exit code."""
import json
import subprocess
import sys

run = subprocess.run(sys.argv[1:] + ["--diagnostics=json"], stderr=subprocess.PIPE)


def place(span):
    line, column = span["line_start"], span["column_start"]
    return f"{span['file_name']}:{line}:{column}-{span['column_end']}"


for line in run.stderr.decode().splitlines():
    message = json.loads(line)
    assert message["$message_type"] == "diagnostic", message
    code = message["code"] and message["code"]["code"]
    print(message["level"], code, message["message"])
    if code:
        assert message["code"]["explanation"].startswith(f"# {code}: "), message
        assert message["rendered"].startswith(f"error[{code}]: "), message
    for span in message["spans"]:
        mark = "^" if span["is_primary"] else "-"
        print(" ", mark, place(span), span["label"], span.get("detail") or "")
        if span["byte_start"] is not None:
            with open(span["file_name"], "rb") as file:
                text = file.read()[span["byte_start"] : span["byte_end"]]
            print("    marks", text.decode())
    for child in message["children"]:
        print(" ", child["level"], child["message"])
        for edit in child["spans"]:
            print("    edit", place(edit), repr(edit["suggested_replacement"]))
sys.exit(run.returncode)
