"""Which outputs a run has."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oko.outputs.csv_table import CsvTable
from oko.outputs.descriptions import Descriptions
from oko.outputs.failures import Failures
from oko.outputs.jsonl import JsonLines
from oko.outputs.output import Output, UnusableOutput
from oko.outputs.printed import Printed
from oko.outputs.sidecars import Sidecars


@dataclass(frozen=True, slots=True)
class Choice:
    """Everything that captions can be written to; printed when there is nothing else."""

    table: Path | None = None
    sidecar: bool = False
    description: bool = False
    resume: bool = False
    overwrite: bool = False

    @property
    def printed(self) -> bool:
        return self.table is None and not self.sidecar and not self.description

    def opened(self, languages: Sequence[str], photos: int) -> list[Output]:
        """The outputs, the table last: what stands there is done everywhere.

        Raises:
            UnusableOutput: The table cannot be used.
        """
        outputs: list[Output] = []
        if self.sidecar:
            outputs.append(Sidecars(languages, overwrite=self.overwrite))
        if self.description:
            outputs.append(Descriptions(overwrite=self.overwrite))
        if self.table is not None:
            outputs.append(self._opened_table(self.table, languages))
        return outputs or [Printed(paths=photos > 1, languages=len(languages) > 1)]

    def failures(self) -> Failures | None:
        if self.table is None:
            return None
        return Failures(self.table.with_name(f"{self.table.name}.errors.jsonl"))

    def _opened_table(self, path: Path, languages: Sequence[str]) -> Output:
        kind = path.suffix.lower()
        if kind in (".jsonl", ".ndjson"):
            return JsonLines(path, languages, resume=self.resume, overwrite=self.overwrite)
        if kind == ".csv":
            return CsvTable(path, languages, resume=self.resume, overwrite=self.overwrite)
        if kind == ".parquet":
            return self._opened_parquet(path, languages)
        raise UnusableOutput(f"{path}: the name must end in .jsonl, .csv or .parquet.")

    def _opened_parquet(self, path: Path, languages: Sequence[str]) -> Output:
        try:
            from oko.outputs.parquet import ParquetTable
        except ImportError:
            raise UnusableOutput(
                "Parquet needs pyarrow: install oko with `pip install 'oko[parquet]'`."
            ) from None
        return ParquetTable(path, languages, resume=self.resume, overwrite=self.overwrite)
