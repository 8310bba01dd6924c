"""The report of a benchmark: leaderboard first, then cell by cell."""

from typing import TYPE_CHECKING

from serkit.evaluation._html import (
    details,
    header,
    html_picture,
    html_table,
    notes,
    render_page,
    scroll,
    section,
)
from serkit.evaluation._plots import interval_picture
from serkit.evaluation._report import DEFINITIONS, confusions, paired_tests

if TYPE_CHECKING:
    from serkit.evaluation._benchmark_result import BenchmarkResult
    from serkit.evaluation._result import ComparisonResult

__all__ = ["render_benchmark"]


def render_benchmark(benchmark: "BenchmarkResult") -> str:
    """Return the report as one HTML page.

    Parameters
    ----------
    benchmark : BenchmarkResult
        What to report.

    Returns
    -------
    page : str
    """
    results = benchmark.results.values()
    facts = {
        "Corpora": ", ".join(benchmark.corpora),
        "Protocols": ", ".join(dict.fromkeys(result.protocol for result in results)),
        "Pipelines": len(benchmark.pipelines),
        "Fits": len(benchmark.frame()),
    }
    head = header(
        "Benchmark",
        facts,
        speaker_dependent=any(result.speaker_dependent for result in results),
        crossing=list(dict.fromkeys(name for result in results for name in result.crossing)),
    )
    sections = [head, section("Leaderboard", _leaderboard(benchmark))]
    sections += [section(result.header(), _cell(result)) for result in results]
    failures = benchmark.failures()
    if len(failures):
        sections.append(
            section("Folds without a result", html_table(failures, label="Folds without a result"))
        )
    return render_page(f"Benchmark on {', '.join(benchmark.corpora)}", sections)


def _leaderboard(benchmark: "BenchmarkResult") -> str:
    board = benchmark.formatted_leaderboard()
    places = [result.place for result in benchmark.results.values()]
    picture = html_picture(
        lambda: interval_picture(benchmark.leaderboard(), places, metric="UAR"),
        "Pooled UAR of every pipeline with its interval; the numbers are in the table above",
    )
    table = html_table(board.reset_index(), label="Leaderboard")
    picture = scroll(picture, label="Leaderboard as a picture") if picture else ""
    return table + notes(benchmark.notes()) + picture


def _cell(result: "ComparisonResult") -> str:
    content = html_table(result.formatted_table().reset_index(), label=result.header())
    content += notes([DEFINITIONS, *result.notes()])
    if len(result.pipelines) > 1:
        content += details("Paired tests, corrected within this cell", paired_tests(result))
    return content + details("Confusion matrices", confusions(result))
