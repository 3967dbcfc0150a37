"""What backends of prompts say, in Chinese; see `translated.py`."""

from __future__ import annotations

PROMPT_SENTENCES: tuple[tuple[str, str], ...] = (
    (
        r"(.+) needs a key and there is none: set (\S+) before .*",
        r"\1 需要密钥：请先设置环境变量 \2，或存入本机密钥环。",
    ),
    (r"Nobody answers as (.+)\. Start the server, .*", r"\1 无人应答。请启动服务器，或检查地址和网络。"),
    (r"(.+) closed the connection before its answer was whole\. .*", r"\1 在回答完成前断开了连接，请重试。"),
    (r"(.+) took longer than (\d+) s\.", r"\1 超过 \2 秒仍未回答。"),
    (
        r"(.+) has too much to do, or your share is used up \(error 429\)(.*)\. .*",
        r"\1 过忙，或额度已用完（429）\2。请稍后再试。",
    ),
    (r"(.+) does not know (.+) or the address \(error 404\)(.*)\. .*", r"\1 找不到 \2 或该地址（404）\3，请检查。"),
    (r"(.+) failed \(error (\d+)\)(.*)\. Look at its log, .*", r"\1 出错（\2）\3。请查看其日志，或稍后再试。"),
    (r"(.+) refused the question \(error (\d+)\)(.*)\.", r"\1 拒绝了请求（\2）\3。"),
    (r"(.+) \(error (\d+)\); set the right one\.", r"\1（\2），请设置正确的密钥。"),
    (r"(.+) cannot look at pictures\. .*", r"\1 不能看图片。请选择能看图的模型，或用文字描述首帧。"),
    (r"(.+) cannot make pictures; .*", r"\1 不能生成图片，请选择有图片模型的服务器。"),
    (
        r"(.+) makes no pictures with (.+) \(error (\d+)\)(.*)\. Name a model .*",
        r"\1 不能用 \2 生成图片（\3）\4。请填写它的图片模型，或换一个服务器。",
    ),
    (r"(.+) declined to make this picture(.*)\. .*", r"\1 拒绝生成此图片\2。请修改描述，或换一个模型。"),
    (r"(.+) made no picture\. .*", r"\1 没有返回图片。请修改描述，或换一个模型。"),
    (
        r"(.+) answered with the address of a picture .*",
        r"\1 返回的是图片地址而不是图片，不会打开该地址；请换一个返回 base64 的模型。",
    ),
    (r"(.+) sent more than (\d+) MiB for one picture .*", r"\1 的图片超过 \2 MiB，已停止接收。"),
    (r"The picture of (.+) cannot be used: .*", r"\1 的图片无法使用。"),
    (r"There is nothing to make the first frame of; .*", "没有可用于生成首帧的内容，请描述首帧，或先写提示词。"),
    (r"The first frame could not be made: .*", "生成首帧时内部出错，内容未变。"),
    (r"This machine has no keyring that works; .*", "本机没有可用的密钥环，请改用环境变量设置密钥。"),
    (r"The key of (.+) holds a space, .*", r"“\1”的密钥含有空格、换行或无效字符，或过长，请重新复制。"),
    (r"(.+) gave an empty answer\. .*", r"\1 的回答为空。请重试，或换一个模型。"),
    (r"(.+) or its server declined to answer; .*", r"\1 或其服务器拒绝回答。请修改措辞，或换一个模型。"),
    (
        r"The answer of (.+) was cut at its limit of words; .*",
        r"\1 的回答因长度上限被截断。请提高服务器上限，或换一个模型。",
    ),
    (r"The answer of (.+) was cut after (\d+) tokens; .*", r"\1 的回答在 \2 个词元后仍未结束。请重试，或换一个模型。"),
    (r"The answer of (.+) is damaged and cannot be read\. .*", r"\1 的回答已损坏，无法读取，请重试。"),
    (r"Say which model of (.+) is meant \(--(?:image-)?model NAME\)\.(.*)", r"请指明使用 \1 的哪个模型。\2"),
    (r"What is given as the server's address is none; .*", "服务器地址无效，请按 http://127.0.0.1:8000/v1 填写。"),
    (
        r"The server's address holds a name, a password or a \?query; .*",
        "服务器地址含用户名、密码或查询参数；请只填地址，密钥请用环境变量。",
    ),
    (
        r"(.+) is not an address of (.+), whose key is sent only to (.+)\. Name .*",
        r"\1 不是 \2 的地址，其密钥只发送到 \3。请改选“其他服务器”。",
    ),
    (r"There is no preset for a server '(.+)'; .*", "请填写该服务器的地址。"),
    (r"(.+) is neither a folder nor a model in the hub's cache .*", r"\1 不是文件夹，也不在本机的模型库缓存中。"),
    (r"(.+) ran out of memory\. Choose a smaller model or a server\.", r"\1 内存不足，请选择较小的模型或服务器。"),
    (
        r"A take, another prompt or a training run is being worked on, .*",
        "正在生成成片或处理另一条提示词，本机模型需要这部分内存；请稍后再试，或先用编排器或服务器。",
    ),
    (r"The process that ran the model ended .*", "运行模型的进程已退出，多半是内存不足。请选择较小的模型或服务器。"),
    (r"The description is not in the asked form; .*", "对画面的描述不符合格式，请重试。"),
    (r"Wildcards are nested more than (\d+) deep; .*", r"通配嵌套超过 \1 层，请拆开。"),
    (r"The prompt could not be rewritten: .*", "改写时内部出错，原文未变。"),
    (
        r"Only the owner of this studio may use servers and models; .*",
        "只有所有者可以使用服务器和模型；访客可使用编排器。",
    ),
)
