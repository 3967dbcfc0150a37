/* What stands on the tracks: clips, sounds and captions as elements with their words. */
(() => {
  const T = window.movaTimeline;

  const handle = (edge, kind) =>
    T.h("span", {
      class: `t-handle t-${edge}`, role: "slider", tabindex: "-1", data: { trim: edge }, "aria-valuemin": "0",
      "aria-label": T.say(edge === "start" ? `trim.start.${kind}` : `trim.stop.${kind}`),
    });
  const holder = (kind, thing, ...children) =>
    T.h("div", { class: `t-${kind}`, role: "option", tabindex: "-1", data: { kind, id: thing.id } }, ...children);

  const valued = (element, edge, now, most, text) => {
    const slider = element.querySelector(`[data-trim=${edge}]`);
    slider.setAttribute("aria-valuenow", now);
    slider.setAttribute("aria-valuemax", most);
    slider.setAttribute("aria-valuetext", text);
  };

  T.item = {
    clip: (_tracks, clip) =>
      holder("clip", clip, T.h("canvas"), T.h("span", { class: "t-words" }), T.h("span", { class: "t-flags" }), handle("start", "clip"), handle("stop", "clip")),
    sound: (_tracks, sound) =>
      holder("sound", sound, T.h("canvas"), T.h("span", { class: "t-words" }), handle("start", "sound"), handle("stop", "sound")),
    caption: (_tracks, caption) =>
      holder("caption", caption, T.h("span", { class: "t-text", dir: "auto" }), handle("start", "caption"), handle("stop", "caption")),
  };

  T.worded = {
    clip(element, clip, tracks, index) {
      const { layout } = tracks;
      const name = clip.kind === "title" ? clip.text : clip.name;
      const code = (frame) => T.timecode(frame, layout.sourceRate(clip));
      element.querySelector(".t-words").textContent = name;
      element.classList.toggle("t-missing", !!clip.missing);
      element.classList.toggle("t-titled", clip.kind === "title");
      element.style.setProperty("--ink", clip.ink || "");
      const flags = [
        clip.missing && T.say("flag.missing"),
        clip.speed !== 1 && `${clip.speed}×`,
        clip.gain_db === null ? T.say("flag.muted") : clip.gain_db !== 0 && T.decibels(clip.gain_db),
        clip.match_colour && T.say("flag.matched"),
      ].filter(Boolean);
      element.querySelector(".t-flags").textContent = flags.join(" · ");
      element.title = [name, `${code(clip.start)} – ${code(clip.stop)}`, clip.fitted, clip.missing].filter(Boolean).join("\n");
      const label = { index: index + 1, count: layout.clips.length, name, length: T.timecode(clip.length, layout.rate) };
      element.setAttribute("aria-label", [T.say("clip.label", label), clip.fitted, clip.missing].filter(Boolean).join(". "));
      valued(element, "start", clip.start, clip.stop - 1, code(clip.start));
      valued(element, "stop", clip.stop, clip.total, code(clip.stop));
    },
    sound(element, sound, tracks) {
      const { layout } = tracks;
      const role = sound.role === "music" ? T.say("sound.ducked", { db: T.decibels(sound.duck_db) }) : T.say("sound.voice");
      element.querySelector(".t-words").textContent = `${sound.name} · ${sound.missing ? T.say("flag.missing") : role}`;
      element.classList.toggle("t-missing", !!sound.missing);
      element.classList.toggle("t-voice", sound.role === "voice");
      element.title = [sound.name, role, sound.missing].filter(Boolean).join("\n");
      const at = { name: sound.name, at: T.timecode(sound.at, layout.rate), length: T.timecode(sound.length, layout.rate), role };
      element.setAttribute("aria-label", T.say("sound.label", at));
      const seconds = (samples) => T.say("seconds", { s: (samples / 48000).toFixed(2) });
      valued(element, "start", sound.start, sound.stop - 1, seconds(sound.start));
      valued(element, "stop", sound.stop, sound.total, seconds(sound.stop));
    },
    caption(element, caption, tracks) {
      const { layout } = tracks;
      const text = element.querySelector(".t-text");
      if (text) text.textContent = caption.text;
      element.title = caption.text;
      const at = T.timecode(caption.at, layout.rate);
      element.setAttribute("aria-label", T.say("caption.label", { text: caption.text, at }));
      const end = caption.at + caption.length;
      valued(element, "start", caption.at, end - 1, at);
      valued(element, "stop", end, layout.frames, T.timecode(end, layout.rate));
    },
  };

  T.decibels = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(1).replace(/\.0$/, "")} dB`;

  /* The words of a caption, typed where they stand. Enter keeps them, Escape does not. */
  T.editCaption = (tracks, item) => {
    const { store } = tracks;
    if (!store.mayChange || item.element.querySelector("textarea")) return;
    const { thing } = item;
    const field = T.h("textarea", { class: "t-typed", rows: "1", maxlength: "1000", dir: "auto", "aria-label": T.say("caption.text") });
    field.value = thing.text;
    item.element.classList.add("t-editing");
    item.element.append(field);
    let over = false;
    const end = (keep) => {
      if (over) return;
      over = true;
      const text = field.value.trim();
      const focused = document.activeElement === field;
      field.remove();
      item.element.classList.remove("t-editing");
      if (focused) item.element.focus({ preventScroll: true });
      if (keep && text && text !== thing.text) {
        item.element.querySelector(".t-text").textContent = text;
        store.do("caption", { caption: thing.id, text });
      } else if (keep && !text) store.do("remove_caption", { caption: thing.id });
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") end(false);
      else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        end(true);
      }
      event.stopPropagation();
    });
    field.addEventListener("blur", () => end(true));
    field.focus();
    field.select();
  };
})();
