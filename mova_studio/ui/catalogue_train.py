"""Every sentence of the Train view, in English and in Chinese."""

from __future__ import annotations

TRAIN_TEXTS: dict[str, tuple[str, str]] = {
    "tab.train": ("Train", "训练"),
    # A new run
    "train.title": ("New training run", "新的训练"),
    "train.model": ("It trains {model}, the checkpoint in use.", "训练当前使用的模型 {model}。"),
    "train.clips": ("Clips: a folder on this machine", "片段：本机上的文件夹"),
    "train.clips.hint": ("A whole path, such as {example}", "完整路径，例如 {example}"),
    "train.clips.text": (
        "Films with captions in .txt files beside them, MOVA's metadata.json, .tar shards, or clips that are encoded "
        "already. 20 good clips are enough for an adapter.",
        "视频及同名 .txt 描述、MOVA 的 metadata.json、.tar 分片，或已编码的片段。训练适配器有 20 个好片段即可。",
    ),
    "train.clips.looking": ("Looking at the clips …", "正在查看片段 …"),
    "train.clips.encoded": ("{count} encoded clips: {kinds}.", "{count} 个已编码片段：{kinds}。"),
    "train.clips.raw": (
        "{count} clips. They are encoded for this checkpoint first, once.",
        "{count} 个片段，将先为该模型编码一次。",
    ),
    "train.clips.skipped": ("{count} cannot be used; the first is {reason}", "{count} 个无法使用，第一个为 {reason}"),
    "train.kinds": ("Width x height x frames of a clip", "每个片段：宽x高x帧数"),
    "train.recipe": ("What is trained", "训练内容"),
    "train.recipe.adapter": ("An adapter (LoRA)", "适配器（LoRA）"),
    "train.recipe.adapter.text": (
        "A small file that adds a style, a voice or a movement; the checkpoint stays as it is. All of its weights have "
        "to fit the memory.",
        "一个小文件，为模型增添风格、声音或动作，模型本身不变。显存须能容纳全部权重。",
    ),
    "train.recipe.adapter-low-resource": ("An adapter, with little memory", "适配器，低显存"),
    "train.recipe.adapter-low-resource.text": (
        "The same with the checkpoint's weights in 8 bits, brought to the GPU when they are needed. Slower, and of a "
        "lower rank.",
        "同上，但模型权重以 8 位存放，用到时才送入 GPU。较慢，秩也较低。",
    ),
    "train.recipe.phase-1": ("The whole network, phase 1", "整个网络，第一阶段"),
    "train.recipe.phase-1.text": (
        "MOVA's first phase: the bridge and the sound learn from many clips, half of them without a prompt. It gives a "
        "new checkpoint. MOVA itself needs several GPUs for it, which the command line starts.",
        "MOVA 的第一阶段：桥接与声音从大量片段中学习，一半不带提示词。结果是新的模型。训练 MOVA 本身需要多块 GPU，"
        "须由命令行启动。",
    ),
    "train.recipe.phase-2": ("The whole network, phase 2", "整个网络，第二阶段"),
    "train.recipe.phase-2.text": (
        "MOVA's second phase, on filtered clips: sound learns from noisier states. It gives a new checkpoint. MOVA "
        "itself needs several GPUs for it, which the command line starts.",
        "MOVA 的第二阶段，使用筛选后的片段，声音从更高噪声学习。结果是新的模型。训练 MOVA 本身需要多块 GPU，"
        "须由命令行启动。",
    ),
    "train.recipe.phase-3": ("The whole network, phase 3", "整个网络，第三阶段"),
    "train.recipe.phase-3.text": (
        "MOVA's third phase: the second one's recipe on larger pictures. It gives a new checkpoint. MOVA itself needs "
        "several GPUs for it, which the command line starts.",
        "MOVA 的第三阶段：同第二阶段，画面更大。结果是新的模型。训练 MOVA 本身需要多块 GPU，须由命令行启动。",
    ),
    "train.steps": ("Steps", "步数"),
    "train.batch": ("Batch size", "批大小"),
    "train.rank": ("Rank", "秩"),
    "train.rate": ("Learning rate", "学习率"),
    "train.samples": ("Samples every", "样片间隔"),
    "train.name": ("Name · as the recipe, if empty", "名称 · 留空则同训练内容"),
    "train.start": ("Start training", "开始训练"),
    "train.number": ("{name} is empty or no number; give one.", "“{name}”为空或不是数字，请填写。"),
    "train.whole": ("{name} is {value}, but must be a whole number.", "“{name}”为 {value}，须为整数。"),
    "train.cost.steps": (
        "{steps} steps of {batch} clips; each of the {count} clips is seen {times} times",
        "{steps} 步，每步 {batch} 个；{count} 个片段各学 {times} 次",
    ),
    "train.cost.unknown": ("how long it takes shows after its first steps", "用时在最初几步后可知"),
    "train.cost.time": ("about {time}, judged by {name}", "预计 {time}（依据“{name}”）"),
    "train.cost.disk": ("about {needed} of disk needed, {free} free", "约需磁盘 {needed}，剩余 {free}"),
    "train.cost.takes": ("takes wait meanwhile", "其间成片等待"),
    # A run
    "train.empty.title": ("Teach the model something of your own", "教会模型您自己的内容"),
    "train.empty.text": (
        "Name a folder of clips on the left, for example 20 films of one bell, and start. Its curves and samples show "
        "here, and it goes on when this page is closed.",
        "在左侧填写片段文件夹，例如同一只铃铛的 20 个视频，然后开始。曲线和样片会显示在这里；关闭页面后训练继续。",
    ),
    "train.stage.waiting": ("waiting", "等待中"),
    "train.stage.encoding": ("encoding clips", "正在编码片段"),
    "train.stage.training": ("training", "训练中"),
    "train.stage.stopping": ("stopping", "正在停止"),
    "train.stage.stopped": ("stopped", "已停止"),
    "train.stage.failed": ("failed", "失败"),
    "train.stage.done": ("done", "已完成"),
    "train.words.waiting": ("It begins when the take at work is done.", "当前成片完成后开始。"),
    "train.words.encoding.caption": ("Encoding captions: {done} of {total}", "正在编码描述：{done} / {total}"),
    "train.words.encoding.clip": ("Encoding clips: {done} of {total}", "正在编码片段：{done} / {total}"),
    "train.words.encoding.start": ("Reading clips and loading the encoders …", "正在读取片段并加载编码器 …"),
    "train.words.loading": ("Loading the network …", "正在加载网络 …"),
    "train.words.step": ("step {step} of {steps}", "第 {step} 步，共 {steps} 步"),
    "train.words.pace": ("{time} a step", "每步 {time}"),
    "train.words.stopping": (
        "It saves itself after the step at hand and ends.",
        "完成当前一步后保存并停止。",
    ),
    "train.words.goes_on": (
        "Stopped; it can go on from step {step} of {steps}.",
        "已停止，可从第 {step} 步继续，共 {steps} 步。",
    ),
    "train.words.begins": ("Stopped before its first save; it begins anew.", "首次保存前已停止，将从头开始。"),
    "train.words.failed_on": ("It can go on from step {step} of {steps}.", "可从第 {step} 步继续，共 {steps} 步。"),
    "train.words.failed_anew": ("Nothing was saved yet; it begins anew.", "尚未保存，将从头开始。"),
    "train.words.done": ("All {steps} steps are done.", "{steps} 步全部完成。"),
    "train.words.skipped": (
        "{count} clips were left out; the first is {reason}",
        "略过 {count} 个片段，第一个为 {reason}",
    ),
    "train.facts": ("{recipe} · {model} · {clips}", "{recipe} · {model} · {clips}"),
    "train.stop": ("Stop and save", "停止并保存"),
    "train.end": ("End now, without saving", "立即结束，不保存"),
    "train.resume": ("Resume", "继续"),
    "train.again": ("Begin again", "重新开始"),
    "train.remove": ("Delete", "删除"),
    "train.remove.sure": ("Delete its files", "删除文件"),
    "train.remove.keep": ("Keep", "保留"),
    "train.removed": ("The run was deleted.", "已删除该训练。"),
    # What is seen of it
    "train.curve.picture": ("Picture", "画面"),
    "train.curve.sound": ("Sound", "声音"),
    "train.curve.label": (
        "{name}: loss from {first} at step {begin} to {last} at step {end}",
        "{name}：损失从第 {begin} 步的 {first} 到第 {end} 步的 {last}",
    ),
    "train.curve.step": ("step {step}", "第 {step} 步"),
    "train.samples.title": (
        "Samples: the first clips made again as it learns, without guidance",
        "样片：随训练重新生成前几个片段，不加引导",
    ),
    "train.sample": ("Sample {number} of step {step}", "第 {step} 步的样片 {number}"),
    "train.samples.older": ("{count} older ones are in {folder}", "另有 {count} 个较早的样片，位于 {folder}"),
    # What it gives
    "train.install.name": ("Name of the adapter", "适配器名称"),
    "train.install.button": ("Install it", "安装"),
    "train.install.reading": ("Installing …", "正在安装 …"),
    "train.install.done": (
        "{name} is installed; choose it under Create, Advanced, Adapters.",
        "已安装 {name}，可在“创作”的“高级”中选用。",
    ),
    "train.checkpoint": (
        "The trained checkpoint lies in this folder. To use it, paste the path under Models, Use a folder.",
        "训练好的模型位于此文件夹。要使用它，请将路径粘贴到“模型”的“使用文件夹”。",
    ),
    "train.runs": ("Training runs", "训练列表"),
    # Elsewhere
    "queue.training": (
        "A training run has the machine; takes wait until it has ended or is stopped.",
        "训练正在使用本机；成片须等训练结束或停止。",
    ),
}
