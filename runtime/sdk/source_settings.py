"""The settings of what is read a page at a time, for steps that do something for each entry of it."""

from __future__ import annotations

from typing import Any, Final, Literal

from runtime.sdk.datatable_pages import DataTablePages
from runtime.sdk.datatables import RowCondition, filters_of, table_id
from runtime.sdk.fields import Config, Text, as_text, field
from runtime.sdk.files import file_id
from runtime.sdk.http_pages import HttpPages
from runtime.sdk.json_lines import LinePages, is_lines
from runtime.sdk.prepared_pages import PreparedPages
from runtime.sdk.table_pages import TablePages
from runtime.sdk.table_value import is_table

__all__ = ["DataTableSettings", "FileSettings", "PagesSettings"]

_PAGES: Final = {"source": ["pages"]}
_FILE: Final = {"source": ["file"]}
_TABLE: Final = {"source": ["table"]}
_MOST_PAGES: Final = 100_000


class FileSettings(Config):
    """The rows of a file: shown where `source` is `file`."""

    file: Any = field(
        None,
        title="File",
        help="A CSV file or an Excel workbook (.xlsx): one of this workspace, or what an earlier step or an upload "
        "gives; or the rows of a file that the start asked for, which say themselves how they are read; or what "
        "reconciling two lists found. Each row goes through the steps inside, as “item” with the names of the columns.",
        widget="file",
        expression=True,
        required=True,
        placeholder="{{ trigger.file }}",
        show_if=_FILE,
        group="Rows of the file",
        order=10,
    )
    header: Literal["auto", "yes", "no"] = field(
        "auto",
        title="Names of the columns",
        widget="choice",
        options=(("auto", "Find out"), ("yes", "In the first row"), ("no", "There are none")),
        show_if=_FILE,
        group="Rows of the file",
        order=11,
    )
    sheet: Text = field(
        "",
        title="Sheet",
        help="Empty: the first one.",
        expression=True,
        show_if=_FILE,
        group="Rows of the file",
        order=12,
        max_length=100,
    )
    delimiter: Literal["auto", ";", ",", "tab", "|"] = field(
        "auto",
        title="Columns are separated by",
        widget="choice",
        options=(("auto", "Find out"), (";", "Semicolon"), (",", "Comma"), ("tab", "Tab"), ("|", "Bar")),
        show_if=_FILE,
        group="Rows of the file",
        advanced=True,
        order=13,
    )
    key_column: Text = field(
        "",
        title="Column that tells rows apart",
        help="Such as the number of the customer. With it, a row that comes twice is done once.",
        placeholder="Customer",
        show_if=_FILE,
        group="Rows of the file",
        order=14,
        max_length=200,
    )

    def rows_of_file(self, *, most: int) -> TablePages | LinePages:
        """What reads them; a file with more than `most` is refused. Raises PermanentError where it is no file."""
        if is_lines(self.file):
            return LinePages(self.file, most)
        if is_table(self.file):
            return PreparedPages(self.file, most_rows=most, key_column=self.key_column)
        file_id(self.file)
        return TablePages(
            self.file,
            header={"auto": None, "yes": True, "no": False}[self.header],
            sheet=self.sheet,
            delimiter={"auto": "", "tab": "\t"}.get(self.delimiter, self.delimiter),
            most_rows=most,
            key_column=self.key_column,
        )


class DataTableSettings(Config):
    """The rows of a data table: shown where `source` is `table`."""

    table: str = field(
        "",
        title="Table",
        help="Each row goes through the steps inside, as “item” with the names of the columns. Rows that are added "
        "meanwhile are left for the next run.",
        widget="data-table",
        required=True,
        show_if=_TABLE,
        group="Rows of the table",
        order=10,
        max_length=64,
    )
    match: Literal["all", "any"] = field(
        "all",
        title="Rows for which",
        widget="choice",
        options=(("all", "all of these hold"), ("any", "any of these holds")),
        show_if=_TABLE,
        group="Rows of the table",
        order=11,
    )
    conditions: list[RowCondition] = field(
        default_factory=list,
        title="Conditions",
        help="None: all rows.",
        widget="list",
        hints={"add": "Add a condition"},
        show_if=_TABLE,
        group="Rows of the table",
        order=12,
        max_length=20,
    )

    def rows_of_table(self, *, most: int) -> DataTablePages:
        """What reads them; a table with more than `most` is refused. Raises PermanentError where it is none."""
        table_id(self.table)
        return DataTablePages(self.table, filters_of(self.conditions, any_of=self.match == "any"), most)


class Pair(Config):
    name: str = field(title="Name", order=1, min_length=1, max_length=200)
    value: Any = field("", title="Value", expression=True, order=2)


class PagesSettings(Config):
    """A list that another system gives out page by page: shown where `source` is `pages`."""

    url: Text = field(
        "",
        title="Address of the first page",
        help="Begins with https:// or http://. It is read with GET.",
        widget="url",
        expression=True,
        required=True,
        placeholder="https://api.example.com/orders",
        show_if=_PAGES,
        group="Pages",
        order=10,
        max_length=8000,
    )
    connection: str = field(
        "",
        title="Sign in with",
        help="A connection keeps the password or token; it is never shown again.",
        widget="connection",
        kinds=("http_basic", "http_bearer", "http_header", "http_query", "http_oauth"),
        show_if=_PAGES,
        group="Pages",
        order=11,
        max_length=100,
    )
    query: list[Pair] = field(
        default_factory=list,
        title="Query",
        help="Added to the address after the question mark.",
        widget="key-value",
        show_if=_PAGES,
        group="Pages",
        order=12,
        max_length=200,
    )
    headers: list[Pair] = field(
        default_factory=list,
        title="Headers",
        widget="key-value",
        show_if=_PAGES,
        group="Pages",
        order=13,
        max_length=100,
    )
    list_path: str = field(
        "",
        title="Where the list stands in the answer",
        help="Names with dots between. Leave it empty where the answer is the list.",
        placeholder="data.orders",
        show_if=_PAGES,
        group="Pages",
        order=14,
        max_length=200,
    )
    next_by: Literal["url", "page", "offset", "cursor", "link"] = field(
        "page",
        title="How the next page is found",
        widget="choice",
        options=(
            ("page", "By its number"),
            ("offset", "By how many came before (offset and limit)"),
            ("cursor", "By a cursor in the answer"),
            ("url", "By its address in the answer"),
            ("link", "By the answer's Link header"),
        ),
        show_if=_PAGES,
        group="Pages",
        order=15,
    )
    page_name: str = field(
        "page",
        title="Parameter with the page's number",
        required=True,
        show_if={"source": ["pages"], "next_by": ["page"]},
        group="Pages",
        order=16,
        max_length=100,
    )
    first_page: int = field(
        1,
        title="Number of the first page",
        widget="number",
        show_if={"source": ["pages"], "next_by": ["page"]},
        group="Pages",
        advanced=True,
        order=17,
        ge=0,
        le=1_000_000,
    )
    offset_name: str = field(
        "offset",
        title="Parameter with the offset",
        required=True,
        show_if={"source": ["pages"], "next_by": ["offset"]},
        group="Pages",
        order=18,
        max_length=100,
    )
    cursor_name: str = field(
        "cursor",
        title="Parameter with the cursor",
        required=True,
        show_if={"source": ["pages"], "next_by": ["cursor"]},
        group="Pages",
        order=19,
        max_length=100,
    )
    next_path: str = field(
        "",
        title="Where the next one stands in the answer",
        help="Names with dots between. Where nothing stands there, it was the last page.",
        placeholder="paging.next",
        required=True,
        show_if={"source": ["pages"], "next_by": ["url", "cursor"]},
        group="Pages",
        order=20,
        max_length=200,
    )
    page_size: int = field(
        0,
        title="Entries on a page",
        help="By number and offset, a page with fewer is the last one. With 0 only an empty page is.",
        widget="number",
        show_if=_PAGES,
        group="Pages",
        order=21,
        ge=0,
        le=10_000,
    )
    size_name: str = field(
        "",
        title="Parameter with the page's size",
        help="Leave it empty where the other system has none.",
        placeholder="limit",
        show_if=_PAGES,
        group="Pages",
        order=22,
        max_length=100,
    )
    total_path: str = field(
        "",
        title="Where the number of all entries stands in the answer",
        placeholder="total",
        help="Only for showing how far it is.",
        show_if=_PAGES,
        group="Pages",
        advanced=True,
        order=23,
        max_length=200,
    )
    most_pages: int = field(
        1_000,
        title="At most so many pages",
        help="Where there are more, the step fails when these are done, and a retry goes on.",
        widget="number",
        show_if=_PAGES,
        group="Pages",
        advanced=True,
        order=26,
        ge=1,
        le=_MOST_PAGES,
    )

    def pages_of_answers(self) -> HttpPages:
        """What reads it."""
        names = {"page": self.page_name, "offset": self.offset_name, "cursor": self.cursor_name}
        return HttpPages(
            url=self.url,
            connection=self.connection,
            query=tuple((pair.name, str(as_text(pair.value))) for pair in self.query),
            headers=tuple((pair.name, str(as_text(pair.value))) for pair in self.headers),
            list_path=self.list_path,
            next_by=self.next_by,
            next_path=self.next_path,
            name=names.get(self.next_by, ""),
            first=self.first_page if self.next_by == "page" else 0,
            size_name=self.size_name,
            size=self.page_size,
            total_path=self.total_path,
        )
