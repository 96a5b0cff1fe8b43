from __future__ import annotations

import re
import subprocess
import sys

from cli_program import Program


def test_all_that_is_needed_works(ocint: Program) -> None:
    done = ocint("doctor")
    assert done.code == 0, done.out
    for what in ("Python", "isolation", "kernel", "packages", "network", "sessions", "models"):
        assert re.search(rf"^ok   {what} ", done.out, re.MULTILINE), done.out
    assert re.search(r"^warn model .*not here yet", done.out, re.MULTILINE)
    assert "→ ocint models pull qwen2.5-coder-1.5b" in done.out


def test_json(ocint: Program) -> None:
    found = {row["what"]: row for row in ocint("doctor", "--json").events}
    assert found["isolation"]["state"] == "ok"
    assert found["model"]["mend"].startswith("ocint models pull")


def test_settings_and_where_they_come_from(ocint: Program) -> None:
    ocint.set("max_rounds = 3\n[limits]\nwall_seconds = 9")
    done = ocint("doctor", "--config", OCINT_TEMPERATURE="0.5", OCINT_LIMITS_MEMORY_MB="none")
    rows = dict(line.split("\t", 1) for line in done.out.splitlines() if "\t" in line)
    assert rows["max_rounds"] == f"3\t{ocint.config}"
    assert rows["limits.wall_seconds"] == f"9.0\t{ocint.config}"
    assert rows["temperature"] == "0.5\tOCINT_TEMPERATURE"
    assert rows["limits.memory_mb"] == "none\tOCINT_LIMITS_MEMORY_MB"
    assert rows["model"] == "qwen2.5-coder-1.5b\tdefault"


def test_a_broken_configuration_fails(ocint: Program) -> None:
    ocint.set("max_rounds = 0")
    done = ocint("doctor")
    assert done.code == 1
    assert re.search(r"^fail configuration .*max_rounds", done.out, re.MULTILINE)


def test_an_environment_without_ipykernel_fails(ocint: Program) -> None:
    bare = ocint.folder / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    done = ocint("doctor", "--python", str(bare))
    assert done.code == 1
    assert re.search(r"^fail kernel .*ipykernel", done.out, re.MULTILINE)


def test_no_isolation_is_a_warning(ocint: Program) -> None:
    done = ocint("doctor", OCINT_BACKEND="none")
    assert done.code == 0
    assert re.search(r"^warn isolation .*all your rights \(OCINT_BACKEND\)", done.out, re.MULTILINE)
    assert re.search(r"^warn network ", done.out, re.MULTILINE)


def test_a_model_name_that_is_wrong_fails(ocint: Program) -> None:
    done = ocint("doctor", "-m", "qwen2.5-coder-15b")
    assert done.code == 1
    assert "did you mean" in done.out
