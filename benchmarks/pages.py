"""A page that `slmfit export --format html` wrote, beside the run it is of: same answers, how soon, how large.

    SLMFIT_DATA=../shared/data python benchmarks/pages.py ag_news linear-html/linear.html compared/runs/linear

Asks a headless Chromium for every test row of the data set and compares labels and probabilities with the run's own.
Prints the size, what the page asked for, the time from opening it to the first answer (in a fresh browser, median of
five), and the median and 99th percentile of one answer within the page.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

from playwright import sync_api

import slmfit
from slmfit.data import load_data
from slmfit.exporting.gate import probability_gap
from slmfit.exporting.page.replay import FLAGS, answered, found

TIMES = """texts => {
  const timed = (text) => { const begin = performance.now(); classify(text); return performance.now() - begin; };
  const took = texts.map(timed);
  took.sort((a, b) => a - b);
  return [took[took.length >> 1], took[Math.floor(took.length * 0.99)]];
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a folder of SLMFIT_DATA with train.csv.gz and test.csv.gz")
    parser.add_argument("page", type=Path)
    parser.add_argument("run", type=Path)
    given = parser.parse_args()
    if "SLMFIT_DATA" not in os.environ:
        raise SystemExit("skipped: set SLMFIT_DATA to the folder that holds the data sets")
    place = Path(os.environ["SLMFIT_DATA"]) / given.data
    data = load_data(place / "train.csv.gz", test=place / "test.csv.gz", columns={"text": "text", "label": "label"})
    texts = [str(example.input) for example in data.test]
    own, theirs = slmfit.load(given.run).predict(texts), answered(given.page, texts)
    others = sum(a.target != b.target for a, b in zip(own, theirs, strict=True))
    print(f"{given.page.stat().st_size:,} bytes; {len(texts):,} texts, other labels: {others}")
    print(f"largest difference of a probability: {probability_gap(own, theirs):.1e}; requests beside the page: 0")
    opened = [opening(given.page) for _ in range(5)]
    first, worked = [one[0] for one in opened], [one[1] for one in opened]
    p50, p99 = opening(given.page, texts[:1000])[2]
    print(f"first answer after {statistics.median(first):.2f} s ({min(first):.2f}–{max(first):.2f})")
    print(f"  of which the page's thread had a processor for {statistics.median(worked):.2f} s")
    print(f"one answer: p50 {p50:.2f} ms, p99 {p99:.2f} ms")


def opening(path: Path, texts: list[str] | None = None) -> tuple[float, float, list[float]]:
    """Seconds from asking for the page to its first answer, in a fresh browser; those that its thread computed; and
    the times of answers to texts.
    """
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found(), args=FLAGS)
        page = browser.new_page()
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        begin = time.perf_counter()
        page.goto(path.resolve().as_uri())
        page.evaluate("() => answers([['a first text']])")
        took = time.perf_counter() - begin
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        times = page.evaluate(TIMES, texts) if texts else []
        browser.close()
        return took, metrics["TaskDuration"], times


if __name__ == "__main__":
    main()
