"""A person has a prompt rewritten, looks at what changed, and makes shots of it."""

from __future__ import annotations

import pytest
from driving import GUEST, RunningStudio, says, small_settings
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser
PROMPT = (
    "A man and a child walk through a park. The man asks, “What do you want to do when you grow up?” "
    "The boy answers, “A bond trader.” The wind rustles and a bird sings."
)
LAB = "#views [data-tab-id=lab] >> visible=true"


def holds(page: Page, field: str, text: str) -> None:
    page.wait_for_function(
        "([field, text]) => document.querySelector(field + ' textarea')?.value.includes(text)", arg=[field, text]
    )


def test_enhance_in_create_and_undo(page: Page) -> None:
    page.fill("#prompt textarea", PROMPT)
    page.wait_for_function("/^[1-9]\\d \\/ 250 words/.test(document.querySelector('#prompt-meter').innerText)")
    page.click("#enhance")
    holds(page, "#prompt", "[S02] “A bond trader.”")
    says(page, "#enhance-said", "every check holds")
    page.click("#enhance-undo")
    page.wait_for_function("(text) => document.querySelector('#prompt textarea').value === text", arg=PROMPT)
    page.click("#enhance-undo >> text=Use the rewrite")
    holds(page, "#prompt", "[S02]")
    page.click("#enhance-lab")
    holds(page, "#lab-original", "A bond trader")
    holds(page, "#lab-rewritten", "[S02]")
    says(page, "#lab-report", "Every check holds")
    expect(page.locator("#lab-diff ins").nth(1)).to_be_attached()
    expect(page.locator("#lab-history .m-past")).to_have_count(1)


def test_the_three_steps(page: Page, picture) -> None:
    page.click(LAB)
    page.set_input_files("#lab-frame input[type=file]", picture)
    page.wait_for_selector("#lab-frame img")
    page.fill("#lab-original textarea", PROMPT)
    page.fill("#lab-elements textarea", "a <b>man</b> and a child on a gravel path")
    page.click("#lab-run")
    holds(page, "#lab-rewritten", "gravel path")
    text = page.input_value("#lab-rewritten textarea")
    page.fill("#lab-rewritten textarea", text.replace("bond", "stock"))
    says(page, "#lab-report", "Dialogue changed")
    assert page.locator("#lab-diff b").count() == 0
    page.click("#lab-undo")
    page.wait_for_function("document.querySelector('#lab-rewritten textarea').value === ''")
    page.click("#lab-redo")
    holds(page, "#lab-rewritten", "stock trader")
    page.click("#lab-history .m-past >> nth=0")
    holds(page, "#lab-rewritten", "bond trader")
    page.click("#lab-use")
    holds(page, "#prompt", "gravel path")
    expect(page.locator("#generate")).to_be_visible()
    expect(page.locator("#first-frame img")).to_have_count(1)


def test_a_batch_with_wildcards_lands_in_the_queue(page: Page) -> None:
    page.fill("#prompt textarea", "x")
    small_settings(page, steps=2)
    page.click(LAB)
    page.click("#batch > .label-wrap")
    page.fill("#batch-lines textarea", "a\n" + "{a|b}" * 7)
    says(page, "#batch-count", "Line 2 brings it to more than 100 shots")
    page.fill("#batch-lines textarea", "A {red|blue} bell rings.\nRain falls on a roof.")
    page.click("#batch-go >> text=Queue 3 shots")
    says(page, "#batch-said", "3 shots are in the queue")
    page.click("#views [data-tab-id=create] >> visible=true")
    page.wait_for_function("document.querySelectorAll('#queue .m-job, #strip .m-card').length >= 3")
    page.wait_for_selector("#queue .m-job:is([data-state=waiting], [data-state=running])", state="detached")


def test_a_guest_has_the_composer_in_chinese(context: BrowserContext, locked_studio: RunningStudio) -> None:
    context.add_init_script("localStorage.setItem('mova-language', 'zh')")
    page = context.new_page()
    page.goto(locked_studio.url)
    page.fill("input[type=text], input:not([type])", GUEST[0])
    page.fill("input[type=password]", GUEST[1])
    page.keyboard.press("Enter")
    page.click(LAB)
    page.click("#lab-template input")
    page.get_by_role("option", name="对白：两个人").click()
    holds(page, "#lab-original", "“它还会唱歌吗？”")
    page.click("#lab-run")
    says(page, "#lab-report", "全部检查通过")
    expect(page.locator("#backend")).to_be_hidden()
