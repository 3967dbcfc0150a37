"""The Models view with a hub on the loopback: download, stop, resume, verify, mend, use, forget."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from driving import RunningStudio, open_studio, start_studio
from hub_server import HUB_ID, Hub, serve

pytestmark = pytest.mark.browser
BIG = "video_vae/diffusion_pytorch_model.safetensors"
CARD = f"#checkpoints [data-model='{HUB_ID}']"


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """The demo as a hub id."""
    from mova_studio.network.demo import demo_checkpoint

    folder = demo_checkpoint()
    files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    with serve(Hub(files=files)) as hub:
        yield hub


@pytest.fixture(scope="module")
def hub_studio(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """A studio whose hub is that one, with a cache of its own."""
    folder = tmp_path_factory.mktemp("hub")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HF_ENDPOINT", hub.endpoint)
        patched.setenv("HF_HUB_CACHE", str(folder / "hub"))
        patched.setenv("MOVA_MODELS", str(folder / "models"))
        yield from start_studio(folder)


def open_models(context: BrowserContext, studio: RunningStudio) -> Page:
    page = open_studio(context, studio)
    page.click("#views [data-tab-id=models] >> visible=true")
    page.wait_for_selector("#checkpoints [data-model=demo]")
    return page


def test_download_stop_resume_verify_mend_use(
    context: BrowserContext, hub_studio: RunningStudio, hub: Hub, screenshots: Path
) -> None:
    hub.stall[BIG] = 500_000
    page = open_models(context, hub_studio)
    page.wait_for_selector("#checkpoints .m-teach")
    page.wait_for_selector("#download-room >> text=77.67 GB to fetch")
    page.fill("#hub-id input", HUB_ID)
    page.keyboard.press("Enter")
    page.wait_for_selector("#download-room >> text=free in")
    page.click("#download-model")
    page.wait_for_selector(f"{CARD} [role=progressbar]")
    page.reload()
    page.click("#views [data-tab-id=models] >> visible=true")
    page.wait_for_selector(f"{CARD} [role=progressbar]")
    page.screenshot(path=screenshots / "models-downloading.png")
    page.click(f"{CARD} [data-act=halt]")
    page.wait_for_selector("#download-said >> text=what has arrived is kept")
    page.wait_for_selector(f"{CARD}[data-state=partial] >> text=of 5.")
    hub.heal()
    page.click(f"{CARD} [data-act=resume]")
    page.wait_for_selector(f"{CARD}[data-state=whole]")
    assert [request.start for request in hub.fetched(BIG)] == [500_000]

    folder = Path(page.inner_text(f"{CARD} .m-path .m-mono"))
    blob = (folder / BIG).resolve()
    data = bytearray(blob.read_bytes())
    data[-1] ^= 1
    blob.write_bytes(data)
    page.click(f"{CARD} [data-act=verify]")
    page.wait_for_selector(f"{CARD}[data-state=damaged] .m-faults >> text=wrong checksum")
    page.screenshot(path=screenshots / "models-faults.png")
    hub.requests.clear()
    page.click(f"{CARD} [data-act=mend]")
    page.wait_for_selector(f"{CARD} [data-act=mend]", state="detached")
    page.wait_for_selector(f"{CARD} [data-act=verify]")
    assert {request.path for request in hub.fetched()} == {BIG}
    page.click(f"{CARD} [data-act=use]")
    page.wait_for_selector(f"{CARD}.m-used")
    page.wait_for_selector("#machine >> text=tiny-mova")


def test_a_folder_is_used_remembered_and_forgotten(
    context: BrowserContext, hub_studio: RunningStudio, tmp_path: Path
) -> None:
    from mova_studio.network.demo import demo_checkpoint

    folder = shutil.copytree(demo_checkpoint(), tmp_path / "my-mova")
    page = open_models(context, hub_studio)
    page.fill("#model :is(input, textarea)", str(folder))
    page.click("#use-model")
    card = f"#checkpoints [data-model='{folder}']"
    page.wait_for_selector(f"{card}.m-used")
    assert page.locator(f"{card} [data-act=forget]").count() == 0
    page.click("#checkpoints [data-model=demo] [data-act=use]")
    page.wait_for_selector("#checkpoints [data-model=demo].m-used")
    shutil.rmtree(folder)
    page.click("#look-again")
    page.wait_for_selector(f"{card}[data-state=gone]")
    page.click(f"{card} [data-act=forget]")
    page.wait_for_selector(card, state="detached")
