/* The Timeline: the editor is put together here, of parts in timeline_*.js, each with one idea. */
(() => {
  const T = (window.movaTimeline = {});
  let words = {};

  /* An element with attributes and children; a text child is text, whatever it holds. */
  T.h = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined || value === null || value === false) continue;
      if (typeof value === "function") element.addEventListener(name, value);
      else if (name === "data") Object.assign(element.dataset, value);
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  };

  const ICONS = {
    undo: "M5 3 2 6l3 3M2 6h7a4 4 0 0 1 0 8H6", redo: "M11 3l3 3-3 3M14 6H7a4 4 0 0 0 0 8h3",
    blade: "M3 13 12 2l1 5-6 6zM3 13l1 1", cut: "M8 1v14M5 5 2 8l3 3M11 5l3 3-3 3", snap: "M3 2v5a5 5 0 0 0 10 0V2M3 5h3M10 5h3M6 2v5a2 2 0 0 0 4 0V2",
    title: "M3 3h10M8 3v10M6 13h4", caption: "M1.5 3.5h13v9h-13zM4 7h8M4 9.5h5", speech: "M2 3h12v8H7l-3 3v-3H2zM5 7h6", music: "M6 12V3l8-1v9M6 12a2 2 0 1 1-2-2 2 2 0 0 1 2 2zM14 11a2 2 0 1 1-2-2 2 2 0 0 1 2 2z",
    fit: "M1 4v8M15 4v8M4 8h8M6 6 4 8l2 2M10 6l2 2-2 2", plus: "M8 3v10M3 8h10", minus: "M3 8h10",
    first: "M4 3v10M13 3 6 8l7 5z", last: "M12 3v10M3 3l7 5-7 5z", back: "M10 4 5 8l5 4", on: "M6 4l5 4-5 4",
    play: "M4 2.5v11l9-5.5z", pause: "M5 3v10M11 3v10", panel: "M2 3h12v10H2zM10 3v10", menu: "M4 6l4 4 4-4",
  };
  T.icon = (name) => {
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    picture.setAttribute("viewBox", "0 0 16 16");
    picture.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[name]);
    picture.append(path);
    return picture;
  };

  /* A word of the page's language; {name} stands for a value. */
  T.say = (key, values = {}) =>
    (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  T.words = () => words;

  T.button = (key, act, { icon = "", text = !icon, primary = false, keys = "", pressed } = {}) => {
    const label = T.say(key);
    const hint = keys ? `${label} (${keys})` : label;
    return T.h(
      "button",
      {
        type: "button", class: `${icon && !text ? "t-tool" : "m-button"}${primary ? " t-primary" : ""}`, title: icon || keys ? hint : null,
        "aria-label": text ? null : hint, "aria-pressed": pressed === undefined ? null : String(pressed), "data-key": key, click: act,
      },
      icon ? T.icon(icon) : null,
      text ? label : null
    );
  };

  /* Places, times and lengths in words. */
  T.timecode = (frame, rate) => {
    const whole = Math.max(0, Math.round(frame));
    const base = Math.max(1, Math.round(rate));
    const two = (value) => String(value).padStart(2, "0");
    const seconds = Math.floor(whole / base);
    return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60, whole % base].map(two).join(":");
  };
  /* Frames of what a person typed: "1:02:12", "12" or "3.5s"; null where it means nothing. */
  T.framesOf = (text, rate) => {
    const typed = text.trim().replace(/[;.,：](?=\d+$)(?!.*s$)/g, ":");
    const seconds = /^(\d+(?:\.\d+)?)\s*s$/i.exec(text.trim());
    if (seconds) return Math.round(Number(seconds[1]) * rate);
    if (!/^\d+(:\d+){0,3}$/.test(typed)) return null;
    const base = Math.max(1, Math.round(rate));
    const parts = typed.split(":").map(Number);
    const frames = parts.pop();
    return parts.reduce((sum, part) => sum * 60 + part, 0) * base + frames;
  };
  T.clock = (seconds) => {
    const whole = Math.max(0, Math.round(seconds));
    return T.say(whole < 60 ? "time.seconds" : "time.minutes", { s: whole % 60, m: Math.floor(whole / 60) });
  };
  T.inView = (element) => element.isConnected && element.offsetParent !== null;
  T.quiet = matchMedia("(prefers-reduced-motion: reduce)");

  /* What is said stays until it is read. */
  class Said {
    constructor() {
      this.element = T.h("div", { class: "t-said", role: "status", "aria-live": "polite" });
    }
    say(message, kind = "note") {
      const same = [...this.element.children].find((line) => line.dataset.message === message);
      if (same) return;
      const line = T.h(
        "p",
        { class: `m-${kind}`, data: { message } },
        T.h("span", {}, message),
        T.h("button", { type: "button", class: "m-cross", "aria-label": T.say("said.close"), click: () => line.remove() }, "×")
      );
      this.element.append(line);
      while (this.element.children.length > 3) this.element.firstChild.remove();
    }
    clear(kind) {
      this.element.querySelectorAll(`.m-${kind}`).forEach((line) => line.remove());
    }
  }

  class Editor {
    constructor(root, server, upload, store) {
      Object.assign(this, { root, server, upload, store });
      this.said = new Said();
      this.player = new T.Player(this);
      this.viewer = new T.Viewer(this);
      this.tracks = new T.Tracks(this);
      this.bin = new T.Bin(this);
      this.inspector = new T.Inspector(this);
      this.film = new T.Film(this);
      root.replaceChildren(
        T.h(
          "div",
          { class: "t-editor" },
          this.bin.element,
          this.viewer.element,
          this.inspector.element,
          T.h("section", { class: "m-panel t-table", "aria-label": T.say("tracks") }, this.said.element, this.tracks.element)
        )
      );
      this.leave = [
        store.on("error", (error) => this.said.say(error.message, "error")),
        store.on("note", (message) => this.said.say(message)),
        store.on("done", () => this.said.clear("error")),
      ];
      this.keys = new T.Keys(this);
      this.seen = new ResizeObserver(() => T.inView(root) && this.shown());
      this.seen.observe(root);
    }
    shown() {
      this.tracks.resized();
      this.viewer.resized();
    }
    /* Another language or a new page of Gradio's: everything is drawn anew, what is known stays. */
    close() {
      this.leave.forEach((off) => off());
      this.seen.disconnect();
      this.keys.close();
      this.player.close();
      for (const part of [this.viewer, this.tracks, this.bin, this.inspector, this.film]) part.close?.();
    }
  }

  T.attach = (element, server, _trigger, watch, upload) => {
    const store = new T.Store(server);
    let editor = null;
    let known = "";
    const begin = async () => {
      const root = element.querySelector(".t-root");
      if (!root) return;
      const spoken = root.dataset.words || "{}";
      if (!editor || spoken !== known || editor.root !== root || !root.firstChild) {
        editor?.close();
        known = spoken;
        words = JSON.parse(spoken);
        editor = new Editor(root, server, upload, store);
        T.editor = editor;
      }
      await store.open("");
    };
    T.watchTheme();
    watch("value", () => setTimeout(begin));
    begin();
  };
})();
