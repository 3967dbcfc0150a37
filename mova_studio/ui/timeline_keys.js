/* The keyboard, while the Timeline is in view and nobody types. */
(() => {
  const T = window.movaTimeline;
  const typing = (target) => target.closest?.("input:not([type=range]):not([type=radio]):not([type=checkbox]):not([type=file]), textarea, select, [contenteditable=true]");
  const pressable = (target) => target.closest?.("button, a, summary, input, [role=tab]");

  T.Keys = class Keys {
    constructor(editor) {
      this.editor = editor;
      this.listen = (event) => this.pressed(event);
      document.addEventListener("keydown", this.listen);
    }
    close() { document.removeEventListener("keydown", this.listen); }

    pressed(event) {
      const { editor } = this;
      if (event.defaultPrevented || !T.inView(editor.root) || document.querySelector("dialog[open]") || typing(event.target)) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const control = event.ctrlKey || event.metaKey;
      const done = control ? this.controlled(key, event) : event.altKey ? this.alternate(key) : this.plain(key, event);
      if (done) event.preventDefault();
    }
    controlled(key, event) {
      const { store } = this.editor;
      if (key === "z") event.shiftKey ? store.redo() : store.undo();
      else if (key === "y") store.redo();
      else return false;
      return true;
    }
    alternate(key) {
      if (key !== "ArrowLeft" && key !== "ArrowRight") return false;
      this.editor.store.shift(key === "ArrowLeft" ? -1 : 1);
      return true;
    }
    plain(key, event) {
      const { store, player, tracks } = this.editor;
      const { target } = event;
      const trim = target.closest?.("[data-trim]");
      const within = this.editor.root.contains(target);
      if (trim && (key === "ArrowLeft" || key === "ArrowRight")) {
        this.nudge(trim, (key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 10 : 1));
        return true;
      }
      /* Space and Enter press the button that has the focus; arrows belong to sliders, lists and tabs. */
      if (pressable(target) && (key === " " || key === "Enter")) return false;
      if (target.matches?.("input[type=range], input[type=radio], [role=tab]") && /^(Arrow|Home|End|Page)/.test(key)) return false;
      if (within && this.card(target, key)) return true;
      const far = event.shiftKey ? Math.round(store.layout.rate) : 1;
      const layout = store.layout;
      const frame = Math.floor(store.playhead);
      const acts = {
        " ": () => player.toggle(), k: () => player.pause(), j: () => player.shuttle(-1), l: () => player.shuttle(1),
        ArrowLeft: () => player.step(-far), ArrowRight: () => player.step(far),
        ArrowUp: () => this.cut(layout.cutBefore(frame)), ArrowDown: () => this.cut(layout.cutAfter(frame)),
        Home: () => this.cut(0), End: () => this.cut(layout.frames - 1),
        i: () => store.mark("start"), o: () => store.mark("stop"), b: () => store.split(), s: () => store.setSnap(!store.snap),
        Delete: () => store.remove(), Backspace: () => store.remove(),
        "+": () => tracks.zoom(tracks.zoomed * 1.5), "=": () => tracks.zoom(tracks.zoomed * 1.5), "-": () => tracks.zoom(tracks.zoomed / 1.5),
        Escape: () => (store.blade ? store.setBlade(false) : store.select(null)),
      };
      if (!acts[key]) return false;
      acts[key]();
      return true;
    }
    /* On a card of the tracks: Enter opens what can be opened, and the focus selects. */
    card(target, key) {
      const { tracks, store, inspector } = this.editor;
      const item = tracks.of(target);
      if (!item || target !== item.element) return false;
      if (key === "Enter") {
        store.select(item.kind, item.thing.id);
        if (item.kind === "caption") T.editCaption(tracks, item);
        else inspector.focus();
        return true;
      }
      return false;
    }
    async nudge(trim, by) {
      const { tracks, store } = this.editor;
      const item = tracks.of(trim);
      await tracks.drag.nudge(item, trim.dataset.trim, by);
      const now = store.thing();
      if (now && item.kind === "clip") this.editor.player.showSource(now, trim.dataset.trim === "start" ? now.start : now.stop - 1);
      if (item.element.isConnected) trim.focus({ preventScroll: true });
      trim.addEventListener("blur", () => this.editor.player.showFilm(), { once: true });
    }
    cut(frame) {
      const { player, store, tracks } = this.editor;
      player.pause();
      store.move(frame);
      const clip = store.layout.clips.find((each) => each.at === frame);
      if (!clip) return;
      const focused = document.activeElement.closest?.(".t-clip");
      if (!store.selected || store.selected.kind === "clip") store.select("clip", clip.id);
      if (focused) tracks.focus("clip", clip.id);
    }
  };
})();
