"""A person works with the queue: adds, moves, pauses, edits, cancels, comes back."""

from __future__ import annotations

import pytest
from driving import LONG, RunningStudio, field, long_run, open_studio
from playwright.sync_api import BrowserContext, Page, Route, expect

pytestmark = pytest.mark.browser
UNFINISHED = "#queue .m-job:not([data-state=done]):not([data-state=cancelled]) b"


def add(page: Page, seed: int, prompt: str) -> None:
    page.fill("#prompt textarea", prompt)
    long_run(page)
    page.fill("#seed input", str(seed))
    page.click("#generate")
    page.wait_for_selector(f"#queue .m-job >> text=seed {seed}")


def wait_for_order(page: Page, *titles: str) -> None:
    page.wait_for_function(
        "([titles, jobs]) => [...document.querySelectorAll(jobs)].map((it) => it.innerText).join() === titles.join()",
        arg=[list(titles), UNFINISHED],
    )


def press(page: Page, title: str, act: str) -> None:
    job = page.locator(f"#queue .m-job:has-text('{title}')").first
    job.hover()
    job.locator(f"[data-act={act}]").click()


def cancel_all(page: Page) -> None:
    page.click("#queue-head [data-ask]")
    page.click("#queue-head [data-act=cancel_all]")
    wait_for_order(page)


def test_add_move_pause_edit_and_cancel(page: Page) -> None:
    add(page, 1, "One.")
    page.wait_for_selector("#queue .m-job[data-state=running]")
    add(page, 2, "Two.")
    add(page, 3, "Three.")
    press(page, "Three.", "up")
    wait_for_order(page, "One.", "Three.", "Two.")
    box = page.locator("#queue .m-job:has-text('Three.')").bounding_box()
    assert box is not None
    source = page.locator("#queue .m-job:has-text('Two.')").bounding_box()
    assert source is not None
    page.mouse.move(source["x"] + 30, source["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 20, steps=4)
    before = page.inner_text("#queue .m-job[data-state=running] .m-jobstate")
    page.wait_for_function(
        "(before) => document.querySelector('#queue [data-state=running] .m-jobstate').innerText !== before", arg=before
    )
    page.mouse.move(box["x"] + 40, box["y"] + 4, steps=3)
    page.mouse.up()
    wait_for_order(page, "One.", "Two.", "Three.")

    press(page, "One.", "pause")
    page.wait_for_selector("#queue .m-job[data-state=paused] >> text=/paused (at|before)/")
    page.wait_for_selector("#stage [data-act=resume]")
    page.wait_for_selector("#queue .m-job[data-state=running] >> text=Two.")

    press(page, "Three.", "edit")
    page.wait_for_function("document.querySelector('#prompt textarea').value === 'Three.'")
    page.wait_for_function("document.querySelector('#generate').innerText.startsWith('Save changes')")
    expect(page.locator("#leave")).to_be_visible()
    expect(page.locator("#scout")).to_be_hidden()
    page.fill("#prompt textarea", "Third.")
    page.click("#generate")
    page.wait_for_selector("#queue .m-job[data-state=waiting] >> text=Third.")
    page.wait_for_selector("#leave", state="hidden")

    press(page, "Third.", "edit")
    page.wait_for_selector("#leave")
    page.fill("#prompt textarea", "Never.")
    page.click("#leave")
    page.wait_for_function("document.querySelector('#prompt textarea').value === 'Third.'")
    assert "Never." not in page.inner_text("#queue")

    page.click("#stage [data-act=resume]")
    press(page, "Two.", "cancel")
    page.wait_for_selector("#queue .m-job[data-state=cancelled] >> text=Two.")
    press(page, "Two.", "retry")
    page.wait_for_selector("#queue .m-job:not([data-state=cancelled]) >> text=Two.")
    page.click("#queue-head [data-act=hold]")
    page.wait_for_selector("#queue-head .m-note")
    page.click("#queue-head [data-act=go]")
    cancel_all(page)
    page.wait_for_selector("#queue-head .m-note", state="detached")


def test_shift_puts_it_first_and_a_reload_keeps_all(page: Page, context: BrowserContext, studio: RunningStudio) -> None:
    add(page, 11, "Long.")
    page.wait_for_selector("#stage video.m-preview")
    add(page, 12, "Second.")
    page.fill("#prompt textarea", "First.")
    page.click("#generate", modifiers=["Shift"])
    wait_for_order(page, "Long.", "First.", "Second.")
    page.fill("#prompt textarea", "typed here")
    other = open_studio(context, studio)
    other.wait_for_selector("#stage video.m-preview")
    wait_for_order(other, "Long.", "First.", "Second.")
    assert other.input_value("#prompt textarea") == "", "what is typed in one tab stays there"
    page.reload()
    wait_for_order(page, "Long.", "First.", "Second.")
    page.wait_for_selector("#stage video.m-preview")
    expect(field(page, "num-inference-steps")).to_have_value(str(LONG))
    press(other, "Second.", "cancel")
    wait_for_order(page, "Long.", "First.")
    cancel_all(page)


def test_a_question_that_nobody_answers_does_not_stop_the_page(page: Page) -> None:
    clocks = page.evaluate(
        "gradio_config.dependencies.filter((it) => it.targets.some(([, event]) => event === 'tick')).map((it) => it.id)"
    )
    lost: list[str] = []

    def lose_one(route: Route) -> None:
        if route.request.post_data_json["fn_index"] == clocks[0] and not lost:
            lost.append("the clock's question")
            route.fulfill(json={"event_id": "nobody"})
        else:
            route.continue_()

    page.route("**/queue/join*", lose_one)
    page.wait_for_event("response", lambda response: "queue/join" in response.url and bool(lost))
    add(page, 21, "Heard.")
    page.wait_for_selector("#stage video.m-preview")
    cancel_all(page)


def test_a_question_waits_until_the_one_before_is_confirmed(page: Page) -> None:
    asked: list[Route] = []
    page.route("**/queue/join?probe=*", lambda route: asked.append(route))
    ask = "(number) => { fetch(`gradio_api/queue/join?probe=${number}`, { method: 'POST' }); }"
    with page.expect_request("**/queue/join?probe=1"):
        page.evaluate(ask, 1)
        page.evaluate(ask, 2)
    assert page.evaluate("fetch('config').then((answer) => answer.status)") == 200
    assert [route.request.url[-1] for route in asked] == ["1"]
    with page.expect_request("**/queue/join?probe=2"):
        asked[0].fulfill(json={"event_id": "nobody"})
    # One that is never confirmed does not stop the others.
    with page.expect_request("**/queue/join?probe=3"):
        page.evaluate(ask, 3)


def test_an_answer_is_shown_as_it_comes(page: Page) -> None:
    # Gradio hands every answer to a timer; one that waits there is overtaken by one that came before its confirmation.
    handed, waited = page.evaluate("""async () => {
      const timer = window.setTimeout;
      let waited = 0;
      const handed = new Promise((done) => {
        window.setTimeout = (what, time, ...given) => {
          if (!given[0]?.event_id) return timer(what, time, ...given);
          let ran = false;
          timer(async (said) => ((ran = true), what(said)), time, ...given);
          waited += !ran;
          if (given[0].msg === "process_completed") done(given[0].msg);
        };
      });
      const result = [await handed, waited];
      window.setTimeout = timer;
      return result;
    }""")
    assert (handed, waited) == ("process_completed", 0)


def test_a_question_that_waits_leaves_with_the_page(page: Page) -> None:
    add(page, 23, "Left.")
    page.wait_for_selector("#queue .m-job[data-state=running]")
    page.route("**/queue/join?probe=*", lambda route: None)
    page.evaluate("""() => {
      const ask = window.fetch;
      window.fetch = (resource, options) => {
        window.pressed ||= String(options?.body).includes("cancel");
        return ask(resource, options);
      };
      fetch("gradio_api/queue/join?probe=1", { method: "POST" });
    }""")
    page.locator("#queue .m-job:has-text('Left.')").hover()
    page.click("#queue .m-job:has-text('Left.') [data-act=cancel]")
    page.wait_for_function("window.pressed")
    page.reload()
    page.wait_for_selector("#queue .m-job[data-state=cancelled]:has-text('Left.')")


def test_a_press_counts_where_the_list_is_written_anew_under_it(page: Page) -> None:
    add(page, 22, "Pressed.")
    page.wait_for_selector("#queue .m-job[data-state=running]")
    button = page.locator("#queue .m-job:has-text('Pressed.') [data-act=cancel]")
    page.locator("#queue .m-job:has-text('Pressed.')").hover()
    button.hover()
    page.mouse.down()
    button.evaluate("(it) => it.closest('[role=list]').replaceWith(it.closest('[role=list]').cloneNode(true))")
    page.mouse.up()
    wait_for_order(page)


def test_a_narrow_window_opens_the_queue_from_its_pill(page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 700})
    page.fill("#prompt textarea", "Narrow.")
    long_run(page)
    page.click("#generate")
    page.wait_for_selector("[data-queue-open]")
    assert not page.is_visible("#queue-panel")
    page.click("[data-queue-open]")
    page.wait_for_selector("#queue .m-job >> text=Narrow.")
    cancel_all(page)
    page.keyboard.press("Escape")
    page.wait_for_selector("#queue-panel", state="hidden")
