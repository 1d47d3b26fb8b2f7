#!/usr/bin/env python3
"""A listening test, answered to its end in headless Chromium: a proof by hand, not part of the tests.

    drive_listening_test.py TEST_FOLDER TEST.key.json OUTPUT_FOLDER [RATER]

Needs selenium, chromium and chromedriver. The page is opened from disk, with the network off. Checks that answers open only
when the sound has ended, that the order is the one of test.js, that a reload goes on where it was, that keys work, and
that both exports have every answer; writes the exports and screenshots.
"""
import csv
import json
import shutil
import sys
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

folder, key, output = Path(sys.argv[1]).resolve(), json.loads(Path(sys.argv[2]).read_text()), Path(sys.argv[3]).resolve()
rater = sys.argv[4] if len(sys.argv) > 4 else "3"
output.mkdir(parents=True, exist_ok=True)
test = json.loads((folder / "test.js").read_text()[len("window.LISTENING_TEST = "):-2])

options = webdriver.ChromeOptions()
for flag in ("--headless=new", "--no-sandbox", "--mute-audio", "--window-size=390,844", "--disable-dev-shm-usage"):
    options.add_argument(flag)
options.add_experimental_option("prefs", {"download.default_directory": str(output)})
options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
driver.set_network_conditions(offline=True, latency=0, download_throughput=0, upload_throughput=0)
wait = WebDriverWait(driver, 30, poll_frequency=0.05)
find = lambda selector: driver.find_element(By.CSS_SELECTOR, selector)
find_all = lambda selector: driver.find_elements(By.CSS_SELECTOR, selector)
title = lambda: find("h1").text
press = lambda *keys: find("body").send_keys(*keys)


def shot(name):
    driver.save_screenshot(str(output / f"{name}.png"))


def check(condition, what):
    if not condition:
        shot("failure")
        sys.exit(f"FAILED: {what} (at “{title()}”)")


def start():
    driver.get(f"file://{folder}/index.html?rater={rater}")
    check(find("#rater").get_attribute("value") == rater, "the rater's code comes from the address")
    find("#next").click()


def fast():
    """Sounds are played for real, and faster, so that this takes minutes and not an hour."""
    driver.execute_script("""
        if (!window.faster) {
            window.faster = true;
            const play = HTMLMediaElement.prototype.play;
            HTMLMediaElement.prototype.play = function () { this.playbackRate = 8; return play.call(this); };
        }""")


def answer(value, by_keys):
    field = find("fieldset")
    check(field.get_attribute("disabled") is not None, "answers are closed before the sound is played")
    driver.execute_script("document.activeElement.blur()")
    press(str(value))
    check(not find_all("input:checked"), "a digit chooses nothing before the sound has ended")
    check(not find("#next").is_enabled(), "Next is closed before an answer")
    if by_keys:
        press("p")
    else:
        find("#play").click()
    wait.until(lambda _: find("fieldset").get_attribute("disabled") is None)
    check(driver.execute_script("return document.activeElement.type") == "radio", "the focus is on the answers")
    if by_keys:
        press(str(value))
    else:
        find(f'label[for="rating{value}"]').click()
    check(find("input:checked").get_attribute("value") == str(value), "the answer is chosen")
    check(find("#next").is_enabled(), "Next is open after an answer")
    before = find("h1").id
    if by_keys:
        find("input:checked").send_keys(Keys.ENTER)
    else:
        find("#next").click()
    wait.until(lambda _: find("h1").id != before)


def rate_page(trial):
    rows = [row for row in find_all(".mushra > div")]
    check(len(rows) == len(trial["clips"]) + 1, "a row for the reference and each version")
    check(all(not s.is_enabled() for s in find_all('input[type="range"]')), "sliders are closed")
    for row in rows:
        row.find_element(By.CSS_SELECTOR, "button").click()
        label = row.find_element(By.CSS_SELECTOR, "button").text
        wait.until(lambda _: find("#status").text == f"{label} has ended.")
    for clip, row in zip(trial["clips"], rows[1:]):
        kind = key["conditions"][key["clips"][clip]["condition"]]["kind"]
        value = {"reference": 100, "lowAnchor": 20, "middleAnchor": 50}.get(kind, 80)
        driver.execute_script("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))",
                              row.find_element(By.CSS_SELECTOR, "input"), value)
    before = find("h1").id
    find("#next").click()
    wait.until(lambda _: find("h1").id != before)


def right_answer(clip):
    known = key["clips"][clip]
    if "expected" in known:
        return int(known["expected"][0])
    if known.get("condition") is None:
        return 3
    return {"reference": 5, "lowAnchor": 1, "middleAnchor": 2}.get(key["conditions"][known["condition"]]["kind"], 3 + known["condition"] % 2)


driver.get(f"file://{folder}/index.html")
find("#next").click()
check("enter the number" in find("#status").text, "an empty code is refused")
start()
shot("instructions")
fast()
find("#next").click()
if test["headphones"]:
    find("#next").click()
    for place, clip in enumerate(test["headphones"]):
        answer(int(key["clips"][clip]["expected"][0]), by_keys=place % 2 == 0)
order = (int(rater) - 1) % len(test["orders"])
played = []
reloaded = False
for block in test["orders"][order]:
    question = test["questions"][block["question"]]
    check(title() == question["heading"], "the part's introduction is shown")
    find("#next").click()
    for place, trial in enumerate(block["trials"]):
        if question["mushra"]:
            check(question["text"] in find("#step").text, "the question is shown word for word")
            rate_page(trial)
            played += [(question["name"], clip) for clip in trial["clips"]]
            continue
        check(find("legend").text == question["text"], "the question is shown word for word")
        prompts = [element.text for element in find_all(".prompt")]
        check(prompts == ([trial["prompt"]] if question["name"] == "REL" else []), "a text stands there for REL alone")
        if place == 4 and not reloaded:
            reloaded = True
            before = title()
            start()
            fast()
            check(title() == before, "a reload goes on where it was")
        if place == 1:
            shot(f"rating-{question['name']}")
        answer(right_answer(trial["clip"]), by_keys=place % 3 == 0)
        played.append((question["name"], trial["clip"]))
check(title() == "Thank you", "the test ends")
shot("end")
find("#save-csv").click()
find("#save-json").click()
names = [output / f"results-{test['id']}-{rater}.{extension}" for extension in ("csv", "json")]
wait.until(lambda _: all(name.exists() for name in names))
time.sleep(0.3)
rows = list(csv.DictReader(names[0].open()))
answers = [(row["question"], row["clip"]) for row in rows if row["question"] != "HEADPHONES"]
check(answers == played, "the export has every answer in the order of test.js")
check(len(rows) == len(played) + len(test["headphones"]), "the export has the headphone trials")
check(json.loads(names[1].read_text())["answers"][-1]["clip"] == played[-1][1], "the JSON has them too")
check(find("#csv").get_attribute("value") == names[0].read_text(), "the text is that of the file")
start()
check(title() == "Thank you", "a finished test stays finished")
problems = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
check(not problems, f"nothing goes wrong in the console: {problems}")
driver.quit()
print(f"{len(played)} answers of rater {rater}, {len(test['headphones'])} headphone trials: all checks passed")
