"""An adapter from its file to a take: imported under Models, chosen under Create, kept by a reload, removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from driving import RunningStudio, open_studio, small_settings, start_studio, until, wait_for_take
from playwright.sync_api import BrowserContext, Page, expect
from safetensors.torch import save_file

from mova_studio.network.demo import demo_checkpoint

pytestmark = pytest.mark.browser
STEM = "diffusion_model.blocks.0.self_attn.q"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory):
    """With a shelf of its own."""
    yield from start_studio(tmp_path_factory.mktemp("adapters"))


def adapter_file(path: Path, width: int) -> Path:
    draw = torch.Generator().manual_seed(1)
    down, up = torch.randn(2, width, generator=draw), torch.randn(width, 2, generator=draw)
    save_file({f"{STEM}.lora_down.weight": down, f"{STEM}.lora_up.weight": up}, path)
    return path


def uses(page: Page) -> list[dict]:
    return json.loads(page.input_value("#adapters textarea"))


def test_from_a_file_to_a_take(context: BrowserContext, studio: RunningStudio, tmp_path: Path) -> None:
    width = json.loads((demo_checkpoint() / "video_dit" / "config.json").read_text("utf-8"))["dim"]
    page = open_studio(context, studio)
    page.click("#views [data-tab-id=models] >> visible=true")
    page.wait_for_selector("#installed-adapters .m-teach")
    page.set_input_files("#adapters-panel input[type=file]", adapter_file(tmp_path / "film grain.safetensors", width))
    page.wait_for_selector("[data-adapter='film grain'] .m-badge-whole")
    page.fill("#adapter-path :is(input, textarea)", str(adapter_file(tmp_path / "wide.safetensors", width + 8)))
    page.click("#import-adapter")
    page.wait_for_selector("[data-adapter=wide] .m-error >> text=is for another checkpoint")

    page.click("#views [data-tab-id=create] >> visible=true")
    small_settings(page, 2)
    page.fill("#prompt textarea", "a bell")
    page.click("#advanced > .label-wrap")
    page.select_option(".m-adapters select", label="film grain")
    page.fill(".m-adapter .m-strength input", "0.8")
    page.click(".m-adapter summary")
    page.fill(".m-adapter-parts label:nth-child(2) input", "0.3")
    page.fill(".m-adapter-parts label:nth-child(4) input", "0.5")
    page.select_option(".m-adapters select", label="wide")
    page.click("#generate")
    page.wait_for_selector("#place-advanced .m-error >> text=wide is for another checkpoint")
    page.click(".m-adapter[data-adapter=wide] .m-small")
    page.click("#generate")
    wait_for_take(page)
    chosen = uses(page)
    assert [(use["name"], use["high"], use["low"], use["stop"]) for use in chosen] == [("film grain", 0.8, 0.3, 0.5)]

    page.reload()
    page.wait_for_function("document.querySelector('#cost')?.innerText.trim()")
    page.click("#advanced > .label-wrap")
    page.wait_for_selector(".m-adapter[data-adapter='film grain']")
    until(page, lambda: uses(page) == chosen, lambda: uses(page))

    page.click("#views [data-tab-id=models] >> visible=true")
    page.click("[data-adapter='film grain'] [data-ask]")
    page.click("[data-adapter='film grain'] [data-act=remove]")
    expect(page.locator("#adapters-said")).to_contain_text("film grain was removed")
    page.click("#views [data-tab-id=create] >> visible=true")
    page.wait_for_selector(".m-adapter .m-error >> text=not installed here")
