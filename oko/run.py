"""One run of `oko caption`: photos in, rows out, whatever single photos do."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from oko.outputs.failures import Failures
from oko.outputs.output import CannotWrite, Output
from oko.report import Report
from oko.results import Result
from services.common.errors import OkoError


class Engine(Protocol):
    def results(self, paths: Iterable[str]) -> Iterator[Result]:
        """One per path, as they are done."""
        ...


def run(
    paths: Sequence[str],
    engine: Engine,
    outputs: Sequence[Output],
    report: Report,
    failures: Failures | None,
    arranged: Callable[[Iterator[Result]], Iterator[Result]],
) -> None:
    """Captions what the outputs want; a photo that fails is reported, and the run goes on.

    Args:
        paths: Files, each once.
        engine: Started.
        outputs: Written in this order. The one that tells `--resume` what is done comes last.
        report: Told of every photo.
        failures: Lists them.
        arranged: Puts results into another order.

    Raises:
        UnusableOutput: Nothing can be written any more.
        ServiceLost: Nothing can be captioned any more.
    """

    def wanted() -> Iterator[str]:
        for path in paths:
            if any(output.wants(path) for output in outputs):
                yield path
            else:
                report.skip()

    for result in arranged(engine.results(wanted())):
        error = result.error or _written(result, outputs)
        if error is None:
            report.done()
            continue
        report.fail(result.path, error.detail)
        if failures is not None:
            failures.write(result.path, error)


def _written(result: Result, outputs: Sequence[Output]) -> OkoError | None:
    assert result.row is not None
    try:
        for output in outputs:
            if output.wants(result.path):
                output.write(result.row)
    except CannotWrite as error:
        return error
    return None
