"""What timelines say, in Chinese; see `translated.py`."""

from __future__ import annotations

_N = r"(-?[\d.]+)"
TIMELINE_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"There is no timeline '(.*)' in (?:this library|the trash)\.", r"没有时间线“\1”。"),
    (r"This timeline was deleted; restore it, or open another one\.", "该时间线已删除，请还原或打开其他时间线。"),
    (r"There is no (?:clip|sound|caption) '.*' on this timeline; reload the page\.", "时间线上没有该项，请刷新页面。"),
    (r"There is no upload '(.*)' in this library; bring the file again\.", r"此库中没有文件“\1”，请重新上传。"),
    (r"(.+) is in the trash; restore it, or use another take\.", r"“\1”在回收站中，请还原或换用其他成片。"),
    (r"The file of (.+) has gone; put it back, or use another take\.", r"“\1”的文件已不存在，请放回或换用其他成片。"),
    (r"(.+) is no longer at (.+)\.", r"“\1”已不在 \2。"),
    (r"(.+) has no picture; sound alone belongs on the sound track\.", r"“\1”没有画面；只有声音的文件请放到声音轨。"),
    (r"(.+) has no sound\.", r"“\1”没有声音。"),
    (r"(.+) has neither picture nor sound\.", r"“\1”既无画面也无声音。"),
    (
        rf"(.+) shows {_N} frames, but its transitions take {_N} at its start and {_N} at its end; .*",
        r"“\1”显示 \2 帧，而转场在开头占 \3 帧、结尾占 \4 帧；请缩短转场或使用更长的片段。",
    ),
    (
        r"The first clip has nothing to come from; its transition must be a cut\.",
        "第一个片段之前没有内容，只能直接开始。",
    ),
    (
        rf"(.+) begins while the sound before it still plays; move it to frame {_N} or later\.",
        r"“\1”开始时前一段声音尚未结束，请移到第 \2 帧或之后。",
    ),
    (rf"Frame {_N} does not lie inside the clip; give {_N} to {_N}\.", r"第 \1 帧不在片段内，请用 \2 至 \3。"),
    (
        r"One frame of the source is shown here, and it cannot be cut in two\.",
        "此处只显示素材的一帧，无法切开。",
    ),
    (rf"(\w+) is {_N}, but must be {_N} to {_N}\.", r"\1 为 \2，须在 \3 至 \4 之间。"),
    (r"(\w+) is (.+), but must be a (?:whole )?number\.", r"\1 为 \2，须为数字。"),
    (
        rf"A film {_N} pixels (?:wide|high) cannot be written; use an even number from {_N} to {_N}, .* {_N}\.",
        r"影片边长不能为 \1 像素，请用 \2 至 \3 之间的偶数，例如 \4。",
    ),
    (r"The size is (.+), but must be WIDTHxHEIGHT, .*", r"尺寸为 \1，须写成 宽x高，例如 1280x720。"),
    (
        r"There is no caption on this timeline; make some from the prompts, or write one\.",
        "时间线上没有字幕，请由提示词生成或自行添加。",
    ),
    (r"(.+) was not made from a prompt; write its captions by hand\.", r"“\1”没有提示词，请手动添加字幕。"),
    (
        r"(\S+) was changed by another program; undo brings back what was here before\.",
        r"\1 已被其他程序修改；撤销可恢复之前的内容。",
    ),
    (
        r"(\S+) was deleted by another program; the next change writes it again\.",
        r"\1 已被其他程序删除；下次修改时会重新写入。",
    ),
)
