/* The tracks: one element a clip, a sound and a caption, kept from state to state; canvases only for what is in view. */
(() => {
  const T = window.movaTimeline;
  const PAD = 14;
  const CLIP_HEIGHT = 84;
  const SOUND_HEIGHT = 52;
  const MARGIN = 300; /* pixels that are drawn beyond the view, so that scrolling need not draw at once */
  const NEAREST = 480; /* pixels a second at the closest look */

  T.Tracks = class Tracks {
    constructor(editor) {
      Object.assign(this, { editor, store: editor.store, items: new Map(), pixels: 4, fitted: true, width: 0, film: "" });
      this.ruler = T.h("canvas", { class: "t-marks" });
      this.head = T.h("div", { class: "t-playhead", "aria-hidden": "true" });
      this.guide = T.h("div", { class: "t-guide", hidden: true, "aria-hidden": "true" });
      this.rulerBox = T.h(
        "div",
        { class: "t-ruler", tabindex: "0", role: "slider", "aria-label": T.say("playhead"), "aria-valuemin": "0" },
        this.ruler
      );
      this.lanes = {
        clip: T.h("div", { class: "t-lane t-pictures", role: "listbox", "aria-label": T.say("lane.clips"), "aria-orientation": "horizontal" }),
        sound: T.h("div", { class: "t-lane t-sounds", role: "listbox", "aria-label": T.say("lane.sounds"), "aria-orientation": "horizontal" }),
        caption: T.h("div", { class: "t-lane t-captions", role: "listbox", "aria-label": T.say("lane.captions"), "aria-orientation": "horizontal" }),
      };
      this.teach = T.h("div", { class: "t-teach" });
      this.length = T.h("div", { class: "t-length" }, this.rulerBox, ...Object.values(this.lanes), this.guide, this.head);
      this.scroll = T.h("div", { class: "t-scroll", scroll: () => this.scrolled() }, this.length);
      this.toolbar = new T.Toolbar(editor, this);
      this.element = T.h("div", { class: "t-tracks" }, this.toolbar.element, T.h("div", { class: "t-area" }, this.scroll, this.teach));
      this.scroll.addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
      this.length.addEventListener("focusin", (event) => {
        const item = this.of(event.target);
        if (item && event.target === item.element) this.store.select(item.kind, item.thing.id);
      });
      this.drag = new T.Drag(editor, this);
      this.cuts = new T.Cuts(editor, this);
      const { store } = this;
      this.leave = [
        store.on("state", () => this.renewed()),
        store.on("selection", () => this.marked()),
        store.on("playhead", () => this.placeHead(true)),
        store.on("played", () => this.placeHead(true)),
        store.on("tools", () => this.marked()),
        T.onRepaint(() => this.draw(true)),
      ];
    }
    close() {
      this.leave.forEach((off) => off());
      this.drag.close();
    }

    x(frame) { return PAD + frame * this.pixels; }
    frame(x) { return (x - PAD) / this.pixels; }
    /* The frame under a pointer. */
    under(event) { return this.frame(event.clientX - this.length.getBoundingClientRect().left); }
    get layout() { return this.store.layout; }
    get zoomed() { return this.pixels * this.layout.rate; }
    get farthest() { return Math.min(20, this.fitting() * this.layout.rate); }
    get nearest() { return NEAREST; }
    fitting() { return Math.max((this.width - 2 * PAD - 40) / Math.max(this.layout.frames, this.layout.rate * 4), 0.0005); }

    zoom(perSecond, around = null) {
      const wanted = Math.min(Math.max(perSecond, this.farthest), NEAREST) / this.layout.rate;
      const x = around ?? Math.min(Math.max(this.x(this.store.playhead) - this.scroll.scrollLeft, 0), this.width);
      const frame = this.frame(x + this.scroll.scrollLeft);
      this.fitted = false;
      this.pixels = wanted;
      this.place();
      this.scroll.scrollLeft = this.x(frame) - x;
      this.draw(true);
      this.toolbar.settle();
    }
    fit() {
      this.pixels = Math.min(this.fitting(), NEAREST / this.layout.rate);
      this.fitted = true;
      this.place();
      this.scroll.scrollLeft = 0;
      this.draw(true);
      this.toolbar.settle();
    }
    wheeled(event) {
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const left = this.scroll.getBoundingClientRect().left;
        this.zoom(this.zoomed * Math.exp(-event.deltaY / 400), event.clientX - left);
      } else if (!event.deltaX && event.deltaY && this.scroll.scrollWidth > this.width) {
        event.preventDefault();
        this.scroll.scrollLeft += event.deltaY;
      }
    }

    resized() {
      const width = this.scroll.clientWidth;
      if (!width || width === this.width) return;
      this.width = width;
      this.fitted ? this.fit() : (this.place(), this.draw(true));
    }

    renewed() {
      const { state } = this.store;
      const other = this.film !== state.id;
      this.film = state.id;
      this.keep("clip", state.clips);
      this.keep("sound", state.sounds);
      this.keep("caption", state.captions);
      this.cuts.renewed();
      this.teachEmpty();
      if (other) this.fitted = true;
      this.width = this.scroll.clientWidth || this.width;
      if (this.fitted && this.width) this.fit();
      else this.place(), this.draw(true);
      this.marked();
    }
    keep(kind, things) {
      const lane = this.lanes[kind];
      const wanted = new Set(things.map((thing) => `${kind} ${thing.id}`));
      for (const [key, item] of this.items)
        if (item.kind === kind && !wanted.has(key)) {
          item.element.remove();
          this.items.delete(key);
        }
      things.forEach((thing, index) => {
        const key = `${kind} ${thing.id}`;
        let item = this.items.get(key);
        if (!item) {
          item = { kind, element: T.item[kind](this, thing), drawn: "" };
          item.canvas = item.element.querySelector("canvas");
          this.items.set(key, item);
        }
        item.thing = thing;
        item.drawn = "";
        T.worded[kind](item.element, thing, this, index);
        if (lane.children[index] !== item.element) lane.insertBefore(item.element, lane.children[index] || null);
      });
    }
    item(kind, id) { return this.items.get(`${kind} ${id}`); }
    of(element) {
      const holder = element.closest?.("[data-kind]");
      return holder && this.length.contains(holder) ? this.item(holder.dataset.kind, holder.dataset.id) : null;
    }

    place() {
      this.length.style.width = `${Math.max(this.width - 1, this.x(this.layout.frames) + (this.fitted ? 0 : 240))}px`;
      for (const item of this.items.values()) this.placeItem(item);
      this.cuts.place();
      this.placeHead();
    }
    placeItem(item, at = item.thing.at, length = item.thing.length) {
      item.left = this.x(at);
      item.width = Math.max(2, length * this.pixels - (item.kind === "clip" ? 1 : 0));
      item.element.style.transform = `translateX(${item.left}px)`;
      item.element.style.width = `${item.width}px`;
      item.element.classList.toggle("t-narrow", item.width < 46);
      item.element.classList.toggle("t-tiny", item.width < 24);
    }
    placeHead(follow = false) {
      const x = this.x(this.store.playhead);
      this.head.style.transform = `translateX(${x}px)`;
      const { rulerBox, layout } = this;
      const frame = Math.floor(this.store.playhead);
      rulerBox.setAttribute("aria-valuemax", Math.max(layout.frames - 1, 0));
      rulerBox.setAttribute("aria-valuenow", frame);
      rulerBox.setAttribute("aria-valuetext", T.timecode(frame, layout.rate));
      if (!follow || this.drag.active) return;
      const left = this.scroll.scrollLeft;
      if (x < left + 4 || x > left + this.width - 24) this.scroll.scrollLeft = x - (x < left ? this.width * 0.6 : this.width * 0.15);
    }

    scrolled() {
      if (this.drawing) return;
      this.drawing = requestAnimationFrame(() => {
        this.drawing = 0;
        this.draw();
      });
    }
    draw(anew = false) {
      if (!this.width || !T.inView(this.element)) return;
      const left = this.scroll.scrollLeft;
      this.ruler.style.transform = `translateX(${left}px)`;
      T.drawRuler(this.ruler, this.width, 26, left, this.pixels, this.layout.rate, PAD);
      for (const item of this.items.values()) if (item.canvas) this.drawItem(item, anew, left);
    }
    /* `shape` is given while a clip is trimmed: where it starts in its source, and how wide it is. */
    drawItem(item, anew = true, left = this.scroll.scrollLeft, shape = null) {
      const { thing, kind, width } = item;
      const from = Math.max(0, left - item.left);
      const to = Math.min(width, left + this.width - item.left);
      if (to <= from) return;
      if (!anew && item.drawn && item.from <= from && item.to >= to) return;
      item.from = Math.max(0, Math.floor(from - MARGIN));
      item.to = Math.min(width, Math.ceil(to + MARGIN));
      item.drawn = "yes";
      const scale = kind === "clip" ? this.pixels / this.layout.pace(thing) : this.layout.soundFrames(1) * this.pixels;
      const whole = shape || { start: thing.start, width };
      item.canvas.style.transform = `translateX(${item.from}px)`;
      const draw = kind === "clip" ? T.drawClip : T.drawSound;
      draw(item.canvas, thing, { ...whole, scale }, item.from, item.to, kind === "clip" ? CLIP_HEIGHT : SOUND_HEIGHT, this.layout, this.pixels);
    }

    marked() {
      const { selected } = this.store;
      for (const [key, item] of this.items) {
        const chosen = selected && key === `${selected.kind} ${selected.id}`;
        item.element.setAttribute("aria-selected", String(!!chosen));
        item.element.querySelectorAll(".t-handle").forEach((handle) => handle.setAttribute("tabindex", chosen ? "0" : "-1"));
      }
      /* One place in each lane takes the focus: what is selected, or the first. */
      for (const kind of Object.keys(this.lanes)) {
        const cards = [...this.lanes[kind].querySelectorAll("[data-kind]")];
        const one = cards.find((card) => card.getAttribute("aria-selected") === "true") || cards[0];
        cards.forEach((card) => card.setAttribute("tabindex", card === one ? "0" : "-1"));
      }
      this.length.classList.toggle("t-blading", this.store.blade);
    }
    focus(kind, id) { this.item(kind, id)?.element.focus({ preventScroll: true }); }

    teachEmpty() {
      const { clips } = this.store.state;
      this.teach.hidden = clips.length > 0;
      this.lanes.sound.dataset.empty = this.store.state.sounds.length || !this.store.mayChange ? "" : T.say("empty.sounds");
      this.lanes.caption.dataset.empty = this.store.state.captions.length || !this.store.mayChange ? "" : T.say("empty.captions");
      if (clips.length) return this.teach.replaceChildren();
      this.teach.replaceChildren(T.h("h3", {}, T.say("empty.title")), T.h("p", {}, T.say("empty.text")));
    }
  };
})();
