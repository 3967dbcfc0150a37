"""What the measures of a take are called, and what they say and do not say, in English and in Chinese."""

from __future__ import annotations

MEASURE_TEXTS: dict[str, tuple[str, str]] = {
    "measure.lufs": ("{lufs} LUFS", "响度 {lufs} LUFS"),
    "measure.lufs.tip": (
        "How loud the whole take is to the ear (EBU R 128). It says nothing about how loud a single moment is.",
        "整条成片听起来有多响（EBU R 128），并不表示某一瞬间有多响。",
    ),
    "measure.peak.tip": (
        "The highest true peak; above 0 a player distorts it. It is no measure of how loud the take sounds.",
        "最高真峰值，超过 0 时播放会失真；它并不表示成片听起来有多响。",
    ),
    "measure.sync": ("sync {offset} ms", "偏移 {offset} 毫秒"),
    "measure.sync.tip": (
        "How late the sound is where beginnings of sounds best fit changes of motion; below 0 it is early. Unreliable "
        "where motion is smooth, and it does not judge lips.",
        "起音与运动变化最吻合时，声音比画面晚多少；负数表示声音提前。运动平缓时不可靠，也不判断口型。",
    ),
    "measure.align": ("AV-Align {align}", "音画契合 {align}"),
    "measure.align.tip": (
        "The share of motion peaks and beginnings of sounds that come together, 0 to 1. It is about when things move "
        "and sound, not whether the right thing sounds, and it says little on continuous sounds.",
        "运动高峰与起音同时出现的比例，0 到 1。它只看何时动、何时响，不看发声的对不对；对持续的声音意义不大。",
    ),
    "measure.flaw.freeze": ("freeze", "画面静止"),
    "measure.flaw.freeze.tip": (
        "The picture does not change for half a second or longer. A still that was asked for counts too.",
        "画面有半秒或更久没有变化；有意的静止画面也会算入。",
    ),
    "measure.flaw.black": ("black", "黑屏"),
    "measure.flaw.black.tip": (
        "The picture is black for a tenth of a second or longer. Fades count too, and very dark scenes may.",
        "画面有 0.1 秒或更久是黑的；淡入淡出也会算入，极暗的场景也可能算入。",
    ),
    "measure.flaw.silence": ("silence", "无声"),
    "measure.flaw.silence.tip": (
        "Nothing sounds above -60 dBFS for half a second or longer. It may be a pause that the scene asks for.",
        "有半秒或更久没有超过 -60 dBFS 的声音；也可能是场景本来就有的停顿。",
    ),
    "measure.flaw.clipping": ("clipping", "削波"),
    "measure.flaw.clipping.tip": (
        "The sound as made was cut off at full scale, three samples in a row or more. Distortion below that is not "
        "noticed.",
        "生成的声音在满刻度处被截断，连续三个采样或更多；未达满刻度的失真不会被发现。",
    ),
}
