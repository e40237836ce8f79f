"""gradcheck.py FILE MODEL: what `gradus gradcheck MODEL.nn --json` has found."""
import json
import sys

result = json.load(open(sys.argv[1]))
model = sys.argv[2]
assert result["model"] == model + ".nn", result
verdicts = {}
for derivative in result["derivatives"]:
    for row in derivative["by"]:
        verdicts[row["name"]] = row["verdict"]
        assert row["checked"] == sum(row["counts"].values()) or (
            # With a sample comes a direction.
            row["checked"] + 1 == sum(row["counts"].values())
        ), row
        if row["verdict"] == "OK":
            assert row["relative"] < 1e-4, row
            error = abs(row["analytic"] - row["numeric"])
            assert error <= row["absolute"] or error < 1e-12, row

if model == "digits":
    assert result["right"] and result["seed"] == 3 and result["rows"] == 8
    assert result["data"] == "train of digits"
    assert set(verdicts) == {"fc1.W", "fc1.b", "fc2.W", "fc2.b", "x"}, verdicts
    assert set(verdicts.values()) == {"OK"}, verdicts
    loss, relu = result["derivatives"]
    assert loss["of"] == "loss" and not loss["backward"]
    assert (loss["file"], loss["line"]) == ("digits.nn", 12), loss
    assert relu["of"] == "relu" and relu["backward"]
elif model == "wrong":
    assert not result["right"]
    assert set(verdicts.values()) == {"WRONG"}, verdicts
    for derivative in result["derivatives"]:
        for row in derivative["by"]:
            assert row["verdict"] == "WRONG" and row["index"].startswith("[")
    (x,) = result["derivatives"][1]["by"]
    assert abs(x["analytic"] / x["numeric"] - 1.01) < 1e-4, x
    assert abs(x["relative"] - 0.01 / 1.01) < 1e-4, x
elif model == "clipped":
    orders = {1: [], 2: []}
    for one in result["derivatives"]:
        orders[one["order"]].append(one)
    assert [one["of"] for one in orders[1]] == ["loss", "loss", "clipped", "softplus"]
    for first, second in zip(orders[1], orders[2]):
        assert first["of"] == second["of"] and first["line"] == second["line"]
        assert "unchecked" not in first
    reason = "the `backward` of `clipped` cannot be differentiated again"
    refused = [one.get("unchecked") for one in orders[2]]
    assert refused == [reason, None, reason, None], refused
    for one in orders[2][1::2]:
        for row in one["by"]:
            assert row["verdict"] == "OK" and 1.5 < row["slope"] < 3.5, row
elif model == "twice":
    assert not result["right"]
    wrong = [
        (op["op"], op["backward"], op["line"], row["name"])
        for op in result["ops"]
        for row in op["by"]
        if row["verdict"] == "WRONG"
    ]
    assert wrong == [("root", True, 6, "x")], wrong
    assert len(result["ops"]) > 5
elif model == "kinks":
    assert result["right"]
    assert verdicts["kink"] == verdicts["tie"] == "KINK", verdicts
    assert verdicts["both"] == "KINK", verdicts
    assert verdicts["held"] == "OK", verdicts
    assert verdicts["single"] in ("OK", "NOISE"), verdicts
else:
    assert False, model
