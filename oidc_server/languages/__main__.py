"""`make languages`: what the catalogues lack, a line each; nothing is printed when they are complete."""

from __future__ import annotations

import sys

from .extraction import report

if __name__ == "__main__":
    lines = report()
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.exit(1 if lines else 0)
