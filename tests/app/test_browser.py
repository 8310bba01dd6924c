"""The application in a real browser: all controls, two widths, keyboard alone, hostile files."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
import soundfile

pytest.importorskip("selenium")
pytest.importorskip("streamlit")

from selenium import webdriver
from selenium.common import exceptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the path"
)

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
VIEWS = ("Overview", "Speakers", "Fold", "Utterances", "Compare two", "Try it")
WIDTHS = {"desktop": (1400, 900), "phone": (390, 844)}
BUSY = "[data-test-script-state=running], [data-stale=true], [data-testid=stSpinner]"


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def address(results):
    port = free_port()
    code = f"from serkit.app import launch; launch({str(results)!r}, port={port}, browser=False)"
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    address = f"http://localhost:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health")
                break
            except OSError:
                assert server.poll() is None, "the application did not start"
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=60)
        finally:
            server.kill()


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


class Page:
    def __init__(self, driver, address, width="desktop"):
        self.driver = driver
        size = dict(zip(("width", "height"), WIDTHS[width], strict=True))
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {**size, "deviceScaleFactor": 1, "mobile": width == "phone"},
        )
        driver.get(address)
        self.until(lambda: self.button("Overview"))
        self.settle()

    def until(self, condition, seconds=90):
        ignored = (
            exceptions.StaleElementReferenceException,
            exceptions.NoSuchElementException,
            exceptions.ElementClickInterceptedException,
        )
        wait = WebDriverWait(self.driver, seconds, 0.2, ignored_exceptions=ignored)
        return wait.until(lambda _: condition())

    def settle(self):
        """Wait until nothing has been computed for a second."""
        quiet_since = None

        def quiet():
            nonlocal quiet_since
            if self.all(BUSY):
                quiet_since = None
                return False
            quiet_since = quiet_since or time.time()
            return time.time() - quiet_since > 1

        self.until(quiet)
        assert not self.all("[data-testid=stException]")

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.until(lambda: next(iter(self.all(selector)), None))

    def button(self, name):
        # Icons are words of a font, in a line of their own.
        found = (b for b in self.all("button") if b.text.strip().split("\n")[-1] == name)
        return next(found, None)

    def press(self, name):
        def click():
            button = self.button(name)
            if button:
                button.click()
            return button

        self.until(click)
        self.settle()

    def text(self):
        return self.one("[data-testid=stMain]").text

    def says(self, words):
        self.until(lambda: words in self.text())

    def choose(self, label, option):
        box = self.one(f"input[aria-label*='{label}']")
        box.send_keys(option, Keys.ENTER)
        self.settle()

    def upload(self, path):
        self.one("[data-testid=stFileUploader] input[type=file]").send_keys(str(path))
        self.settle()

    def chosen(self):
        """Return the label of the utterance that is chosen in the grid."""
        return self.one("button[data-variant=pills][aria-checked=true]").text

    def click_row(self, number):
        """Click the box of a row of the first table, which is drawn on a canvas."""
        canvas = self.one("[data-testid=stDataFrame] canvas")
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
        time.sleep(0.5)
        place = canvas.rect
        x, y = 15 - place["width"] / 2, 35 * (number + 1.5) - place["height"] / 2
        mouse = webdriver.ActionChains(self.driver)
        mouse.move_to_element_with_offset(canvas, round(x), round(y)).click().perform()
        self.settle()

    def overflow(self):
        return self.driver.execute_script(
            "const main = document.querySelector('[data-testid=stMain]');"
            "return Math.max(document.documentElement.scrollWidth, main.scrollWidth)"
            " - window.innerWidth"
        )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("view", VIEWS)
def test_no_view_is_wider_than_the_window(driver, address, view, width):
    page = Page(driver, address, width)
    if view != "Overview":
        page.press(view)
    assert page.overflow() <= 0
    assert page.driver.execute_script("return window.innerWidth") == WIDTHS[width][0]


def test_every_control_of_results(driver, address):
    page = Page(driver, address)
    page.press("Fold")
    page.choose("Pipeline", "weak")
    page.choose("Fold", "2")
    assert page.all("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg")
    page.press("Utterances")
    labels = [b.text for b in page.all("[data-testid=stButtonGroup] button")]
    marked = [label for label in labels if "✓" in label or "✗" in label]
    assert len(marked) == 6
    before = page.one("[data-testid=stAlert]").text, page.one("audio").get_attribute("src")
    page.press("Next")
    assert page.one("audio").get_attribute("src") != before[1]
    page.press("Previous")
    assert page.one("[data-testid=stAlert]").text == before[0]
    page.press(marked[4])
    assert page.chosen() == marked[4]
    wrong = [label for label in marked if "✗" in label]
    page.click_row(1)
    page.until(lambda: page.chosen() == wrong[1])
    page.press("Compare two")
    page.choose("Compared with", "ACRNN")
    page.says("sign-flip permutation test")
    page.press("Overview")
    page.one("[data-testid=stExpander] summary").click()
    page.settle()
    assert page.button("Download the report (HTML)")


def test_audio_can_be_played(driver, address):
    page = Page(driver, address)
    page.press("Utterances")
    seconds = page.until(
        lambda: page.driver.execute_script("return document.querySelector('audio').duration")
    )
    assert 0.5 < seconds < 5


def test_the_keyboard_is_enough(driver, address):
    page = Page(driver, address)

    def focus(condition):
        for _ in range(80):
            webdriver.ActionChains(driver).send_keys(Keys.TAB).perform()
            if condition(driver.switch_to.active_element):
                return driver.switch_to.active_element
        raise AssertionError("the keyboard does not get there")

    def group(element):
        return element.tag_name in ("button", "label", "input") and element.text.strip() == (
            "Overview"
        )

    focus(group)
    for _ in range(5):
        webdriver.ActionChains(driver).send_keys(Keys.ARROW_RIGHT).perform()
        if driver.switch_to.active_element.text.strip() == "Utterances":
            break
    if driver.switch_to.active_element.text.strip() != "Utterances":
        focus(lambda element: element.text.strip() == "Utterances")
    webdriver.ActionChains(driver).send_keys(Keys.ENTER).perform()
    page.says("right, ")
    page.settle()
    before = page.one("audio").get_attribute("src")
    focus(lambda element: element.tag_name == "button" and element.text.strip() == "Next")
    outline = driver.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    webdriver.ActionChains(driver).send_keys(Keys.ENTER).perform()
    page.until(lambda: page.one("audio").get_attribute("src") != before)


def test_a_clip_is_tried(driver, address, clip, tmp_path):
    page = Page(driver, address)
    page.press("Try it")
    page.choose("Pipeline", "ACRNN")
    page.upload(tmp_path / "clip.wav")
    page.says("mean of 3 windows")
    slider = page.all(
        "[data-testid=stSlider] [role=slider], [data-testid=stSlider] input[type=range]"
    )[1]
    slider.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.says("mean of 2 windows")
    assert page.button("Download (CSV)")
    assert page.overflow() <= 0


def test_a_recording_is_tried(driver, address):
    page = Page(driver, address)
    page.press("Try it")
    page.one("[data-testid=stAudioInput] button[aria-label='Record']").click()
    time.sleep(3)
    page.one("[data-testid=stAudioInput] button[aria-label='Stop recording']").click()
    page.settle()
    page.until(lambda: "The recording" in page.text())


def test_hostile_files(driver, address, tmp_path):
    page = Page(driver, address, "phone")
    page.press("Try it")
    huge = tmp_path / "huge.wav"
    with huge.open("wb") as file:
        file.truncate(140 * 2**20)
    files = {
        "corrupt.wav": b"RIFF" + b"\0" * 1000,
        "empty.wav": b"",
        "notes.txt": b"no audio",
        "disguised.mp3": b"<html>" * 1000,
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    soundfile.write(tmp_path / "silence.flac", np.zeros(600 * 8000), 8000)
    expected = {
        "corrupt.wav": "corrupt.wav cannot be used",
        "empty.wav": "empty",
        "notes.txt": "not allowed",
        "disguised.mp3": "disguised.mp3 cannot be used",
        "huge.wav": "128",
        "silence.flac": "silence.flac is silent",
    }
    for name, words in expected.items():
        page = Page(driver, address, "phone")
        page.press("Try it")
        page.upload(tmp_path / name)
        page.says(words)
        page.settle()
        assert "Traceback" not in page.text()
        assert page.overflow() <= 0
