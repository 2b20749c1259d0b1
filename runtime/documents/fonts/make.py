"""Makes the two fonts of this folder from Noto Sans: `python -m runtime.documents.fonts.make FOLDER`.

FOLDER holds NotoSans-Regular.ttf and NotoSans-Bold.ttf as Debian's `fonts-noto-core` has them. Kept are Latin, Greek,
Cyrillic, currency signs and the box that stands for letters that are not there.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

KEPT = (
    "U+0020-007E,U+00A0-024F,U+0259,U+02BB-02BC,U+02C6-02C7,U+02D8-02DD,U+0300-0304,U+0306-030C,U+0327,U+0328,"
    "U+0370-03FF,U+0400-04FF,U+1E00-1E9F,U+1EF2-1EF3,U+1F00-1FFF,U+2010-2015,U+2018-201E,U+2020-2022,U+2026,U+202F,"
    "U+2030,U+2032-2033,U+2039-203A,U+2044,U+2070-2079,U+2080-2089,U+20A0-20BF,U+2113,U+2116,U+2122,U+2126,U+2202,"
    "U+2206,U+220F,U+2211-2212,U+221A,U+221E,U+222B,U+2248,U+2260,U+2264-2265,U+25A1,U+25CA,U+FFFD"
)


def main(source: str) -> None:
    """Write both fonts beside this file."""
    for weight in ("Regular", "Bold"):
        name = f"NotoSans-{weight}.ttf"
        subprocess.run(
            [
                sys.executable, "-m", "fontTools.subset", str(Path(source) / name), f"--unicodes={KEPT}",
                "--layout-features=", "--no-hinting", "--name-IDs=*",
                f"--output-file={Path(__file__).with_name(name)}",
            ],
            check=True,
        )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
