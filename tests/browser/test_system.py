"""The owner looks at the machine and its plan, says what plans may use, and asks about a card before buying it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from driving import GUEST, OWNER, RunningStudio, new_context, open_studio, small_settings, start_studio, wait_for_take
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, BrowserContext, Page, expect
from test_access import REFUSED, RawPage, sign_in
from test_views import check_layout, wait_for_chinese

pytestmark = pytest.mark.browser
SIZES = {"wide": (1440, 900), "small": (1024, 700), "phone": (390, 780)}


@pytest.fixture(scope="module")
def own_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """A studio of its own: what plans may use holds for every page of one."""
    yield from start_studio(tmp_path_factory.mktemp("system"))


@pytest.fixture
def system(context: BrowserContext, own_studio: RunningStudio) -> Page:
    """The System view, opened from the pill once the page has its plan."""
    page = open_studio(context, own_studio)
    page.wait_for_selector("#machine .m-pillplan")
    page.click("#machine button")
    page.wait_for_selector("#plan .m-gauge, #plan .m-error", state="visible")
    return page


def choose(page: Page, dropdown: str, option: str) -> None:
    page.click(f"{dropdown} input")
    page.click(f"role=option[name='{option}']")


def test_cost_is_told_before_the_first_take_and_the_page_never_waits_for_it(
    context: BrowserContext, own_studio: RunningStudio
) -> None:
    page = open_studio(context, own_studio)
    page.fill("#prompt textarea", "Typed while the plan is made.")
    page.wait_for_selector("#cost >> text=predicted")
    cost = page.inner_text("#cost")
    assert re.search(r"about .+, predicted · RAM [\d.]+ of [\d.]+ GB", cost), cost
    page.click("#advanced > button")
    choose(page, "#step-cache", "Light: at most one step after another is reused")
    page.fill("#num-inference-steps input", "1000")
    page.wait_for_function("(before) => document.querySelector('#cost').innerText !== before", arg=cost)
    assert page.input_value("#prompt textarea") == "Typed while the plan is made."


def test_pill_opens_machine_and_plan(system: Page) -> None:
    facts = system.inner_text("#machine-facts")
    assert re.search(r"[\d.]+ of [\d.]+ GB free", facts) and "PyTorch" in facts
    sentence = system.inner_text("#plan .m-sentence")
    assert re.search(r"weights, .+; .+ a step, .+ a take \(predicted", sentence), sentence
    gauge = system.locator("#plan .m-gauge").first
    assert gauge.get_attribute("role") == "meter"
    assert re.search(r"RAM, Prompt: predicted [\d.]+ of [\d.]+ GB", gauge.get_attribute("aria-label") or "")
    expect(system.locator("#others .m-taken")).to_have_count(1)
    expect(system.locator("#last-run")).to_contain_text("After the first take")
    system.fill("#limit-ram-gb input", "7")
    system.click("#refresh")
    system.wait_for_selector("#plan .m-gauge")
    assert system.input_value("#limit-ram-gb input") == "7", "what was typed and not applied stays"
    assert "Nothing is loaded" not in system.inner_text(
        "#unload-said" if system.is_visible("#unload-said") else "#plan"
    )
    system.click("#unload")
    system.wait_for_selector("#unload-said >> text=Nothing is loaded")


def test_a_cap_below_the_least_possible_says_what_is_and_what_to_do(system: Page) -> None:
    system.fill("#limit-ram-gb input", "-2")
    system.click("#apply-limits")
    system.wait_for_selector("#limits-caps .m-error")
    assert "0 or more" in system.inner_text("#limits-caps")
    system.fill("#limit-ram-gb input", "1.2")
    system.click("#apply-limits")
    system.wait_for_selector("#limits-said >> text=Kept")
    expect(system.locator("#limits-caps")).to_contain_text(
        re.compile(r"needs at least [\d.]+ GB of RAM.*raise the cap", re.DOTALL)
    )
    expect(system.locator("#plan")).to_contain_text("No plan fits")
    system.click("#views [data-tab-id=create] >> visible=true")
    system.wait_for_selector("#cost .m-error >> text=raise the cap")
    system.reload()
    system.wait_for_selector("#cost .m-error")
    system.click("#machine button")
    system.wait_for_selector("#plan .m-error")
    expect(system.locator("#limit-ram-gb input"), "it outlives a reload").to_have_value("1.2")
    system.click("#reset-limits")
    system.wait_for_selector("#plan .m-gauge")
    expect(system.locator("#limit-ram-gb input")).to_have_value("")
    expect(system.locator("#limits-caps")).to_be_hidden()


def test_a_pinned_plan_is_taken_and_measured(system: Page) -> None:
    page = system
    page.click("#pins > button")
    choose(page, "#limit-offload", "layer by layer, streamed")
    page.fill("#limit-resident-blocks input", "99")
    expect(page.locator("#limit-resident-blocks input")).to_have_value("99")
    page.click("#apply-limits")
    page.wait_for_selector("#limits-pins .m-error >> text=0 to 4")
    page.fill("#limit-resident-blocks input", "1")
    page.click("#apply-limits")
    page.wait_for_selector("#plan >> text=1 of 4 layers kept ready and 3 streamed")
    page.click("#views [data-tab-id=create] >> visible=true")
    page.fill("#prompt textarea", "Keys jingle.")
    small_settings(page, steps=40)
    page.click("#generate")
    page.wait_for_selector("#progress .m-jobplan >> text=group 1/4")
    assert "streamed" in (page.get_attribute("#progress .m-jobplan", "title") or "")
    wait_for_take(page)
    page.click("#machine button")
    page.wait_for_selector("#last-run .m-actual")
    last = page.inner_text("#last-run")
    assert "group 1/4" in last and re.search(r"predicted [\d.]+ GB · actual [\d.]+ GB, [+−±]\d+ %", last), last
    expect(page.locator("#last-run .m-gauge")).to_have_count(4)
    page.click("#unload")
    page.wait_for_selector("#unload-said >> text=came back")
    page.click("#reset-limits")
    page.wait_for_selector("#limits-said >> text=automatic again")


def test_a_card_before_it_is_bought(system: Page) -> None:
    system.fill("#imagine-vram input", "24")
    system.click("#imagine-ask")
    system.wait_for_selector("#imagined .m-sentence")
    said = system.inner_text("#imagined")
    assert "RTX 4090 24 GB" in said and "Sizes as published" in said and "MOVA-360p" in said
    assert re.search(r"about \d+ s a step, .+ a take \(predicted\)", said), said
    system.fill("#imagine-gpu input", "Voodoo 2")
    system.keyboard.press("Enter")
    system.fill("#imagine-vram input", "")
    system.click("#imagine-ask")
    system.wait_for_selector("#imagined .m-error >> text=Voodoo 2")
    choose(system, "#imagine-model", "the one in use")
    choose(system, "#imagine-settings", "as under Create")
    system.fill("#imagine-gpu input", "none")
    system.keyboard.press("Enter")
    system.click("#imagine-ask")
    system.wait_for_selector("#imagined .m-sentence >> text=computed by the processor")


def test_plan_by_name(locked_studio: RunningStudio) -> None:
    owner = Client(locked_studio.url, auth=OWNER, verbose=False)
    report = owner.predict(width=96, height=64, num_frames=13, api_name="/plan")
    assert report["chosen"]["name"] in [plan["name"] for plan in report["considered"]]
    assert report["machine"]["total_ram"] > 0 and report["shortage"] == ""
    card = owner.predict(model="OpenMOSS-Team/MOVA-360p", gpu="RTX 4090", ram_gb=64, api_name="/plan")
    assert card["machine"]["imaginary"] and card["chosen"]["predicted"]["total_seconds"] > 60
    with pytest.raises(AppError, match="nearest size is 96x96"):
        owner.predict(width=97, height=96, api_name="/plan")


def test_guests_have_no_system(context: BrowserContext, locked_studio: RunningStudio) -> None:
    with pytest.raises(AppError, match=REFUSED):
        Client(locked_studio.url, auth=GUEST, verbose=False).predict(api_name="/plan")
    raw = RawPage(locked_studio.url, GUEST)
    for elem_id, event in (
        ("machine", "select"),
        ("refresh", "click"),
        ("unload", "click"),
        ("apply-limits", "click"),
        ("reset-limits", "click"),
        ("imagine-ask", "click"),
    ):
        assert REFUSED in raw.call(elem_id, event, {"act": "system", "id": secrets.token_hex(2)}), elem_id
    raw.http.close()
    page = sign_in(context, locked_studio, GUEST)
    assert page.locator("#views [data-tab-id=system] >> visible=true").count() == 0
    expect(page.locator("#machine .m-pill")).to_have_count(1)
    assert page.locator("#machine button").count() == 0


@pytest.mark.parametrize("size", list(SIZES))
def test_looks(browser: Browser, own_studio: RunningStudio, screenshots: Path, size: str) -> None:
    width, height = SIZES[size]
    context = new_context(browser, viewport={"width": width, "height": height}, color_scheme="dark", locale="en-US")
    page = open_studio(context, own_studio)

    def shoot(name: str, **how: Any) -> None:
        check_layout(page)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(f"document.body.classList.contains('dark') === {str(scheme == 'dark').lower()}")
            page.screenshot(path=screenshots / f"{name}-{size}-{scheme}.png", **how)

    page.click("#views [data-tab-id=system] >> visible=true")
    page.wait_for_selector("#plan .m-gauge")
    shoot("system")
    page.focus("#imagine-ask")
    page.keyboard.press("Enter")
    page.wait_for_selector("#imagined .m-gauge")
    assert page.evaluate("document.activeElement.id") == "imagine-ask", "the focus stays where it was"
    page.click("#pins > button")
    page.click("#imagined summary")
    shoot("system-full", full_page=True)
    page.click("#language")
    page.wait_for_selector("#plan >> text=预测")
    page.wait_for_selector("#imagined >> text=预测")
    wait_for_chinese(page, "#plan, #machine-facts", {"PyTorch", "demo", "native"})
    shoot("system-zh", full_page=True)
    context.close()
