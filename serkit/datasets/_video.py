"""Corpora that are distributed as video."""

from pathlib import Path

__all__ = ["refuse_videos"]


def refuse_videos(name: str, folder: Path, suffix: str) -> None:
    """Raise, and tell how to extract the audio, if there are only videos below a folder."""
    n_videos = sum(not file.name.startswith(".") for file in folder.rglob(f"*{suffix}"))
    if n_videos:
        raise FileNotFoundError(
            f"{name} is distributed as video: {folder} has {n_videos} {suffix} files, but no audio "
            "beside them. Extract it with ffmpeg, in a shell:\n"
            f"  find '{folder}' -name '*{suffix}' -exec sh -c "
            f"""'ffmpeg -nostdin -n -i "$1" -vn -ac 1 -ar 16000 "${{1%{suffix}}}.wav"' _ {{}} \\;"""
        )
