"""What a fresh reader looked for on the page and did not find: each in a real browser."""

import json
import shlex
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "reporting"))  # one browser for all pages
pytest_plugins = ["browsing"]

server = pytest.importorskip("slmfit.ui.server", reason="pip install 'slmfit[serve]'")
import slmfit  # noqa: E402
from slmfit.generating import write_tickets  # noqa: E402

TOKEN = "open-sesame"
TINY = {"linear": {"features": "words", "power": 1.0, "C": 1.0, "ratios": 0.0}, "knn": {"k": 5}}
SETTINGS = "linear.features=words\nlinear.power=1\nlinear.C=1\nlinear.ratios=0\nknn.k=5"
TEXT = "My card was charged twice"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder in which tickets were compared: `linear` has the highest score, `knn` was made last."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "data").mkdir()
    rows = list(write_tickets(150, 0))
    lines = "".join(json.dumps({name: row[name] for name in ("id", "text", "label")}) + "\n" for row in rows)
    (folder / "data" / "tickets.jsonl").write_text(lines)
    data = slmfit.load_data(folder / "data" / "tickets.jsonl")
    found = slmfit.compare(data, "majority,linear,knn", settings=TINY, out=folder / "compared" / "tickets")
    assert found.record.verdict.best == "linear"
    return folder


@pytest.fixture(scope="module")
def serving(work):
    with server.running(work, token=TOKEN) as serving:
        yield serving


@pytest.fixture
def page(browser, serving):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto(f"{serving.url}/?token={TOKEN}")
    yield page
    assert page.said == []
    context.close()


@pytest.mark.parametrize("view", ["try", "hand-over"])
def test_another_run_that_stands_in_for_answers_from_a_file_is_named(view, page, serving, work):
    data = slmfit.load_data(work / "data" / "tickets.jsonl")
    said = [slmfit.Prediction(str(row.target)) for row in data.test]
    slmfit.compare(
        data, "linear", settings={"linear": TINY["linear"]}, given={"gpt": said}, out=work / "compared" / "with"
    )
    page.goto(f"{serving.url}/{view}?run=compared/with/runs/predictions-gpt")
    words = page.text_content(".stands-in")
    assert "predictions-gpt holds answers from a file" in words and "linear" in words
    page.goto(f"{serving.url}/{view}?run=compared/with/runs/linear")
    page.wait_for_selector("h1.view")
    page.wait_for_selector("textarea, .forms")
    assert page.query_selector(".stands-in") is None


def test_a_column_that_is_not_there_is_said_beside_the_columns(page, serving):
    page.goto(f"{serving.url}/compare?file=data/tickets.jsonl&label=mood")
    page.fill("#text", "text")
    page.click("button[type=submit]")
    refusal = page.wait_for_selector("details[open]:has(#label) .refusal[role=alert]")
    assert "there is no column 'mood'" in refusal.text_content() and "slmfit:" not in refusal.text_content()
    assert "--" not in refusal.text_content()
    assert page.get_by_role("button", name="Resume").count() == 0
    assert (
        page.input_value("#label") == "mood" and page.input_value("#text") == "text"
    )  # what was chosen is still there
    page.wait_for_selector("#known-columns option[value=label]", state="attached")


def test_a_large_model_s_answers_join_as_a_file(page, serving, work, tmp_path):
    page.goto(f"{serving.url}/compare?name=compared/tickets")
    said = page.wait_for_selector(".verdict-of").text_content()
    assert "not worse than linear, which has the highest score here, by more than 2 points" in said
    with page.expect_download() as download:
        page.click("text=download the 30 test rows, without their labels")
    asked = [json.loads(line) for line in Path(download.value.path()).read_text().splitlines()]
    rows = map(json.loads, (work / "data" / "tickets.jsonl").read_text().splitlines())
    truth = {row["id"]: row["label"] for row in rows}
    assert len(asked) == 30 and all(set(row) == {"id", "text"} for row in asked)
    answers = tmp_path / "from a chat.csv"
    answers.write_text("id,said\n" + "".join(f"{row['id']},{truth[row['id']]}\n" for row in asked))
    page.click("text=compare again with this file")
    page.set_input_files("#bring-answers", str(answers))
    page.wait_for_selector("text=It is there: data/from-a-chat.csv")
    page.fill("#answers-of", "gpt")
    page.fill("#answers-column", "said")
    page.click('summary:has-text("what smallest means")')
    page.fill("#settings", SETTINGS)
    page.click("button[type=submit]")
    page.wait_for_selector(".verdict-of")
    assert "100.0 %" in page.text_content(".ladder-of tr:has-text('predictions-gpt')")
    words = shlex.split(page.locator("#typed code").text_content())
    assert words[words.index("--predictions") + 1] == "gpt=data/from-a-chat.csv"
    job = json.loads(max((work / ".slmfit" / "jobs").glob("*-compare-*/job.json")).read_text())
    assert job["words"] == words[1:]
    assert page.locator("text=Would a large model do better?").count() == 0
    page.goto(f"{serving.url}/try")
    page.wait_for_selector("#input-file")
    assert page.input_value("#input-file") == "data/tickets.jsonl"  # and not the answers, which come first by name


def test_what_was_typed_stays_and_answers_stand_first(page, serving):
    page.goto(f"{serving.url}/try?run=compared/tickets/runs/linear")
    page.fill("textarea", TEXT)
    page.select_option("[aria-label='Add a run beside']", "compared/tickets/runs/knn")
    page.wait_for_selector(".chips li >> nth=1")
    page.select_option("#input-file", "data/tickets.jsonl")
    page.click("text=Answer the file")
    page.wait_for_selector("text=Download the answers")
    assert page.input_value("textarea") == TEXT
    assert "120 of 150 rows (80.0 %) are among those that the run learnt from" in page.text_content("#done .notes-of")
    page.click("text=Look at them")
    page.wait_for_selector(".grid-rows .row:not([data-empty])")
    heads = page.locator(".grid-rows .head span").all_text_contents()
    assert heads == ["row", "prediction", "text", "outcome", "probability", "id", "label"]
    assert (
        page.locator(".grid-rows .row >> nth=0").locator("span").nth(3).text_content() == "answered"
    )  # right or wrong
    assert "learnt from" in page.text_content(".notes-of")
    page.click(".grid-rows .row >> nth=0")
    assert page.locator(".whole-row dd").nth(5).text_content() == "tickets-0001"
    for width, least in ((1280, 300), (390, 150)):  # what was said and of what, in sight together
        page.set_viewport_size({"width": width, "height": 900})
        box, text = (page.locator(one).bounding_box() for one in (".grid-rows", ".grid-rows .head span >> nth=2"))
        assert min(box["x"] + box["width"], text["x"] + text["width"]) - text["x"] > least


def test_hand_over_opens_with_the_verdict_s_and_writes_a_script(page, serving, work):
    page.goto(f"{serving.url}/hand-over")
    page.wait_for_selector(".forms")
    assert page.input_value("#which").endswith("/runs/linear")  # of the latest comparison
    page.goto(f"{serving.url}/hand-over?run=compared/tickets/runs/linear")
    page.wait_for_selector(".forms")
    for made in ("tickets-linear.py", "tickets-linear-2.py"):  # the first may have been changed by then
        page.click("text=Write it")
        page.wait_for_selector(f".state.done ~ bdi:text-is('exported/{made}')")
        assert "def predict" in (work / "exported" / made).read_text()
    page.click("text=Ask again")
    page.wait_for_selector("th:has-text('one typo')")
    assert (work / "compared" / "tickets" / "runs" / "linear" / "stress.json").is_file()
    assert page.locator(".typed code").nth(0).text_content() == "slmfit stress compared/tickets/runs/linear"


def test_the_report_has_the_window_s_height_and_a_tab_of_its_own(page, serving):
    page.goto(f"{serving.url}/compare?name=compared/tickets")
    page.wait_for_selector("iframe.framed")
    assert page.locator("iframe.framed").bounding_box()["height"] > 800  # of 900
    with page.context.expect_page() as opened:
        page.click("text=Open it in a tab of its own")
    opened.value.wait_for_selector("#count:text-matches('^[0-9]')")  # its script runs


def test_settings_that_were_tried_are_shown_and_compared(page, serving):
    page.goto(f"{serving.url}/settings")
    page.click("summary:has-text('Let slmfit try')")
    page.select_option("#tune-file", "data/tickets.jsonl")
    page.fill("#tune-trials", "2")
    page.click("text=Try settings")
    page.wait_for_selector(".verdict-of")
    command = page.locator("#tuning .typed code").text_content()
    assert command == "slmfit tune linear data/tickets.jsonl --budget 10m --trials 2 --out tuned/tickets-linear"
    page.frame_locator("iframe.framed").locator("h1").wait_for()


def test_an_id_that_says_the_label_is_not_handed_out_with_the_questions(tmp_path):
    from slmfit.ui import pages

    for label in ("pos", "neg"):
        (tmp_path / "texts" / label).mkdir(parents=True)
        for k in range(30):
            (tmp_path / "texts" / label / f"{k}.txt").write_text(f"{label[0]} thing number {k} is here")
    slmfit.compare(slmfit.load_data(tmp_path / "texts"), "majority", out=tmp_path / "out")
    rows = [json.loads(line) for line in pages.questions(tmp_path / "out").body.decode().splitlines()]
    assert rows and all(row.keys() == {"text"} for row in rows)
