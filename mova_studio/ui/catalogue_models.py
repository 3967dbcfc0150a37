"""Every sentence of the Models view, in English and in Chinese."""

from __future__ import annotations

MODELS_TEXTS: dict[str, tuple[str, str]] = {
    "models.title": ("Checkpoints on this machine", "本机上的模型"),
    "models.refresh": ("Look again", "重新查看"),
    "models.looking": ("Looking at the disk …", "正在查看磁盘 …"),
    "models.only_demo.title": ("Only the demo is here so far", "目前只有演示模型"),
    "models.only_demo.text": (
        "The demo shows how everything works. For real takes, download MOVA below, or name a folder that holds it.",
        "演示模型可以试用全部功能。要生成正式成片，请在下方下载 MOVA，或填写已有模型的文件夹。",
    ),
    "models.in_use": ("in use", "使用中"),
    "models.size": (
        "made for {width} × {height}, {frames} frames, {steps} steps",
        "适用于 {width} × {height}，{frames} 帧，{steps} 步",
    ),
    "models.demo": (
        "MOVA's exact architecture, tiny. It runs on any machine.",
        "结构与 MOVA 完全一致，但极小，任何机器都能运行。",
    ),
    "models.copy": ("Copy path", "复制路径"),
    "models.copied": ("Copied", "已复制"),
    # How much of it is here
    "models.state.whole": ("whole, {size}", "完整，{size}"),
    "models.state.partial": ("{here} of {total}", "已有 {here} / {total}"),
    "models.state.partial.unknown": ("partly here, {size}", "不完整，{size}"),
    "models.state.damaged": ("damaged, {size}", "已损坏，{size}"),
    "models.state.gone": ("not here", "不在本机"),
    "models.state.unmade": ("not made yet", "尚未生成"),
    "models.about.partial": (
        "{count} files are still missing, first {file}. Resuming fetches only what is missing.",
        "还缺 {count} 个文件，首个为 {file}。继续下载只获取缺少的部分。",
    ),
    "models.about.partial.folder": (
        "{count} files are missing, first {file}. It did not come from the hub here: copy them into the folder.",
        "缺少 {count} 个文件，首个为 {file}。它不是在此下载的，请把文件复制到该文件夹。",
    ),
    "models.about.gone.folder": (
        "Nothing is there any more: it was deleted or moved, or its disk is not connected. "
        "Put it back, or forget the folder.",
        "文件夹中已没有模型：可能已删除、移动，或磁盘未连接。请恢复文件，或从列表中移除。",
    ),
    "models.about.gone.hub": (
        "It is in use and not on this machine, so takes will fail. Download it, or use another one.",
        "正在使用它，但它不在本机，生成会失败。请下载，或改用其他模型。",
    ),
    "models.about.unmade": (
        "It is made in a few seconds when it is first used.",
        "首次使用时会自动生成，只需几秒。",
    ),
    # What can be done with it
    "models.use": ("Use", "使用"),
    "models.verify": ("Verify", "校验"),
    "models.verify.stop": ("Stop verifying", "停止校验"),
    "models.resume": ("Resume download", "继续下载"),
    "models.fetch": ("Download", "下载"),
    "models.mend": ("Download the damaged files again", "重新下载损坏的文件"),
    "models.forget": ("Forget", "移除"),
    "models.forget.hint": ("Takes it off this list; its files stay.", "仅从列表移除，文件保留。"),
    "models.forgotten": ("{model} is off the list; its files were left alone.", "已从列表移除 {model}，文件未改动。"),
    "models.checking": ("Checking {model} …", "正在检查 {model} …"),
    "models.used": ("{model} is in use; the next take loads it.", "已切换到 {model}，下次生成时加载。"),
    # Verifying
    "models.verify.start": ("Reading layout, names and shapes …", "正在读取结构、名称和形状 …"),
    "models.verify.done": (
        "Nothing is wrong: layout, names, shapes and sizes are right, and {count} checksums match.",
        "一切正常：结构、名称、形状和大小都正确，{count} 个校验和一致。",
    ),
    "models.verify.done.unknown": (
        "Nothing is wrong with layout, names, shapes and sizes. No checksums are known for it, "
        "because it was not downloaded here.",
        "结构、名称、形状和大小都正确。它不是在此下载的，没有可对照的校验和。",
    ),
    "models.verify.stopped": ("Verifying was stopped; nothing was changed.", "已停止校验，没有改动任何文件。"),
    "models.faults": ("Faults found: {count}", "发现问题：{count} 处"),
    "models.faults.more": ("and {count} more", "另有 {count} 处"),
    "models.faults.hub": (
        "Downloading again fetches only these files; everything else stays.",
        "重新下载只会获取这些文件，其余保持不变。",
    ),
    "models.faults.folder": (
        "Copy these files into the folder again from where they came.",
        "请从原处重新复制这些文件到该文件夹。",
    ),
    "models.fault.missing": ("{file} is missing", "缺少 {file}"),
    "models.fault.size": ("{file} has {found} bytes instead of {expected}", "{file} 有 {found} 字节，应为 {expected}"),
    "models.fault.content": (
        "{file} has a wrong checksum: {found}… instead of {expected}…",
        "{file} 校验和不符：{found}…，应为 {expected}…",
    ),
    "models.fault.header": ("{file} is cut short: {found}", "{file} 不完整：{found}"),
    "models.fault.json": ("{file} is no valid JSON: {found}", "{file} 不是有效的 JSON：{found}"),
    "models.fault.unreadable": ("{file} cannot be read: {found}", "{file} 无法读取：{found}"),
    # Progress
    "models.progress": ("{done} of {total}", "{done} / 共 {total}"),
    "models.speed": ("{speed}/s", "每秒 {speed}"),
    # Another one
    "models.choose.title": ("Use a folder", "使用文件夹"),
    "models.choose.text": (
        "A folder that holds model_index.json. It is checked first, and remembered in the list above.",
        "即含有 model_index.json 的文件夹。使用前会先检查，并记入上方列表。",
    ),
    "models.choose.label": ("Folder on this machine, hub id, or demo", "本机文件夹、模型库编号或 demo"),
    "models.choose.button": ("Check and use", "检查并使用"),
    "models.empty": ("Give a folder or a hub id.", "请填写文件夹或模型库编号。"),
    # Downloads
    "models.download.title": ("Download a checkpoint", "下载模型"),
    "models.download.text": (
        "MOVA's weights come from the Hugging Face hub. A stopped download goes on where it was.",
        "MOVA 的权重来自 Hugging Face。中断的下载可从断点继续。",
    ),
    "models.download.label": ("Hub id", "模型库编号"),
    "models.download.place": ("Keep it in", "保存到"),
    "models.download.cache": ("The hub's cache, shared with other programs", "模型库缓存，与其他程序共用"),
    "models.download.folder": ("A folder", "指定文件夹"),
    "models.download.to": ("Folder, new or empty", "文件夹，须为新建或空的"),
    "models.download.to.hint": ("A whole path, such as {example}", "完整路径，例如 {example}"),
    "models.download.button": ("Download", "下载"),
    "models.download.stop": ("Stop", "停止"),
    "models.download.start": ("Asking the hub for {model} …", "正在查询 {model} …"),
    "models.download.stopped": ("Stopped; what has arrived is kept.", "已停止，已下载的部分会保留。"),
    "models.download.done": (
        "{model} is on this machine; it stands in the list above.",
        "{model} 已下载，见上方列表。",
    ),
    "models.download.nothing": ("No download is running.", "没有正在进行的下载。"),
    "models.room": ("{needed} to fetch; {free} free in {folder}", "需下载 {needed}，{folder} 剩余 {free}"),
    "models.room.short": (
        "{needed} to fetch and 1.1 GB to spare, and {folder} has only {free} free. Free some space, or choose another "
        "folder.",
        "需下载 {needed} 并另留 1.1 GB，而 {folder} 仅剩 {free}。请清理空间，或换一个文件夹。",
    ),
    "models.room.unknown": ("{free} free in {folder}", "{folder} 剩余 {free}"),
    "models.room.none": ("Everything of it is here already; it is in {folder}", "已全部下载，位于 {folder}"),
}
