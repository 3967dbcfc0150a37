"""The owner may do everything; guests make and download takes. Decided on the server, for page and programs."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from driving import GUEST, OWNER, RunningStudio
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from playwright.sync_api import BrowserContext, Page

from mova_studio.media.probe import probe

pytestmark = pytest.mark.browser
REFUSED = "Only the owner"


@pytest.fixture(scope="module")
def owner(locked_studio: RunningStudio) -> Client:
    return Client(locked_studio.url, auth=OWNER, verbose=False)


@pytest.fixture(scope="module")
def guest(locked_studio: RunningStudio) -> Client:
    return Client(locked_studio.url, auth=GUEST, verbose=False)


@pytest.fixture(scope="module")
def take(guest: Client, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A take that the guest made with a program."""
    from PIL import Image

    picture = tmp_path_factory.mktemp("picture") / "first.png"
    Image.linear_gradient("L").save(picture)
    file, info = guest.predict(
        prompt="<img src=x onerror=\"document.title='broken'\"> ${1+1} {{value}}",
        first_frame=handle_file(picture),
        seed="9007199254740993",
        width=96,
        height=64,
        num_frames=13,
        num_inference_steps=2,
        step_cache="light",
        guidance_stop=0.5,
        api_name="/generate",
    )
    assert probe(Path(file)).num_frames == 13
    return info


def sign_in(context: BrowserContext, studio: RunningStudio, account: tuple[str, str]) -> Page:
    page = context.new_page()
    page.goto(studio.url)
    page.fill("input[type=text], input:not([type=password])", account[0])
    page.fill("input[type=password]", account[1])
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#cost')?.innerText.trim()")
    return page


def test_generate_by_name_tells_everything_but_folders(take: dict[str, Any], locked_studio: RunningStudio) -> None:
    assert take["seed"] == 9007199254740993 and take["untrained"] and take["shot"]["has_first_frame"]
    assert (take["shot"]["step_cache"], take["shot"]["guidance_start"], take["shot"]["guidance_stop"]) == (
        "light",
        0,
        0.5,
    )
    assert str(locked_studio.library) not in json.dumps(take)


def test_wrong_values_are_refused_by_name(guest: Client) -> None:
    with pytest.raises(AppError, match="nearest size is 96x96"):
        guest.predict(prompt="a", width=97, height=96, api_name="/generate")
    with pytest.raises(AppError, match="prompt is empty"):
        guest.predict(prompt=" ", api_name="/generate")
    with pytest.raises(AppError, match="step_cache is 'wild', but must be one of off, light"):
        guest.predict(prompt="a", step_cache="wild", api_name="/generate")


def test_a_servers_file_is_no_picture(guest: Client) -> None:
    with pytest.raises(AppError, match="not a file that was dropped here"):
        guest.predict(prompt="a", first_frame={"path": "/etc/hostname"}, api_name="/generate")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("use_model", "demo"),
        ("delete_take", "a-take"),
        ("restore_take", "a-take"),
        ("download_model", "OpenMOSS-Team/MOVA-360p"),
    ],
)
def test_guests_are_refused_by_name(guest: Client, name: str, value: str) -> None:
    with pytest.raises(AppError, match=REFUSED):
        guest.predict(value, api_name=f"/{name}")


def test_owner_chooses_a_model_and_deletes(owner: Client, guest: Client, take: dict[str, Any]) -> None:
    assert owner.predict("demo", api_name="/use_model")["model"] == "demo"
    with pytest.raises(AppError, match=r"model_index\.json"):
        owner.predict("/", api_name="/use_model")
    with pytest.raises(AppError, match="not a hub id"):
        owner.predict("not a hub id", api_name="/download_model")
    names = [known["name"] for known in guest.predict(10, api_name="/takes")]
    assert take["name"] in names
    with pytest.raises(AppError, match=REFUSED):
        guest.predict(take["id"], api_name="/delete_take")
    assert owner.predict(take["id"], 4, api_name="/star_take") == {"id": take["id"], "stars": 4}
    assert owner.predict(take["id"], ["bell", " bell "], api_name="/tag_take")["tags"] == ["bell"]
    with pytest.raises(AppError, match=REFUSED):
        guest.predict(take["id"], 1, api_name="/star_take")
    with pytest.raises(AppError, match="cannot be compared with itself"):
        guest.predict(take["id"], take["id"], "a", api_name="/vote")
    with pytest.raises(AppError, match="has no take"):
        owner.predict("../../etc/passwd", api_name="/delete_take")


def test_guests_page_has_no_owners_controls(
    context: BrowserContext, locked_studio: RunningStudio, take: dict[str, Any]
) -> None:
    page = sign_in(context, locked_studio, GUEST)
    tabs = [tab.inner_text() for tab in page.locator("#views [role=tab]").all()]
    assert tabs == ["Create", "Scouts", "Gallery", "Timeline", "Prompt lab"]
    page.click("#views [data-tab-id=takes] >> visible=true")
    page.wait_for_selector("#takes .m-card")
    assert page.locator("#takes [data-act=trash], #takes [data-star]").count() == 0
    assert not page.is_visible("#gallery-trash")
    assert page.title() == "MOVA Studio" and page.locator("#takes img").count() == 0
    assert "${1+1} {{val" in page.inner_text("#takes"), "a prompt is text, never markup or a template"


class RawPage:
    """The page's own listeners, called without the page: what a guest could send by hand."""

    def __init__(self, url: str, account: tuple[str, str]) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)
        self.http.post("/login", data={"username": account[0], "password": account[1]}).raise_for_status()
        self.config = self.http.get("/config").json()

    def call(self, elem_id: str, event: str, event_data: Any = None) -> str:
        """Fire `event` of the component; everything that comes back, as text."""
        (target,) = [part["id"] for part in self.config["components"] if part["props"].get("elem_id") == elem_id]
        (listener,) = [item for item in self.config["dependencies"] if [target, event] in item["targets"]]
        session = secrets.token_hex(5)
        body = {
            "data": ["demo"] * len(listener["inputs"]),
            "fn_index": listener["id"],
            "session_hash": session,
            "event_data": event_data,
        }
        self.http.post("/gradio_api/queue/join", json=body).raise_for_status()
        said = []
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
            for line in stream.iter_lines():
                said.append(line)
                if "process_completed" in line:
                    break
        return "\n".join(said)


@pytest.fixture(scope="module")
def by_hand(locked_studio: RunningStudio) -> Iterator[RawPage]:
    page = RawPage(locked_studio.url, GUEST)
    yield page
    page.http.close()


@pytest.mark.parametrize("elem_id", ["use-model", "download-model", "stop-download"])
def test_guests_are_refused_at_the_listeners_too(by_hand: RawPage, elem_id: str) -> None:
    assert REFUSED in by_hand.call(elem_id, "click")


def test_a_guests_forged_click_deletes_nothing(
    by_hand: RawPage, take: dict[str, Any], locked_studio: RunningStudio
) -> None:
    for act in ("trash", "empty", "star"):
        assert REFUSED in by_hand.call("takes", "select", {"act": act, "id": take["id"], "value": "1"})
    assert (locked_studio.library / take["name"]).is_file()


def test_nothing_without_a_login(locked_studio: RunningStudio, take: dict[str, Any], guest: Client) -> None:
    url = guest.predict(1, api_name="/takes")[0]["url"]
    with httpx.Client(base_url=locked_studio.url) as http:
        for path in ("/config", f"/{url}", "/gradio_api/info"):
            assert http.get(path).status_code == 401
        assert http.post("/login", data={"username": GUEST[0], "password": "guess"}).status_code == 400


def test_the_library_is_not_served(locked_studio: RunningStudio, take: dict[str, Any], by_hand: RawPage) -> None:
    for path in (locked_studio.library / take["name"], "app.py", "/etc/hostname"):
        assert by_hand.http.get(f"/gradio_api/file={path}").status_code in (403, 404)


def test_owner_deletes_on_the_page(context: BrowserContext, locked_studio: RunningStudio, take: dict[str, Any]) -> None:
    page = sign_in(context, locked_studio, OWNER)
    page.click("#views [data-tab-id=takes] >> visible=true")
    card = f"#takes .m-take[data-id='{take['id']}']"
    page.wait_for_selector(card)
    served = page.get_attribute(f"{card} video", "data-src")
    page.hover(card)
    page.click(f"{card} [data-act=trash]")
    page.wait_for_selector(card, state="detached")
    assert not (locked_studio.library / take["name"]).exists()
    assert page.request.get(f"{locked_studio.url}/{served}").status in (403, 404)
    page.click("#gallery-trash input")
    page.wait_for_selector(f"{card}[data-trashed]")
    page.click("#gallery-title [data-ask]")
    page.click("#gallery-title [data-keep]")
    page.click("#gallery-title [data-ask]")
    page.click("#gallery-title [data-act=empty]")
    page.wait_for_selector("#takes .m-empty")


def test_owner_chooses_a_model_on_the_page(context: BrowserContext, locked_studio: RunningStudio) -> None:
    page = sign_in(context, locked_studio, OWNER)
    page.click("#views [data-tab-id=models] >> visible=true")
    page.wait_for_selector("#checkpoints >> text=demo")
    page.fill("#model :is(input, textarea)", "/nowhere/at/all")
    page.keyboard.press("Enter")
    page.click("#use-model")
    page.wait_for_selector("#model-said .m-error")
    page.fill("#model :is(input, textarea)", "demo")
    page.keyboard.press("Enter")
    page.click("#use-model")
    page.wait_for_selector("#model-said >> text=demo is in use")
    page.fill("#hub-id input", "not-a-hub-id")
    page.keyboard.press("Enter")
    page.click("#download-model")
    page.wait_for_selector("#download-said >> text=is not a hub id")


def test_a_strangers_name_for_this_machine_is_refused(studio: RunningStudio) -> None:
    assert httpx.get(studio.url, headers={"host": "evil.example"}).status_code == 400
