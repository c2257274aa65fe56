"""Writes unseen handbooks for the bench.   Run:  python -m handbooks --seed 7 --out DIR --count 3"""

import argparse
from pathlib import Path

from .books import write_book


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=3)
    args = parser.parse_args(argv)
    for i in range(args.count):
        folder = args.out / f"handbook-{i + 1}"
        write_book(args.seed * 1000 + i, folder)
        print(folder)


if __name__ == "__main__":
    main()
