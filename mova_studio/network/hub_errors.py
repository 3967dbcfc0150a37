"""What went wrong between this machine and the hub, in the person's words."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from huggingface_hub import constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,  # of the HTTP client that the installed huggingface_hub uses; there are two
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from mova_studio.atomic import output_error
from mova_studio.errors import CheckpointError, StudioError


def explain(error: Exception, hub_id: str, folder: Path) -> StudioError | None:
    """What a person should know and do about `error`, or None where it is a fault of this program.

    Nothing of the error's own text is repeated: it may hold signed addresses.
    """
    host = urlsplit(constants.ENDPOINT).hostname or "the hub"
    again = "What has been fetched is kept: the same command goes on from there."
    if isinstance(error, StudioError):
        return error
    if isinstance(error, OfflineModeIsEnabled):
        return CheckpointError(f"HF_HUB_OFFLINE is set, so {hub_id} cannot be fetched; unset it and try again.")
    if isinstance(error, GatedRepoError):
        return CheckpointError(
            f"{hub_id} asks for its terms to be accepted first: do so on its page at {host}, log in with "
            "`hf auth login`, and try again."
        )
    if isinstance(error, RepositoryNotFoundError) or _wants_a_login(error):
        return CheckpointError(
            f"{host} shows no checkpoint {hub_id} to this account. Check the spelling; if it is private, log in "
            "with `hf auth login`."
        )
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        if status == 401:
            remedy = "The saved token was refused: log in again with `hf auth login`, or unset HF_TOKEN."
        elif status == 403:
            remedy = f"This account may not read {hub_id}: log in with another token by `hf auth login`."
        elif status == 404:
            remedy = (
                f"It has no {hub_id}, or just replaced a file of it. Check the spelling, and run the download again."
            )
        else:
            remedy = f"Wait a few minutes and try again. {again}"
        return CheckpointError(f"{host} answered with status {status}. {remedy}")
    if isinstance(error, HTTPError):
        return CheckpointError(
            f"{host} cannot be reached ({type(error).__name__}). Check the internet connection and proxy. {again} "
            "On a machine without internet, copy the folder from another one and give its path."
        )
    if isinstance(error, OSError):
        return output_error(folder, error)
    return None


def _wants_a_login(error: Exception) -> bool:
    # The hub answers 401 for what is private and for what does not exist, and names the token if that is at fault.
    return (
        isinstance(error, HfHubHTTPError)
        and error.response.status_code == 401
        and not error.response.headers.get("X-Error-Message", "").startswith("Invalid credentials")
    )
