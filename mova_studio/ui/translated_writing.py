"""Why a file could not be written, in Chinese; the sentences are those of `mova_studio.atomic`."""

from __future__ import annotations

# Of a training run the sentence is followed by what was saved. The groups of the other are a path, a remedy that is a
# sentence of its own, and the system's reason.
WRITING_NESTED: tuple[tuple[str, str], ...] = (
    (r"(Cannot write .+\)\.) (The run can go on .+|Nothing was saved yet\.)", r"\1\2"),
    (r"Cannot write (.+): ([^:(]+) \((.+)\)\.", r"无法写入 \1：\2（\3）。"),
)

WRITING_SENTENCES: tuple[tuple[str, str], ...] = (
    ("the disk is full; free some space or choose another folder", "磁盘已满，请腾出空间或另选文件夹"),
    ("your disk quota is used up; free some space or choose another folder", "磁盘配额已用尽，请腾出空间或另选文件夹"),
    ("the disk is read-only; choose another folder", "磁盘只读，请另选文件夹"),
    (
        "this account may not write there; choose another folder or change its permissions",
        "没有写入权限，请另选文件夹或更改权限",
    ),
    ("the folder does not exist; create it or choose another one", "文件夹不存在，请创建它或另选一个"),
    (
        "a part of that path is a file, not a folder; choose another folder",
        "路径中有一部分是文件，请另选文件夹",
    ),
    ("that path is a folder; give a file name inside it", "该路径是文件夹，请给出其中的文件名"),
    ("the name is too long for this disk; choose a shorter one", "名称过长，请换一个较短的"),
    ("choose another folder", "请另选文件夹"),
    (r"The run can go on from step (\d+) with --resume\.", r"训练可从第 \1 步继续（--resume）。"),
    (r"Nothing was saved yet\.", "尚未保存任何进度。"),
)
