"""Every sentence of the Timeline, in English and in Chinese. The page's script gets all of them."""

from __future__ import annotations

from mova_studio.ui.catalogue_editor import EDITOR_TEXTS

TIMELINE_TEXTS: dict[str, tuple[str, str]] = {
    # How a source comes to the film's size and rate
    "timeline.fitted.letterbox": ("letterboxed from {size}", "已从 {size} 加黑边"),
    "timeline.fitted.crop": ("cropped from {size}", "已从 {size} 裁切"),
    "timeline.fitted.scaled": ("scaled from {size}", "已从 {size} 缩放"),
    "timeline.fitted.rate": ("{before} → {after} fps", "{before} → {after} 帧/秒"),
    "timeline.guest": (
        "Only the owner of this studio may change timelines; you may look and play.",
        "只有所有者可以修改时间线；您可以查看和播放。",
    ),
    "timeline.error.busy": (
        "Another film is being exported; wait for it, or cancel it.",
        "正在导出另一部影片，请等待完成或先取消。",
    ),
    "timeline.error.empty": ("There is no clip on this timeline; add one first.", "时间线上没有片段，请先添加。"),
    "timeline.error.missing": (
        "These cannot be exported, because their files have gone: {names}. Replace or remove them.",
        "以下内容的文件已不存在，无法导出：{names}。请替换或移除。",
    ),
    "timeline.error.upload": (
        "That is not a file that was sent to this page; send it again.",
        "该文件不是上传到本页面的，请重新上传。",
    ),
    # Sent from elsewhere
    "timeline.send": ("To timeline", "加入时间线"),
    "timeline.send.tip": (
        "Put it at the end of the timeline that was open last (T)",
        "添加到最近打开的时间线末尾（T）",
    ),
    "timeline.sent": ("Added to the end of “{name}”", "已添加到“{name}”的末尾"),
    "timeline.show": ("Show the timeline", "查看时间线"),
    "timeline.preset.none": (
        "This machine's ffmpeg cannot encode {encoder}; choose another preset.",
        "本机的 ffmpeg 无法编码 {encoder}，请选择其他预设。",
    ),
    "timeline.preset.instead": (
        "{encoder} does not work on this machine; {used} is used.",
        "本机无法使用 {encoder}，将改用 {used}。",
    ),
    "timeline.untitled": ("Untitled film", "未命名影片"),
    **EDITOR_TEXTS,
}
