"""What is said about presets and restored files, in Chinese; see `translated.py`."""

from __future__ import annotations

CREATE_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"The preset has no name; type one\.", "预设没有名称，请填写。"),
    (r"The name has (\d+) characters, but must have 1 to (\d+)\.", r"名称有 \1 个字符，须为 1 至 \2 个。"),
    (r"(.+) is not a preset of this library; reload the page\.", r"\1 不是此库中的预设，请刷新页面。"),
    (r"There are (\d+) presets already; delete some\.", r"已有 \1 个预设，请删除一些。"),
    (r"(\S+) is too large for (\S+); (\S+) is used\.", r"\1 对 \2 来说过大，改用 \3。"),
    (r"(\d+) frames are too many for (\S+); (\d+) are used\.", r"\1 帧对 \2 来说过多，改用 \3 帧。"),
    (
        r"The file names pictures but does not hold them; drop them in by hand\.",
        "文件中只提到图片而不含图片，请手动添加。",
    ),
    (r"(.+) is empty \(0 bytes\); choose another file\.", r"\1 是空文件（0 字节），请换一个文件。"),
    (r"(.+) has (\d+) MiB and at most (\d+) .*", r"\1 有 \2 MiB，最多读取 \3 MiB。"),
    (r"(.+) is no mp4, PNG or JSON file, or it is damaged\.", r"\1 不是 mp4、PNG 或 JSON 文件，或已损坏。"),
    (r"(.+) holds no settings of MOVA Studio; .*", r"\1 不含 MOVA Studio 的设置，可能已被其他程序去除。"),
    (r"(.+) is JSON but holds no settings of MOVA Studio: .*", r"\1 是 JSON，但不含 MOVA Studio 的设置。"),
    (
        r"(.+) holds settings of another program \((.+)\); .*",
        r"\1 含有其他程序（\2）的设置，只能恢复 MOVA Studio 的设置。",
    ),
    (r"(.+) was written by a newer version of MOVA Studio; .*", r"\1 由更新版本的 MOVA Studio 写入，请先升级。"),
    (
        r"This take's record has format (.+) and this version reads (\d+); .*",
        r"记录格式为 \1，此版本只读取 \2，请先升级。",
    ),
    (r"(?:The settings kept in )(.+?) are damaged.*", r"\1 中的设置已损坏，无法读取。"),
    (r"(.+) is damaged or cut short; copy or download it again\.", r"\1 已损坏或不完整，请重新复制或下载。"),
    (r"(.+) is damaged or not a video or sound file .*", r"\1 已损坏，或不是视频、音频文件。"),
    (r"(?:The record in )?(.+) is not whole JSON .*", r"\1 不是完整的 JSON。"),
    (r"(?:The record in )?(.+) is nested too deeply; .*", r"\1 嵌套过深，不是本程序的文件。"),
    (
        r"(?:The record in )?(.+) holds about (\d+) values and at most (\d+) are read; .*",
        r"\1 约有 \2 个值，最多读取 \3 个。",
    ),
    (r"The record in (.+) unpacks to more than (\d+) MiB; .*", r"\1 中的记录解压后超过 \2 MiB，不是本程序的记录。"),
    (r"A shot has no field (.+); it was written by a newer version\.", r"镜头没有字段 \1，文件由更新的版本写入。"),
    (r"The seed in the file is (\S+), but must be from 0 to (\d+)\.", r"文件中的种子为 \1，须在 0 至 \2 之间。"),
)
