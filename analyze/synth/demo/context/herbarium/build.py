"""Copies static files under names that hold a hash of their content."""

import hashlib
import pathlib
import sys


def hashed(path: pathlib.Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return f"{path.stem}-{digest}{path.suffix}"


if __name__ == "__main__":
    source = pathlib.Path(__file__).parent / "assets"
    target = pathlib.Path(sys.argv[1])
    target.mkdir()
    for path in sorted(source.iterdir()):
        (target / hashed(path)).write_bytes(path.read_bytes())
