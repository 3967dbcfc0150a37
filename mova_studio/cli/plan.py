"""`python -m mova_studio plan`, and the options that say what a plan may use."""

from __future__ import annotations

import argparse
from typing import Any

from mova_studio.errors import InputError, MemoryRanOut
from mova_studio.library.presets import preset_for
from mova_studio.library.shot import Shot, parse_size
from mova_studio.settings import cache_dir

Answer = dict[str, Any]
DEFAULT_MODEL = "OpenMOSS-Team/MOVA-360p"


def add_limit_options(parser: argparse.ArgumentParser) -> None:
    """Caps, precision and pins; see `placement.request.Limits`."""
    parser.add_argument("--max-vram-gb", type=float, metavar="X", help="hold no more VRAM than this (all that is free)")
    parser.add_argument("--max-ram-gb", type=float, metavar="X", help="hold no more RAM than this (all that is free)")
    parser.add_argument(
        "--precision",
        default="balanced",
        metavar="full|balanced|fast",
        help="weights as trained; or also 8-bit integers and flash attention; or also 8-bit floats and 8-bit "
        "attention (balanced)",
    )
    parser.add_argument(
        "--pin",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="make one choice yourself, such as offload=group or weights=int8; may be repeated",
    )
    parser.add_argument("--try-anyway", action="store_true", help="take the smallest plan when none fits")


def limits_of(options: argparse.Namespace) -> dict[str, Any]:
    """The limits that the options describe, for `Limits.from_dict`."""
    pins: dict[str, Any] = {}
    for text in options.pin:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--pin {text!r} is not NAME=VALUE, such as offload=group.", field="pins")
        pins[name.strip()] = _value(value.strip())
    return {
        "vram_gb": options.max_vram_gb,
        "ram_gb": options.max_ram_gb,
        "precision": options.precision,
        "pins": pins,
        "try_anyway": options.try_anyway,
    }


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return int(text) if text.isdecimal() else text


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """The run, the machine if it is an imaginary one, and the limits."""
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="demo|DIR|HUB_ID")
    parser.add_argument("--size", metavar="WxH", help="multiples of 16")
    parser.add_argument("--frames", type=int, metavar="N", help="4n + 1")
    parser.add_argument("--steps", type=int, metavar="N")
    parser.add_argument("--gpu", metavar="NAME", help='imagine this card, such as "RTX 4090"; "none" for no card')
    parser.add_argument("--vram-gb", type=float, metavar="X", help="imagine a card of so much memory")
    parser.add_argument("--ram-gb", type=float, metavar="Y", help="imagine so much RAM")
    parser.add_argument("--capability", metavar="8.9", help="compute capability of an imagined card")
    add_limit_options(parser)
    parser.set_defaults(verdict=lambda answer: 0 if answer["chosen"] else MemoryRanOut.exit_code)


def run_plan(options: argparse.Namespace) -> Answer:
    """Plan without loading anything; weights need not be on this machine if their sizes are known."""
    from mova_studio.jobs.planning import plan_report, plan_shot, request_of
    from mova_studio.placement.imagine import imagine_machine
    from mova_studio.placement.planner import require
    from mova_studio.placement.probe import probe_machine
    from mova_studio.placement.request import Limits

    described = {name: getattr(options, name) for name in ("gpu", "vram_gb", "ram_gb", "capability")}
    imagined = any(value is not None for value in described.values())
    machine = probe_machine(cache_dir(), use_torch=not imagined)
    if imagined:
        machine = imagine_machine(machine, **described)
    preset = preset_for(options.model)
    width, height = (preset.width, preset.height) if options.size is None else parse_size(options.size)
    shot = Shot(
        prompt="a plan",
        model=options.model,
        width=width,
        height=height,
        num_frames=preset.num_frames if options.frames is None else options.frames,
        frame_rate=preset.frame_rate,
        num_inference_steps=preset.num_inference_steps if options.steps is None else options.steps,
        guidance_scale=preset.guidance_scale,
        bridge_guidance_scale=preset.bridge_guidance_scale,
    )
    sizes, planned = plan_shot(shot, Limits.from_dict(limits_of(options)), machine)
    answer = {"model": options.model, "size": f"{width}x{height}", "num_frames": shot.num_frames}
    answer |= plan_report(machine, sizes, planned)
    try:
        require(planned, machine, request_of(shot))
    except MemoryRanOut as error:
        answer["error"] = error.to_dict()
    return answer


def tell_plan(answer: Answer) -> str:
    """The answer in words, the chosen plan first."""
    machine, budget = answer["machine"], answer["budget"]
    gpu = machine["gpu"]
    card = "no GPU" if gpu is None else f"{gpu['name']}, {gpu['free_vram'] / 2**30:.1f} GiB of VRAM free"
    imagined = " (imagined)" if machine["imaginary"] else ""
    source = "" if answer["checkpoint"]["on_disk"] else " (not on this machine; sizes as published)"
    lines = [
        f"{answer['model']}{source}, {answer['size']}, {answer['num_frames']} frames",
        f"Machine{imagined}: {card}, {machine['free_ram'] / 2**30:.1f} GiB of RAM free",
        f"To spend: {budget['vram']:.1f} GiB of VRAM, {budget['ram']:.1f} GiB of RAM",
    ]
    chosen = answer["chosen"]
    lines.append(answer["error"]["message"] if chosen is None else f"Plan: {_line(chosen)}")
    lines += ["Considered, fastest first:"]
    lines += [f"  {_line(each)}{'' if each['fits'] else '; ' + each['why_not']}" for each in answer["considered"]]
    return "\n".join([*lines, *answer["notes"]])


def _line(candidate: dict[str, Any]) -> str:
    predicted = candidate["predicted"]
    origin = "as learned here" if predicted["learned"] else "predicted"
    return (
        f"{candidate['name']}: {predicted['step_seconds']:.3g} s a step, {predicted['total_seconds']:.0f} s in all "
        f"({origin}), {predicted['vram_gb']:.1f} GiB of VRAM, {predicted['ram_gb']:.1f} GiB of RAM"
    )
