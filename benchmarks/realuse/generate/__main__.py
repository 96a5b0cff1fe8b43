"""Write every data file anew."""

from __future__ import annotations

from benchmarks.realuse.generate import MAKERS, make
from benchmarks.realuse.task import DATA


def main() -> None:
    DATA.mkdir(exist_ok=True)
    for name in MAKERS:
        content = make(name)
        (DATA / name).write_bytes(content)
        print(f"{len(content):7} {name}")


if __name__ == "__main__":
    main()
