/* The tools over the tracks: undo, blade, snap, what can be added, zoom. */
(() => {
  const T = window.movaTimeline;

  T.Toolbar = class Toolbar {
    constructor(editor, tracks) {
      Object.assign(this, { editor, tracks, store: editor.store });
      const { store } = editor;
      const mac = document.documentElement.classList.contains("m-mac");
      const control = mac ? "⌘" : "Ctrl+";
      this.undo = T.button("undo", () => store.undo(), { icon: "undo", keys: `${control}Z` });
      this.redo = T.button("redo", () => store.redo(), { icon: "redo", keys: mac ? "⇧⌘Z" : "Ctrl+Shift+Z" });
      this.cut = T.button("cut.here", () => store.split(), { icon: "cut", keys: "B" });
      this.blade = T.button("blade", () => store.setBlade(!store.blade), { icon: "blade", pressed: false });
      this.snap = T.button("snap", () => store.setSnap(!store.snap), { icon: "snap", keys: "S", pressed: store.snap });
      this.title = T.button("add.title", () => this.addTitle(), { icon: "title", text: true });
      this.caption = T.button("add.caption", () => this.addCaption(), { icon: "caption", text: true });
      this.speech = T.button("make.captions", () => this.makeCaptions(), { icon: "speech", text: true });
      this.file = T.h("input", { type: "file", accept: "audio/*,video/*,.otio,.mkv,.flac", hidden: true, change: () => this.given() });
      this.add = T.button("add.file", () => this.file.click(), { icon: "music", text: true });
      this.less = T.button("zoom.out", () => tracks.zoom(tracks.zoomed / 1.5), { icon: "minus", keys: "−" });
      this.more = T.button("zoom.in", () => tracks.zoom(tracks.zoomed * 1.5), { icon: "plus", keys: "+" });
      this.slider = T.h("input", {
        type: "range", min: "0", max: "100", step: "1", class: "t-zoom", "aria-label": T.say("zoom"), title: T.say("zoom"),
        input: () => tracks.zoom(tracks.farthest * (tracks.nearest / tracks.farthest) ** (this.slider.value / 100)),
      });
      this.fit = T.button("zoom.fit", () => tracks.fit(), { icon: "fit" });
      const gap = () => T.h("span", { class: "t-gap", "aria-hidden": "true" });
      this.element = T.h(
        "div",
        { class: "t-toolbar", role: "toolbar", "aria-label": T.say("tools") },
        this.undo, this.redo, gap(), this.cut, this.blade, this.snap, gap(), this.title, this.caption, this.speech, this.add, this.file,
        T.h("span", { class: "t-fill" }), this.less, this.slider, this.more, this.fit
      );
      this.leave = [store.on("state", () => this.settle()), store.on("tools", () => this.settle())];
      this.settle();
    }
    settle() {
      const { state, snap, blade, mayChange } = this.store;
      this.undo.disabled = !state.undo || !mayChange;
      this.redo.disabled = !state.redo || !mayChange;
      for (const button of [this.cut, this.blade, this.caption, this.speech]) button.disabled = !mayChange || !state.clips.length;
      for (const button of [this.title, this.add]) button.disabled = !mayChange;
      this.snap.setAttribute("aria-pressed", String(snap));
      this.blade.setAttribute("aria-pressed", String(blade));
      const { tracks } = this;
      if (document.activeElement !== this.slider && tracks.width)
        this.slider.value = (100 * Math.log(tracks.zoomed / tracks.farthest)) / Math.log(tracks.nearest / tracks.farthest) || 0;
    }
    async addTitle() {
      const { store } = this;
      const clip = store.layout.clipAt(Math.floor(store.playhead));
      const index = clip ? store.state.clips.indexOf(clip) + (store.playhead - clip.at > clip.length / 2 ? 1 : 0) : store.state.clips.length;
      const made = await store.do("title", { text: T.say("title.first"), frames: Math.round(store.layout.rate * 3), index });
      if (!made) return;
      if (store.clip) store.move(store.clip.at);
      this.editor.inspector.focus("text");
    }
    /* It opens for typing at once, unless the person has gone on to something else by then. */
    async addCaption() {
      const { store, tracks } = this;
      const frame = Math.floor(store.playhead);
      const clip = store.layout.clipAt(frame);
      if (!clip || this.adding) return;
      const asked = document.activeElement;
      const before = new Set(store.state.captions.map((each) => each.id));
      const start = store.layout.sourceOf(clip, frame);
      const stop = Math.min(clip.stop, start + Math.max(1, Math.round(2 * store.layout.sourceRate(clip))));
      this.adding = true;
      const answer = await store.do("add_caption", { clip: clip.id, start, stop, text: T.say("caption.first") });
      this.adding = false;
      const made = answer && store.state.captions.find((each) => !before.has(each.id));
      if (!made) return;
      store.select("caption", made.id);
      if ([asked, document.body].includes(document.activeElement)) T.editCaption(tracks, tracks.item("caption", made.id));
    }
    async makeCaptions() {
      const { store } = this;
      const before = store.state.captions.length;
      const made = await store.do("make_captions", {});
      if (made && !made.captions.length && !before) store.tell("note", T.say("note.no_dialogue"));
    }
    given() {
      const files = [...this.file.files];
      this.file.value = "";
      if (files[0]) this.editor.bin.bring(files[0]);
    }
  };
})();
