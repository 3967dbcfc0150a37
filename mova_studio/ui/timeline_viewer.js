/* The viewer: the picture with its captions, transport, timecode and meters, and how far the preview is. */
(() => {
  const T = window.movaTimeline;
  const ASK_MS = 900;

  T.Viewer = class Viewer {
    constructor(editor) {
      Object.assign(this, { editor, store: editor.store });
      const { player, store } = editor;
      this.meters = new T.Meters(player.mixer);
      this.captions = T.h("div", { class: "t-subtitles", "aria-live": "off" });
      this.hint = T.h("p", { class: "t-hint" }, T.say("viewer.empty"));
      this.screen = T.h("div", { class: "t-screen", role: "img", "aria-label": T.say("viewer.label") }, ...player.elements, this.captions, this.hint);
      this.box = T.h("div", { class: "t-box" }, this.screen);
      this.time = T.h("span", { class: "t-time m-mono", role: "timer", "aria-label": T.say("time.label") });
      this.preview = T.h("span", { class: "t-preview", role: "status" });
      this.first = T.button("go.cut.before", () => this.to(store.layout.cutBefore(Math.floor(store.playhead))), { icon: "first", keys: "↑" });
      this.back = T.button("go.back", () => player.step(-1), { icon: "back", keys: "←" });
      this.run = T.button("play", () => player.toggle(), { icon: "play", keys: T.say("key.space") });
      this.on = T.button("go.on", () => player.step(1), { icon: "on", keys: "→" });
      this.last = T.button("go.cut.after", () => this.to(store.layout.cutAfter(Math.floor(store.playhead))), { icon: "last", keys: "↓" });
      this.run.classList.add("t-run");
      this.drawer = T.button("inspector", () => editor.inspector.toggle(), { icon: "panel", pressed: false });
      this.drawer.classList.add("t-drawer-button");
      this.filmButton = T.h("button", { type: "button", class: "t-film-name", "aria-haspopup": "dialog", click: () => editor.film.toggle() }, T.h("b"), T.icon("menu"));
      this.facts = T.h("span", { class: "m-mono t-film-facts" });
      this.element = T.h(
        "section",
        { class: "m-panel t-viewer", "aria-label": T.say("viewer") },
        T.h("header", { class: "t-row t-between" }, this.filmButton, this.facts, T.h("span", { class: "t-fill" }), this.preview, this.drawer),
        T.h("div", { class: "t-look" }, this.box, this.meters.element),
        T.h(
          "div",
          { class: "t-transport", role: "toolbar", "aria-label": T.say("transport") },
          this.first, this.back, this.run, this.on, this.last, this.time
        )
      );
      this.leave = [
        store.on("state", () => this.renewed()),
        store.on("playhead", () => this.timed()),
        store.on("played", () => this.timed()),
        store.on("playing", (pace) => this.ran(pace)),
        store.on("proxy", () => this.told()),
        T.onRepaint(() => this.meters.draw()),
      ];
      this.ran(0);
    }
    to(frame) {
      this.editor.player.pause();
      this.store.move(frame);
    }
    resized() {
      const { width, height } = this.store.state;
      const ratio = width / height;
      const wide = Math.min(this.box.clientWidth, this.box.clientHeight * ratio);
      this.screen.style.width = `${Math.floor(wide)}px`;
      this.screen.style.height = `${Math.floor(wide / ratio)}px`;
      this.screen.style.setProperty("--tall", `${Math.floor(wide / ratio)}px`);
      this.meters.resized();
    }
    renewed() {
      const { state } = this.store;
      this.filmButton.querySelector("b").textContent = state.name || T.say("untitled");
      this.filmButton.title = `${state.name || T.say("untitled")}: ${T.say("films.open")}`;
      const rate = state.rate[0] / state.rate[1];
      this.facts.textContent = [`${state.width} × ${state.height}`, `${+rate.toFixed(3)} ${T.say("fps")}`, T.say("seconds", { s: state.seconds.toFixed(1) })].join(" · ");
      this.hint.hidden = state.clips.length > 0;
      for (const button of [this.first, this.back, this.run, this.on, this.last]) button.disabled = !state.clips.length;
      this.resized();
      this.timed();
      this.ask();
    }
    timed() {
      const { layout, playhead } = this.store;
      const frame = Math.floor(playhead);
      this.time.textContent = `${T.timecode(frame, layout.rate)} / ${T.timecode(layout.frames, layout.rate)}`;
      const words = layout.captionAt(frame);
      const key = words.join("\n");
      if (this.spoken === key) return;
      this.spoken = key;
      this.captions.replaceChildren(...words.map((text) => T.h("p", { dir: "auto" }, text)));
    }
    ran(pace) {
      const label = T.say(pace ? "pause" : "play");
      this.run.replaceChildren(T.icon(pace ? "pause" : "play"), ...(Math.abs(pace) > 1 || pace < 0 ? [T.h("small", {}, `${pace < 0 ? "−" : ""}${Math.abs(pace)}×`)] : []));
      this.run.title = `${label} (${T.say("key.space")})`;
      this.run.setAttribute("aria-label", this.run.title);
      this.run.setAttribute("aria-pressed", String(!!pace));
    }

    /* How far the preview of the newest state is; asked for while it is being made and somebody looks. */
    ask() {
      clearTimeout(this.asking);
      this.asking = setTimeout(() => this.asked(), 60);
    }
    async asked() {
      const { store } = this;
      clearTimeout(this.asking);
      if (this.closed) return;
      if (!T.inView(this.element) || document.hidden) return void (this.asking = setTimeout(() => this.asked(), ASK_MS));
      const { id, revision } = store.state;
      if (!store.state.clips.length) store.proxy = { state: "none" };
      else {
        try {
          store.proxy = (await store.server.timeline_proxy({ id })) || { state: "none" };
        } catch (error) {
          store.proxy = { state: "failed", error: String(error?.message || error || "") };
        }
      }
      if (this.closed || id !== store.state.id) return;
      store.tell("proxy");
      const { proxy, state } = store;
      const behind = revision !== state.revision || (proxy.state === "ready" && proxy.revision !== state.revision);
      clearTimeout(this.asking);
      const drawn = await this.draw();
      if (this.closed) return;
      if (proxy.state === "rendering" || behind || !drawn) this.asking = setTimeout(() => this.asked(), ASK_MS);
    }
    /* Pictures and outlines of new clips, which are drawn meanwhile; whether all of them are there. */
    async draw() {
      const { store } = this;
      const { id, clips, sounds } = store.state;
      const bare = [...clips.filter((clip) => clip.kind === "take" && !clip.strip), ...sounds.filter((sound) => !sound.peaks?.length)];
      if (!bare.some((thing) => !thing.missing) || this.drawn === store.state.revision) return true;
      const answer = await store.server.timeline_strips({ id }).catch(() => ({ error: {} }));
      if (answer.error || id !== store.state.id) return !!answer.error;
      for (const thing of [...store.state.clips, ...store.state.sounds]) Object.assign(thing, answer.strips[thing.id]);
      this.editor.tracks.draw(true);
      if (answer.ready && answer.revision === store.state.revision) this.drawn = answer.revision;
      return answer.ready;
    }
    told() {
      const { proxy, state } = this.store;
      const ready = proxy.state === "ready" && proxy.revision === state.revision;
      const failed = proxy.state === "failed";
      this.preview.classList.toggle("m-error", failed);
      const error = proxy.error?.message || proxy.error || "";
      if (!state.clips.length) this.preview.textContent = "";
      else if (ready) this.preview.textContent = T.say("preview.ready");
      else if (failed) this.preview.textContent = T.say("preview.failed");
      else if (proxy.state === "none") this.preview.textContent = T.say("preview.direct");
      else this.preview.textContent = proxy.fraction ? T.say("preview.percent", { percent: Math.round(100 * proxy.fraction) }) : T.say("preview.rendering");
      this.preview.title = failed ? error : ready ? "" : T.say(state.sounds.length ? "preview.direct.music" : "preview.direct.why");
    }
    close() {
      this.closed = true;
      clearTimeout(this.asking);
      this.leave.forEach((off) => off());
    }
  };
})();
