from serkit.cli import main


def test_demo_writes_files_and_reads_them(tmp_path, capsys, monkeypatch):
    from serkit import datasets

    make = datasets.make_emotional_speech

    def small(**kwargs):
        return make(3, ("anger", "sadness"), 2, **kwargs)

    monkeypatch.setattr(datasets, "make_emotional_speech", small)
    monkeypatch.setattr("serkit.cli._demo.DEMO_PIPELINES", ["mfcc-svm"])
    for _ in range(2):
        assert main(["demo", "--results", str(tmp_path), "--quiet"]) == 0
        shown = capsys.readouterr().out
        assert "Reading 12 files" in shown
        assert "MFCC statistics + SVM" in shown
    assert len(list((tmp_path / "corpus").glob("*.wav"))) == 12
    assert (tmp_path / "report.html").is_file()
    # What is lost, or was made by an older version, is made anew.
    first, second, third, *_ = sorted((tmp_path / "corpus").glob("*.wav"))
    made = second.read_bytes()
    first.unlink()
    second.write_bytes(third.read_bytes())
    assert main(["demo", "--results", str(tmp_path), "--quiet"]) == 0
    assert first.is_file()
    assert second.read_bytes() == made
    assert any((tmp_path / "models").iterdir())
