"""Words of stillness, and moves of the camera, which a rewrite must not add."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STILLNESS = re.compile(
    r"\b(?:motionless(?:ly)?|immobile|unmoving|stationary"
    r"|(?<!radio )(?<!tv )(?<!of )static(?!\s+(?:hiss|crackl|buzz|fizz|nois|sound|electric|on\b|from\b|over\b|fills))"
    r"|frozen|freeze[\s-]?frame|freezes?|tableau|locked[\s-]?(?:off|down)"
    r"|statue-like|stock-still|(?:no|without(?:\s+any)?)\s+(?:movement|motion)|without\s+moving|(?:does\s+not|doesn['’]t|do\s+not|not|never)\s+mov(?:e|ing)"
    r"|fixed\s+(?:camera|shot|frame|angle|position)|still(?:ness|s)|still\s+(?:image|frame|shot|photo(?:graph)?|picture|life|camera)"
    r"|(?:stand|sit|hold|keep|remain|stay|lie|lay|stood|sat|held|kept|perfectly|completely|absolutely|totally|utterly|very|almost|entirely|is|are"
    r"|camera|standing|sitting|holding|keeping|remaining|staying|lying|quite)s?\s+(?:\w+ly\s+)?still(?!\s+\w+(?:ing|ed)\b)"
    r"|still(?=\s*(?:[.,;:!?]|$)))",
    re.IGNORECASE,
)
_STILLNESS_ZH = re.compile(
    r"静止|静态|一动不动|纹丝不动|不动|定格|凝固|僵住|固定(?:镜头|机位|画面)|(?:镜头|机位|画面)固定|静静[不没]|停滞"
)
_CAMERA = r"(?:camera|lens|shot|viewpoint|point\s+of\s+view|viewfinder|footage|the\s+view|the\s+frame)"
_MOVES = (
    ("pan", r"pans?|panning|panned|sweep(?:s|ing)?|swings?|swivel(?:s|ling)?"),
    ("tilt", r"tilts?|tilting|tilted"),
    (
        "in",
        r"push(?:es|ing)?(?:\s+\w+ly)?\s+(?:in|toward|closer)\w*|dolly(?:ing)?(?:\s+in)?|dollies|zoom(?:s|ing|ed)?|closes\s+in|creeps?\s+in|moves?\s+(?:in|closer|forward)",
    ),
    (
        "out",
        r"pull(?:s|ing)?(?:\s+\w+ly)?\s+(?:back|out|away)|backs?\s+away|zooms?\s+out|retreats?|moves?\s+(?:back|away)",
    ),
    (
        "track",
        r"track(?:s|ing)?|trucks?|trucking|follow(?:s|ing)?|trail(?:s|ing)?|slid(?:es?|ing)|glid(?:es?|ing)|travel(?:s|ling)?",
    ),
    ("orbit", r"orbit(?:s|ing)?|circl(?:es?|ing)|arcs?|revolv(?:es?|ing)|rotat(?:es?|ing)|spins?"),
    (
        "crane",
        r"cran(?:es?|ing)|ris(?:es?|ing)|descend(?:s|ing)?|boom(?:s|ing)?|lifts?|soars?|soaring|flies|flying|lowers?",
    ),
    ("shake", r"shak(?:es?|ing|y)|wobbl\w+|handheld|hand-held|trembl\w+|jolts?"),
    ("move", r"mov(?:es?|ing)|drift(?:s|ing)?|turns?|floats?|floating|wanders?|sways?"),
)
_ALONE = (
    (
        "pan",
        r"(?<!frying )\bpan(?:s|ning)?\s+(?:left|right|across|shot)\b"
        r"|\b(?:slow|whip|quick|smooth|gentle)[\s-]pan\b|\bpanning\s+(?:shot|view)",
    ),
    ("tilt", r"(?:^|[.;,]\s*)tilt(?:s|ing)?\s+(?:up|down)\b|\btilt\s+(?:up|down)\s+to\b"),
    ("in", r"\bdolly(?:ing)?\b|\bdollies\b|\bzoom(?:s|ing)?[\s-]in\b|\bpush[\s-]in\b|\bslow\s+zoom\b"),
    ("out", r"\bzoom(?:s|ing)?[\s-]out\b|\bpull[\s-](?:back|out)\s+(?:shot|to\s+reveal)|\bpull-?back\b"),
    ("track", r"\b(?:tracking|trucking|following|travelling|steadicam|follow)\s+(?:shot|camera)\b|\bsteadicam\b"),
    ("orbit", r"\b(?:orbit(?:ing|al)?|arc|circling|rotating|360[\s-]degree)\s+(?:shot|camera|move)"),
    ("crane", r"\b(?:crane|jib|drone|aerial\s+tracking|boom)\s+shot\b"),
    ("shake", r"\bhand-?held\s+(?:camera|shot|footage|look|style|feel)\b|\bshaky\s+cam\w*"),
    ("pan", r"摇镜头?|镜头[^，。；]{0,6}(?:左|右|横)?摇"),
    ("in", r"推镜头?|(?:镜头|画面|机位)[^，。；]{0,8}(?:推[近进入]|拉近|靠近|逼近|前移)|变焦推"),
    ("out", r"拉镜头?|(?:镜头|画面|机位)[^，。；]{0,8}(?:拉远|后退|拉开|后拉|远离)"),
    ("track", r"跟拍|移镜头|运镜|(?:镜头|机位)[^，。；]{0,8}(?:跟随|跟着|平移|横移|滑动|滑过|追随)"),
    ("orbit", r"环绕(?:拍摄|镜头)|(?:镜头|机位)[^，。；]{0,8}(?:环绕|绕|旋转)"),
    ("crane", r"升降镜头|航拍|(?:镜头|机位)[^，。；]{0,8}(?:升起|上升|下降|升高|俯冲|上移|下移)"),
    ("shake", r"手持(?:镜头|拍摄|摄影)|(?:镜头|画面)[^，。；]{0,4}(?:晃动|抖动|摇晃)"),
    ("move", r"(?:镜头|机位)[^，。；]{0,8}(?:移动|漂移|缓缓移|向[左右前后上下])"),
)
_WITH_CAMERA = tuple(
    (kind, re.compile(rf"\b{_CAMERA}\b[^.;:!?]{{0,40}}?\b(?:{verbs})(?!\w)", re.IGNORECASE)) for kind, verbs in _MOVES
)
_BY_THEMSELVES = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _ALONE)


@dataclass(frozen=True)
class Move:
    """A move of the camera: its kind ("pan", "in", "orbit", ...) and the words that say it."""

    kind: str
    words: str


def stillness_in(narration: str) -> tuple[str, ...]:
    """Words of stillness, as they stand there; "still raining" is none."""
    found = [match[0] for pattern in (_STILLNESS, _STILLNESS_ZH) for match in pattern.finditer(narration)]
    return tuple(found)


def camera_moves_in(narration: str) -> tuple[Move, ...]:
    """Moves of the camera; a frying pan and a head that tilts are none."""
    return tuple(
        Move(kind, match[0].strip(" ,.;"))
        for kind, pattern in (*_BY_THEMSELVES, *_WITH_CAMERA)
        for match in pattern.finditer(narration)
    )
