"""What a corpus has, as a table of counts and in a few lines of text."""

import pandas as pd

__all__ = ["count_utterances", "summary_lines"]

#: What counts are called; labels of these names are put in quotes beside them.
_OWN_NAMES = ("gender", "all", "duration", "?")


def count_utterances(table: pd.DataFrame) -> pd.DataFrame:
    """Count utterances per speaker and emotion, and all of them."""
    quoted = {name: repr(name) for name in _OWN_NAMES}
    table = table.replace({"speaker": quoted, "emotion": quoted})
    table = table.fillna({"speaker": "?", "emotion": "?"})
    of_speaker = table.groupby("speaker")
    counts = pd.crosstab(table["speaker"], table["emotion"]).rename_axis(columns=None)
    counts["all"] = counts.sum(axis=1)
    counts.loc["all"] = counts.sum()
    counts.insert(0, "gender", of_speaker["gender"].first())
    counts["duration"] = of_speaker["duration"].sum(min_count=1)
    counts.loc["all", "duration"] = table["duration"].sum(min_count=1)
    return counts


def summary_lines(table: pd.DataFrame, *, name: str | None, place: str) -> list[str]:
    """Return the lines that a corpus shows itself with, the title first."""
    title = "Corpus" if name is None else f"Corpus {name!r}"
    genders = table.drop_duplicates("speaker")["gender"].value_counts().sort_index()
    speakers = f"{table['speaker'].nunique()} speakers"
    if len(genders):
        speakers += f" ({', '.join(f'{n} {gender}' for gender, n in genders.items())})"
    parts = [f"{len(table)} utterances", speakers]
    if len(table) and table["duration"].notna().all():
        parts.append(f"{table['duration'].sum() / 60:.1f} min")
    emotions = table["emotion"].value_counts().sort_index()
    labels = ", ".join(f"{emotion} {n}" for emotion, n in emotions.items())
    return [f"{title}: {', '.join(parts)}", *filter(None, [labels]), place]
