"""Reports in a real browser: nothing wider than the window, everything within reach of keys."""

import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB

from serkit.datasets import Corpus
from serkit.evaluation import benchmark, compare
from serkit.evaluation._html import html_table

LONG = "a_name_that_nothing_may_break_" * 4

WIDER = """
return [...document.querySelectorAll('h1, h2, p, dl, .scroll, details, figure, footer')]
    .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
    .map(element => element.outerHTML.slice(0, 80));
"""
OUT_OF_REACH = """
return [...document.querySelectorAll('*')]
    .filter(element => getComputedStyle(element).overflowX == 'auto')
    .filter(element => element.scrollWidth > element.clientWidth && element.tabIndex < 0)
    .map(element => element.outerHTML.slice(0, 80));
"""


def make_corpus(name):
    table = pd.DataFrame(
        {"speaker": np.repeat(["a", "b", "c"], 6), "emotion": ["anger", "calm"] * 9}
    )
    return Corpus(table, waveforms=[np.zeros(1)] * 18, sampling_rate=16000, name=name)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    X = np.random.default_rng(0).normal(size=(18, 2))
    pipelines = {"Bayes": GaussianNB(), LONG: DummyClassifier(), "other": DummyClassifier()}
    corpora = [make_corpus(name) for name in ("short", LONG)]
    comparison = compare(corpora[1], pipelines, X=X, verbose=0)
    matrix = benchmark(corpora, pipelines, X={corpus.name: X for corpus in corpora}, verbose=0)
    return {
        "comparison": comparison.to_html(folder / "comparison.html"),
        "benchmark": matrix.to_html(folder / "benchmark.html"),
    }


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('browser')}")
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield browser
    browser.quit()


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("kind", ["comparison", "benchmark"])
def test_nothing_is_wider_than_the_window(browser, reports, kind, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(reports[kind].absolute().as_uri())
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.execute_script("return innerWidth") == width
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script(WIDER) == []
    assert browser.execute_script(OUT_OF_REACH) == []


def test_text_stands_left_and_numbers_right():
    frame = pd.DataFrame(
        {
            "name": ["<b>", "03a01Fa.wav"],
            "interval": ["-7.5 to +8.4", "10.0 ± 2.0 %"],
            "p": ["< 0.001", None],
            "score": [1 / 3, np.nan],
        }
    )
    assert html_table(frame, label='"x"') == (
        '<div class="scroll" tabindex="0" role="region" aria-label="&quot;x&quot;"><table><thead>'
        '<tr><th class="text">name</th><th>interval</th><th>p</th><th>score</th></tr></thead>'
        '<tbody><tr><td class="text">&lt;b&gt;</td><td>-7.5 to +8.4</td><td>&lt; 0.001</td>'
        '<td>0.333333</td></tr><tr><td class="text">03a01Fa.wav</td><td>10.0 ± 2.0 %</td>'
        "<td></td><td></td></tr></tbody></table></div>"
    )
