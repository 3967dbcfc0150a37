"""Every sentence of the page, in English and in Chinese."""

from __future__ import annotations

from mova_studio.ui.catalogue_adapters import ADAPTER_TEXTS
from mova_studio.ui.catalogue_compare import COMPARE_TEXTS
from mova_studio.ui.catalogue_create import CREATE_TEXTS
from mova_studio.ui.catalogue_gallery import GALLERY_TEXTS
from mova_studio.ui.catalogue_measures import MEASURE_TEXTS
from mova_studio.ui.catalogue_models import MODELS_TEXTS
from mova_studio.ui.catalogue_prompt import PROMPT_TEXTS
from mova_studio.ui.catalogue_queue import QUEUE_TEXTS
from mova_studio.ui.catalogue_system import SYSTEM_TEXTS
from mova_studio.ui.catalogue_timeline import TIMELINE_TEXTS
from mova_studio.ui.catalogue_train import TRAIN_TEXTS

LANGUAGES = ("en", "zh")
_MORE = SYSTEM_TEXTS | MODELS_TEXTS | CREATE_TEXTS | MEASURE_TEXTS | GALLERY_TEXTS | COMPARE_TEXTS | QUEUE_TEXTS
_MORE |= PROMPT_TEXTS | TIMELINE_TEXTS | ADAPTER_TEXTS | TRAIN_TEXTS

TEXTS: dict[str, tuple[str, str]] = {
    # Header and tabs
    "tab.create": ("Create", "创作"),
    "tab.takes": ("Gallery", "作品库"),
    "tab.timeline": ("Timeline", "时间线"),
    "tab.models": ("Models", "模型"),
    "header.language": ("中文", "English"),
    "header.theme": ("Light / dark", "浅色 / 深色"),
    "header.machine": ("Checkpoint {model}, {machine}", "模型 {model}，{machine}"),
    "header.cpu": ("CPU, {cores} cores", "CPU，{cores} 核"),
    "header.queue": ("Queue {count}", "队列 {count}"),
    "login.message": ("Sign in to MOVA Studio.", "登录 MOVA Studio。"),
    # The shot
    "prompt.label": ("Prompt", "提示词"),
    "prompt.hint": (
        "The scene, what is said and what is heard. For example: {example}",
        "写下画面、台词和声音。例如：{example}",
    ),
    "prompt.example": (
        "A drummer plays on an upturned bucket in a tiled underpass. Sharp slaps, a deep thud, an echo. "
        'He looks up and says, "One more."',
        "一名鼓手在铺着瓷砖的地下通道里敲打倒扣的水桶。清脆的拍击，低沉的闷响，回声阵阵。他抬头说：“再来一遍。”",
    ),
    "first_frame.label": ("First frame", "首帧"),
    "last_frame.label": ("Last frame · optional", "尾帧 · 可选"),
    "frame.drop": ("Drop, paste or pick", "拖放、粘贴或选择"),
    "size.label": ("Size", "尺寸"),
    "size.custom": ("Own size", "自定义"),
    "width.label": ("Width", "宽"),
    "height.label": ("Height", "高"),
    "seconds.label": ("Length, seconds", "时长（秒）"),
    "frames.label": ("Length, frames", "时长（帧）"),
    "steps.label": ("Steps", "步数"),
    "guidance.label": ("Text guidance s_T", "文本引导 s_T"),
    "bridge.label": ("Bridge guidance s_B", "桥接引导 s_B"),
    "seed.label": ("Seed · -1 is random", "种子 · -1 为随机"),
    "seed.dice": ("Random", "随机"),
    "seed.reuse": ("Last seed", "上次种子"),
    "advanced.label": (
        "Advanced: guidance, shifts, loudness, speed",
        "高级：引导、反向提示词、偏移、响度、提速",
    ),
    "negative.label": ("Negative prompt", "反向提示词"),
    "video_shift.label": ("Video shift", "画面偏移"),
    "audio_shift.label": ("Audio shift", "声音偏移"),
    "lufs.label": ("LUFS target", "目标 LUFS"),
    "lufs.hint": ("as made", "保持原样"),
    "fps.label": ("Frame rate", "帧率"),
    # Notes and errors beside the controls
    "note.side": (
        "Sides are multiples of 16: {asked} became {used}.",
        "边长须为 16 的倍数：{asked} 已改为 {used}。",
    ),
    "note.frames": (
        "Lengths are 4n + 1 frames: {asked} became {used}, {seconds} s.",
        "时长须为 4n + 1 帧：{asked} 已改为 {used}，即 {seconds} 秒。",
    ),
    "error.empty": ("{name} is empty; give a number.", "“{name}”为空，请填写数字。"),
    "error.seed": (
        "The seed {value} is not a whole number; give one from 0 up, or -1 for any.",
        "种子“{value}”不是整数；请填写不小于 0 的整数，或填 -1 表示随机。",
    ),
    "error.picture": ("That is not a file that was dropped here; drop it again.", "该文件不是在此上传的，请重新拖放。"),
    # Generate and the run
    "generate": ("Generate", "生成"),
    "generate.more": ("Add to queue", "加入队列"),
    "cancel": ("Cancel", "取消"),
    "cost.guess": ("about {time}, judged by your takes so far", "预计 {time}（依据以往成片估算）"),
    "cost.none": (
        "{num_frames} frames at {width} × {height}, {num_inference_steps} steps; "
        "the first take shows how long this machine needs",
        "{width} × {height}，{num_frames} 帧，{num_inference_steps} 步；生成一次后即可估算用时",
    ),
    "stage.load": ("loading the model", "正在加载模型"),
    "stage.text": ("reading the prompt", "正在读取提示词"),
    "stage.frames": ("preparing the frames", "正在准备首尾帧"),
    "stage.denoise": ("denoising {step}/{steps}", "去噪 {step}/{steps}"),
    "stage.decode": ("decoding picture and sound", "正在解码画面和声音"),
    "stage.write": ("writing the file", "正在写入文件"),
    "expert.high": ("high-noise expert", "高噪声专家"),
    "expert.low": ("low-noise expert", "低噪声专家"),
    "left": ("{time} left", "剩余 {time}"),
    "time.seconds": ("{s} s", "{s} 秒"),
    "time.minutes": ("{m} min {s} s", "{m} 分 {s} 秒"),
    "time.hours": ("{h} h {m} min", "{h} 小时 {m} 分"),
    "preview": ("preview · step {step} of {steps}", "预览 · 第 {step} 步，共 {steps} 步"),
    "state.waiting": ("waiting", "等待中"),
    "state.waiting.next": ("waiting, next in line", "等待中，下一个开始"),
    "state.waiting.ahead": ("waiting, {count} ahead", "等待中，前面还有 {count} 个"),
    "state.done": ("made in {time}", "用时 {time}"),
    "state.failed": ("failed", "失败"),
    "state.cancelled": ("cancelled", "已取消"),
    "stage.failed.title": ("This take failed", "本次生成失败"),
    "stage.failed.advice": (
        "Nothing that you typed was lost. Change what the sentence names and generate again.",
        "您填写的内容都还在。请按提示修改后重新生成。",
    ),
    "stage.cancelled": ("Cancelled. Your settings are still on the left.", "已取消。您的设置仍保留在左侧。"),
    "stage.empty.title": ("Your take plays here, with its sound", "成片将在这里播放，画面与声音同步"),
    "stage.empty.text": (
        "Describe a scene and what is heard in it, add a first frame if you have one, and press Generate.",
        "描述画面和其中的声音，有首帧就加上，然后点击“生成”。",
    ),
    "stage.empty.example": ("Fill in an example", "填入示例"),
    # A take
    "take.video": ("Take with seed {seed}", "种子 {seed} 的成片"),
    "take.wave": ("Waveform of the sound, click to move there", "声音波形，点击可跳转"),
    "take.seed": ("seed {seed}", "种子 {seed}"),
    "take.frames": ("{frames} frames · {seconds} s at {rate} fps", "{frames} 帧 · {seconds} 秒 · {rate} 帧/秒"),
    "take.lufs": ("{lufs} LUFS", "{lufs} LUFS"),
    "take.peak": ("peak {peak} dBTP", "峰值 {peak} dBTP"),
    "take.silent": ("no loudness: silent or under 0.4 s", "无响度：静音或不足 0.4 秒"),
    "take.untrained": ("untrained demo: noise on purpose", "未训练的演示模型：输出为随机噪声，属正常现象"),
    "take.download": ("Download mp4", "下载 mp4"),
    "take.reuse": ("Reuse settings", "沿用设置"),
    "take.delete.keep": ("Keep", "保留"),
    "takes.latest": ("Latest takes", "最近的成片"),
    "takes.empty.text": (
        "Every finished take lands here with its picture, sound and seed. Make the first one under Create.",
        "完成的成片会带着画面、声音和种子出现在这里。请先到“创作”生成第一个。",
    ),
} | _MORE


def say(language: str, key: str, **values: object) -> str:
    """The text of `key` in `language`, with its {places} filled."""
    english, chinese = TEXTS[key]
    text = chinese if language == "zh" else english
    return text.format(**values) if values else text


def language_of(accept: str | None) -> str:
    """The page's language for an Accept-Language header: that of its first entry that we have."""
    for entry in (accept or "").split(","):
        code = entry.split(";")[0].strip().lower()[:2]
        if code in LANGUAGES:
            return code
    return "en"
