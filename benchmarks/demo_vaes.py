"""What the demo's VAEs make of clips that they never saw: PSNR of the picture, onsets and mel distance of the sound.
The world's judge looks at what was rebuilt too, to tell what the VAEs alone take away.

    python -m benchmarks.demo_vaes [--model demo|DIR] [--clips 60] [--pictures DIR] [--out FILE.json]

`--pictures` writes spectrograms and frames, original above and rebuilt below, to look at.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.signal import stft

from benchmarks.record import record_result, write_result
from mova_studio.diffusion.conditioning import decode_video, encode_video
from mova_studio.network.checkpoint import Checkpoint
from mova_studio.network.locate import locate
from mova_studio.training.judge.hearing import audible_onsets
from mova_studio.training.judge.verdict import judge
from mova_studio.training.video_vae import as_video
from mova_studio.training.world.clips import HELD_OUT, World

WORLD = World()
RATE = 48_000
MELS, FLOOR = 64, 1e-4
SHOWN = 6


def psnr(frames: NDArray[np.uint8], rebuilt: NDArray[np.uint8]) -> float:
    """In dB, over all pixels of a clip."""
    error = np.square(frames.astype(np.float64) - rebuilt).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def mel_levels(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    """Levels in dB of MELS mel bands up to 12 kHz, every 5 ms, [MELS, n], not under 20 * log10(FLOOR)."""
    _, _, spectrum = stft(sound, RATE, nperseg=1024, noverlap=1024 - 240, padded=True)
    hertz = np.linspace(0, RATE / 2, len(spectrum))
    points = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 12_000 / 700), MELS + 2) / 2595) - 1)
    rising = (hertz[None] - points[:-2, None]) / np.diff(points)[:-1, None]
    falling = (points[2:, None] - hertz[None]) / np.diff(points)[1:, None]
    bands = np.clip(np.minimum(rising, falling), 0, None) @ np.abs(spectrum)
    return 20 * np.log10(bands + FLOOR)


def onset_errors(events: list[float], rebuilt: NDArray[np.float32]) -> list[float]:
    """Seconds between each onset of the original and the nearest one that is heard in the rebuilt sound."""
    heard = audible_onsets(rebuilt)
    return [float(np.abs(heard - event).min(initial=np.inf)) for event in events]


def _seen(frames: NDArray[np.uint8], rebuilt: NDArray[np.uint8]) -> Image.Image:
    picked = np.linspace(0, len(frames) - 1, SHOWN).astype(int)
    rows = [np.concatenate(list(each[picked]), axis=1) for each in (frames, rebuilt)]
    return Image.fromarray(np.concatenate(rows)).resize((SHOWN * 192, 2 * 192), Image.Resampling.NEAREST)


def _heard(sound: NDArray[np.float32], rebuilt: NDArray[np.float32]) -> Image.Image:
    levels = np.concatenate([mel_levels(each)[::-1] for each in (sound, rebuilt)])
    grey = np.clip((levels + 80) / 80, 0, 1) * 255
    return Image.fromarray(grey.astype(np.uint8)).resize((900, 4 * 2 * MELS), Image.Resampling.NEAREST)


@torch.no_grad()
def measure(checkpoint: Checkpoint, clips: int, pictures: Path | None) -> dict[str, Any]:
    """The figures over `clips` held-out clips."""
    video_vae: Any = checkpoint.load("video_vae", torch.float32).eval()
    audio_vae: Any = checkpoint.load("audio_vae", torch.float32).eval()
    dbs, distances, errors, verdicts, false = [], [], [], [], 0
    for place in range(clips):
        clip = WORLD.clip(HELD_OUT + place)
        made = decode_video(video_vae, encode_video(video_vae, as_video(clip.frames[None])))[0]
        rebuilt = ((made.permute(1, 2, 3, 0) / 2 + 0.5) * 255).round().clamp(0, 255).to(torch.uint8).numpy()
        sound = torch.from_numpy(clip.audio)[None, None]
        again = audio_vae.decode(audio_vae.encode(audio_vae.pad(sound)).mean)[0, 0, : clip.audio.size].numpy()
        verdicts.append(judge(rebuilt, again, clip.scene))
        dbs.append(psnr(clip.frames, rebuilt))
        distances.append(float(np.abs(mel_levels(clip.audio) - mel_levels(again)).mean()))
        # An event that its own clip drowns, or cuts off, is no onset; nor is the end of a clip that still rings.
        heard = audible_onsets(clip.audio)
        onsets = [event.time for event in clip.scene.events if np.abs(heard - event.time).min(initial=1.0) < 0.02]
        errors += onset_errors(onsets, again)
        false += max(audible_onsets(again).size - heard.size, 0)
        if pictures is not None and place < SHOWN:
            pictures.mkdir(parents=True, exist_ok=True)
            _seen(clip.frames, rebuilt).save(pictures / f"frames-{place}.png")
            _heard(clip.audio, again).save(pictures / f"sound-{place}.png")
    hits, told = sum(each.hits for each in verdicts), sum(each.onsets for each in verdicts)
    return {
        "clips": clips,
        "rebuilt_and_judged": {
            "looks_right": round(sum(each.looks_right for each in verdicts) / clips, 4),
            "sounds_right": round(sum(each.sounds_right for each in verdicts) / clips, 4),
            "hits": hits,
            "hits_in_time": round(sum(each.heard_in_time for each in verdicts) / max(hits, 1), 4),
            "unmatched_onsets": round(sum(each.unmatched for each in verdicts) / max(told, 1), 4),
        },
        "psnr": {"mean": round(float(np.mean(dbs)), 2), "worst": round(min(dbs), 2)},
        "log_mel_db": {"mean": round(float(np.mean(distances)), 2), "worst": round(max(distances), 2)},
        "onsets": len(errors),
        "onsets_within_10_ms": round(float(np.mean(np.array(errors) <= 0.010)), 4),
        "worst_onset_ms": round(1000 * min(max(errors), 9.999), 1),
        "onsets_too_many": false,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="demo", help="demo or a folder")
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--pictures", type=Path, metavar="DIR")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    checkpoint = Checkpoint(locate(options.model))
    figures = measure(checkpoint, options.clips, options.pictures)
    write_result(record_result("demo_vaes", "cpu", model=checkpoint.identity(), **figures), options.out)


if __name__ == "__main__":
    main()
