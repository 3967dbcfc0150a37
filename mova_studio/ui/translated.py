"""Sentences that come from below the page, in Chinese. One that is not here stays in English."""

from __future__ import annotations

import re

from mova_studio.ui.translated_adapters import ADAPTER_SENTENCES
from mova_studio.ui.translated_clips import CLIP_NESTED, CLIP_SENTENCES
from mova_studio.ui.translated_create import CREATE_SENTENCES
from mova_studio.ui.translated_models import MODELS_SENTENCES
from mova_studio.ui.translated_plans import NESTED, SHORT, WHOLE
from mova_studio.ui.translated_prompt import PROMPT_SENTENCES
from mova_studio.ui.translated_queue import QUEUE_NESTED, QUEUE_SENTENCES
from mova_studio.ui.translated_timeline import TIMELINE_SENTENCES
from mova_studio.ui.translated_train import TRAIN_SENTENCES
from mova_studio.ui.translated_writing import WRITING_NESTED, WRITING_SENTENCES

_N = r"([\d.,x×-]+|nan|inf|-inf)"
_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"The prompt is empty; .*", "提示词为空，请描述画面和声音。"),
    (rf"The prompt has {_N} characters and at most {_N} are taken.*", r"提示词有 \1 个字符，最多 \2 个，请缩短。"),
    (
        rf"{_N} cannot be made: both sides must be multiples of 16 up to {_N}\. The nearest size is {_N}\.",
        r"无法生成 \1：两边都须为 16 的倍数且不超过 \2。最接近的尺寸是 \3。",
    ),
    (
        rf"{_N} frames cannot be made: the length must be 4n \+ 1, from 1 to {_N}\. The nearest length is {_N} .*",
        r"无法生成 \1 帧：时长须为 4n + 1 帧，范围 1 至 \2。最接近的是 \3 帧。",
    ),
    (rf"{_N} steps cannot be run; give 1 to {_N}\.", r"步数不能为 \1，请填写 1 至 \2。"),
    (r"(\w+) is (.+), but must be from (\S+) to (\S+?)\.", r"\1 为 \2，须在 \3 至 \4 之间。"),
    (
        r"The seed is (\S+), but must be from 0 to (\d+), or -1 for any\.",
        r"种子为 \1，须在 0 至 \2 之间，或填 -1 表示随机。",
    ),
    (
        r"(\S+) is too large for (\S+): the picture may have as many pixels as (\S+) or (\S+)\.",
        r"\1 对 \2 来说过大：像素总数不得超过 \3 或 \4。",
    ),
    (
        r"(\S+) is too large for (\S+): the picture may have as many pixels as (\S+)\.",
        r"\1 对 \2 来说过大：像素总数不得超过 \3。",
    ),
    (r"(\d+) frames are too many for (\S+): at most (\d+)\.", r"\1 帧对 \2 来说过多，最多 \3 帧。"),
    (rf"{_N} jobs are waiting already; .*", r"已有 \1 个任务在等待，请等一些完成或取消一些。"),
    (r"(.+) is empty \(0 bytes\); choose another picture\.", r"\1 是空文件（0 字节），请换一张图片。"),
    (r"(.+) is not a picture in a known format; .*", r"\1 不是可识别的图片，请另存为 PNG、JPEG 或 WebP 后重试。"),
    (
        r"(.+) is damaged or cut short and cannot be decoded; .*",
        r"\1 已损坏或不完整，无法解码，请另存为 PNG、JPEG 或 WebP 后重试。",
    ),
    (
        r"(.+) is too large \((.+?)([\d.]+) megapixels\) and at most (\d+) are taken; .*",
        r"\1 过大（\2\3 百万像素），最多 \4 百万像素，请先缩小。",
    ),
    (r"It was turned upright as its EXIF orientation says\.", "已按 EXIF 方向信息转正。"),
    (r"It was converted from (.+) to RGB\.", r"已从 \1 转换为 RGB。"),
    (r"Its transparent parts were laid on white\.", "透明部分已铺白底。"),
    (r"It is (?:an animation of|a file with) (\d+) pictures; the first one is used\.", r"文件含 \1 帧，使用第一帧。"),
    (r"Its 16 bits per colour were reduced to 8\.", "每通道 16 位已降为 8 位。"),
    (r"Its colours were converted from (.+) to sRGB\.", r"颜色已从 \1 转换为 sRGB。"),
    (r"Its brightness was stretched .*", "亮度已按自身最暗至最亮拉伸。"),
    (r"Its colour profile .* ignored.*", "颜色配置文件无法使用，已忽略。"),
    (r"cropped to (\S+); (\d+%) was cut off at the sides", r"已裁剪为 \1，左右裁去 \2"),
    (r"cropped to (\S+); (\d+%) was cut off at the top and bottom", r"已裁剪为 \1，上下裁去 \2"),
    (r"enlarged from (\S+) to (\S+); it may look soft", r"已从 \1 放大到 \2，可能略显模糊"),
    (
        r"the (?:negative )?prompt has (\d+) tokens and (\d+) are read; lost: (.+)",
        r"提示词有 \1 个词元，只读取 \2 个，未读取：\3",
    ),
    (
        r"The worker process ended in the middle of this take .*",
        "生成进程中途退出。其他内容没有丢失；若再次发生，请减小尺寸。",
    ),
    (r"A download is running already; .*", "已有下载正在进行，请先停止它，或等它完成。"),
    (r"('.*') is not a hub id; .*", r"\1 不是模型库编号，请按“所有者/名称”填写，例如 OpenMOSS-Team/MOVA-360p。"),
    (r"Only the owner of this studio may do that; .*", "只有所有者可以这样做；访客可以生成和下载成片。"),
)
_ALL = (*_SENTENCES, *CREATE_SENTENCES, *MODELS_SENTENCES, *QUEUE_SENTENCES, *PROMPT_SENTENCES, *SHORT, *WHOLE)
_ALL += TIMELINE_SENTENCES
_ALL = ADAPTER_SENTENCES + _ALL + TRAIN_SENTENCES + CLIP_SENTENCES + WRITING_SENTENCES
_COMPILED = tuple((re.compile(pattern, re.DOTALL), chinese) for pattern, chinese in _ALL)
_IN_PARTS = WRITING_NESTED + QUEUE_NESTED + NESTED + CLIP_NESTED
_NESTED = tuple((re.compile(pattern, re.DOTALL), chinese) for pattern, chinese in _IN_PARTS)
_PREFIXES = {"first frame: ": "首帧：", "last frame: ": "尾帧：", "First frame: ": "首帧：", "Last frame: ": "尾帧："}


def translate(language: str, sentence: str) -> str:
    """`sentence` in the page's language, where it is known. Memory is said in GB, as on a card's box."""
    if language != "zh":
        return sentence.replace(" GiB", " GB")
    for english, chinese in _PREFIXES.items():
        if sentence.startswith(english):
            return chinese + translate(language, sentence.removeprefix(english))
    for pattern, chinese in _NESTED:
        match = pattern.fullmatch(sentence)
        if match is not None:
            return _filled(chinese, [translate(language, part) for part in match.groups()])
    for pattern, chinese in _COMPILED:
        match = pattern.fullmatch(sentence)
        if match is not None:
            return match.expand(chinese)
    return sentence.replace(" GiB", " GB")


def _filled(template: str, parts: list[str]) -> str:
    return re.sub(r"\\(\d)", lambda place: parts[int(place[1]) - 1], template)
