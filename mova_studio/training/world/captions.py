"""What a scene is called, in English and Chinese, from a grammar."""

from __future__ import annotations

import numpy as np

from mova_studio.training.world.scene import Actor, Scene

_COLOURS_ZH = {"red": "红色", "green": "绿色", "blue": "蓝色", "yellow": "黄色", "purple": "紫色", "white": "白色"}
_GROUNDS_ZH = {"wood": "木板", "metal": "金属板", "stone": "石板"}
_FALL_EN = {"wood": "a deep thud", "metal": "a bright ping", "stone": "a dry knock"}
_FALL_ZH = {"wood": "低沉的闷响", "metal": "清脆的叮声", "stone": "干脆的敲击声"}


def caption_of(scene: Scene, language: str = "en", rng: np.random.Generator | None = None) -> str:
    """A sentence for each actor.

    Args:
        language: "en" or "zh".
        rng: chooses between several ways to say it; None takes the first.
    """
    sentences = [_say(actor, scene.ground, language, rng) for actor in scene.actors]
    return ("" if language == "zh" else " ").join(sentences)


def _say(actor: Actor, ground: str, language: str, rng: np.random.Generator | None) -> str:
    ways = _ways_zh(actor, ground) if language == "zh" else _ways_en(actor, ground)
    return ways[0 if rng is None else int(rng.integers(len(ways)))]


def _ways_en(actor: Actor, ground: str) -> tuple[str, ...]:
    colour, fall = actor.colour, _FALL_EN[ground]
    if actor.kind == "ball":
        return (
            f"A {colour} ball bounces on {ground} with {fall}.",
            f"A {colour} ball falls onto {ground} and bounces. Sound: {fall} at each bounce.",
        )
    if actor.kind == "box":
        return (
            f"A {colour} box drops onto {ground} with {fall}.",
            f"A {colour} box falls onto {ground}. Sound: {fall}.",
        )
    if actor.kind == "bell":
        return (f"A {colour} bell rings.", f"A {colour} bell is struck. Sound: a clear ring at each stroke.")
    if actor.kind == "drum":
        return (f"A stick hits a {colour} drum.", f"A {colour} drum is hit by a stick. Sound: a tap at each hit.")
    if actor.kind == "lamp":
        return (
            f"A {colour} lamp lights up and buzzes.",
            f"A {colour} lamp is switched on. Sound: a buzz while it is lit.",
        )
    vowel = actor.events[0].sound if actor.events else "ah"
    return (f'A {colour} face says "{vowel}".', f'A {colour} face opens its mouth. It says "{vowel}".')


def _ways_zh(actor: Actor, ground: str) -> tuple[str, ...]:
    colour, place, fall = _COLOURS_ZH[actor.colour], _GROUNDS_ZH[ground], _FALL_ZH[ground]
    if actor.kind == "ball":
        return (
            f"{colour}的球在{place}上弹跳，发出{fall}。",
            f"{colour}的球落到{place}上弹起。声音：每次弹起都有{fall}。",
        )
    if actor.kind == "box":
        return (f"{colour}的盒子掉到{place}上，发出{fall}。", f"{colour}的盒子落到{place}上。声音：{fall}。")
    if actor.kind == "bell":
        return (f"{colour}的铃铛在响。", f"有人敲{colour}的铃铛。声音：每一下都清亮。")
    if actor.kind == "drum":
        return (f"鼓槌敲{colour}的鼓。", f"{colour}的鼓被鼓槌敲响。声音：每一下都有鼓声。")
    if actor.kind == "lamp":
        return (f"{colour}的灯亮起，发出嗡嗡声。", f"{colour}的灯打开了。声音：亮着时嗡嗡作响。")
    vowel = actor.events[0].sound if actor.events else "ah"
    return (f"{colour}的脸说“{vowel}”。", f"{colour}的脸张开嘴，说“{vowel}”。")
