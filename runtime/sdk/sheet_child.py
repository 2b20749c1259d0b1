"""Run as a process of its own: reads the spreadsheet that is its standard input and writes a JSON line for each row.

A workbook of a few kilobytes can stand for terabytes. So it is opened only here, where the system itself sees to it
that no more memory and time is taken than was given. Arguments: bytes of memory, seconds of time, the sheet's name or
nothing, how many rows are passed over. The first line holds the names of the sheets.
"""

from __future__ import annotations

import datetime
import json
import resource
import sys
from itertools import islice
from typing import Any


def main() -> None:
    memory, seconds, wanted, passed = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Now nothing of what it imports or reads can take more.
    from python_calamine import CalamineWorkbook

    with open(0, "rb", closefd=False) as file:
        book = CalamineWorkbook.from_filelike(file)
        names = book.sheet_names
        print(json.dumps(names))
        if wanted and wanted not in names:
            return
        sheet = book.get_sheet_by_name(wanted) if wanted else book.get_sheet_by_index(0)
        for row in islice(sheet.iter_rows(), passed, None):
            print(json.dumps([_plain(value) for value in row], ensure_ascii=True, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(timespec="seconds")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return str(value)
    return value


if __name__ == "__main__":
    main()
