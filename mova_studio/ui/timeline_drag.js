/* Dragging on the tracks. A move only changes transforms, once for each picture that the screen shows; what it means
   goes to the server at the drop. Escape takes it back. */
(() => {
  const T = window.movaTimeline;
  const BEGIN = 4; /* pixels before a press becomes a drag */
  const EDGE = 48; /* pixels at the ends of the view that scroll it */
  const REACH = 9; /* pixels within which things snap */

  /* The playhead follows the pointer. */
  class Scrub {
    constructor(tracks) { this.tracks = tracks; }
    move(event) {
      const { tracks } = this;
      const { store, layout } = tracks;
      let frame = Math.round(tracks.under(event));
      if (store.snap && !event.altKey) frame = layout.snapped(frame, layout.clips.map((clip) => clip.at), REACH / tracks.pixels / 2);
      tracks.editor.player.pause();
      store.move(frame);
    }
    drop() {}
    cancel() {}
  }

  /* A clip on its way to another place; the others make room. */
  class Order {
    constructor(tracks, item, event) {
      Object.assign(this, { tracks, item });
      this.grab = tracks.under(event) - item.thing.at;
      this.from = this.index = tracks.layout.clips.indexOf(item.thing);
      this.room = new T.Room(tracks, item.thing.id, item.thing.length);
      item.element.classList.add("t-lifted");
    }
    move(event) {
      const { tracks, item } = this;
      const at = tracks.under(event) - this.grab;
      item.element.style.transform = `translateX(${tracks.x(at)}px)`;
      this.index = this.room.open(at);
    }
    drop() {
      this.item.element.classList.remove("t-lifted");
      if (this.index === this.from) return this.cancel();
      return this.tracks.store.do("move", { clip: this.item.thing.id, index: this.index }).then(() => this.room.close());
    }
    cancel() {
      this.item.element.classList.remove("t-lifted");
      this.room.close();
    }
  }

  /* One edge of a clip; the picture at it is in the viewer while it moves. */
  class Trim {
    constructor(tracks, item, edge) {
      Object.assign(this, { tracks, item, edge });
      const { layout, store } = tracks;
      this.value = item.thing[edge];
      this.points = layout.snapPoints(new Set([item.thing.id]), store.playhead);
      this.others = layout.clips.slice(layout.clips.indexOf(item.thing) + 1).map((clip) => tracks.item("clip", clip.id));
      item.element.classList.add("t-trimming");
    }
    move(event) {
      const { tracks, item, edge } = this;
      const { layout } = tracks;
      const { thing } = item;
      let frame = Math.round(tracks.under(event));
      if (tracks.store.snap && !event.altKey) frame = layout.snapped(frame, this.points, REACH / tracks.pixels);
      const source = thing.start + Math.round((frame - thing.at) * layout.pace(thing));
      this.set(edge === "start" ? Math.min(Math.max(source, 0), thing.stop - 1) : Math.min(Math.max(source, thing.start + 1), thing.total));
    }
    set(value) {
      const { tracks, item, edge } = this;
      const { layout } = tracks;
      const { thing } = item;
      const scrolled = tracks.scroll.scrollLeft;
      this.value = value;
      const start = edge === "start" ? value : thing.start;
      const stop = edge === "stop" ? value : thing.stop;
      const length = layout.lengthOf(thing, start, stop);
      const by = length - thing.length;
      tracks.placeItem(item, edge === "start" ? thing.at - by : thing.at, length);
      tracks.drawItem(item, true, scrolled, { start, width: item.width });
      if (edge === "stop")
        for (const other of this.others) other.element.style.transform = `translateX(${other.left + by * tracks.pixels}px)`;
      const words = `${by > 0 ? "+" : by < 0 ? "−" : ""}${Math.abs(by)} ${T.say("frames.short")} · ${T.timecode(length, layout.rate)}`;
      tracks.drag.tell(words, edge === "start" ? item.left : item.left + item.width, item.element);
      tracks.editor.player.showSource(thing, edge === "start" ? value : value - 1);
    }
    drop() {
      const { tracks, item, edge, value } = this;
      item.element.classList.remove("t-trimming");
      tracks.editor.player.showFilm();
      if (value === item.thing[edge]) return this.cancel();
      return tracks.store.do("trim", { clip: item.thing.id, [edge]: value });
    }
    cancel() {
      this.item.element.classList.remove("t-trimming");
      this.tracks.editor.player.showFilm();
      this.tracks.place();
      this.tracks.drawItem(this.item);
    }
  }

  /* A sound or a caption: the whole of it, or an edge. */
  class Slide {
    constructor(tracks, item, edge, event) {
      Object.assign(this, { tracks, item, edge });
      const { layout, store } = tracks;
      this.begin = { at: item.thing.at, end: item.thing.at + item.thing.length };
      this.now = { ...this.begin };
      this.grab = tracks.under(event) - (edge === "stop" ? this.begin.end : this.begin.at);
      this.points = layout.snapPoints(new Set([item.thing.id]), store.playhead);
      if (item.kind === "caption") this.clip = layout.clips.find((clip) => clip.id === item.thing.clip);
      item.element.classList.add("t-lifted");
    }
    move(event) {
      const { tracks, edge, begin, item } = this;
      const { layout } = tracks;
      const reach = REACH / tracks.pixels;
      const snap = (frame) => (tracks.store.snap && !event.altKey ? layout.snapped(frame, this.points, reach) : frame);
      const place = Math.round(tracks.under(event) - this.grab);
      const length = begin.end - begin.at;
      if (edge === "start") this.now.at = Math.min(Math.max(snap(place), this.least()), begin.end - 1);
      else if (edge === "stop") this.now.end = Math.max(Math.min(snap(place), this.most()), begin.at + 1);
      else {
        const left = snap(place);
        const at = left !== place ? left : snap(place + length) - length;
        this.now.at = Math.min(Math.max(at, this.clip ? this.clip.at : 0), this.clip ? layout.end(this.clip) - 1 : at);
        this.now.at = Math.max(this.now.at, 0);
        this.now.end = this.now.at + length;
      }
      const scrolled = tracks.scroll.scrollLeft;
      tracks.placeItem(item, this.now.at, this.now.end - this.now.at);
      if (item.canvas) tracks.drawItem(item, true, scrolled, { start: this.soundStart(), width: item.width });
      const words = `${T.timecode(this.now.at, layout.rate)} – ${T.timecode(this.now.end, layout.rate)}`;
      tracks.drag.tell(words, edge === "stop" ? item.left + item.width : item.left, item.element);
    }
    least() {
      if (this.clip) return this.clip.at;
      return Math.max(0, this.begin.at - Math.floor(this.tracks.layout.soundFrames(this.item.thing.start)));
    }
    most() {
      if (this.clip) return this.tracks.layout.end(this.clip);
      const { thing } = this.item;
      return this.begin.end + Math.floor(this.tracks.layout.soundFrames(thing.total - thing.stop));
    }
    soundStart() {
      const { thing } = this.item;
      return this.edge === "start" ? Math.max(0, thing.start + this.tracks.layout.samples(this.now.at - this.begin.at)) : thing.start;
    }
    drop() {
      const { tracks, item, edge, begin, now } = this;
      const { store, layout } = tracks;
      item.element.classList.remove("t-lifted");
      if (now.at === begin.at && now.end === begin.end) return this.cancel();
      if (item.kind === "caption") {
        const source = (frame) => this.clip.start + Math.round((frame - this.clip.at) * layout.pace(this.clip));
        return store.do("caption", { caption: item.thing.id, start: source(now.at), stop: Math.max(source(now.end), source(now.at) + 1) });
      }
      if (edge === "start") return store.do("sound", { sound: item.thing.id, at: now.at, start: this.soundStart() });
      if (edge === "stop") {
        const stop = Math.min(item.thing.total, item.thing.stop + layout.samples(now.end - begin.end));
        return store.do("sound", { sound: item.thing.id, stop: Math.max(stop, item.thing.start + 1) });
      }
      return store.do("sound", { sound: item.thing.id, at: now.at });
    }
    cancel() {
      this.item.element.classList.remove("t-lifted");
      this.tracks.place();
      if (this.item.canvas) this.tracks.drawItem(this.item);
    }
  }

  T.Drag = class Drag {
    constructor(editor, tracks) {
      Object.assign(this, { editor, tracks, store: editor.store, active: null, pressed: null });
      this.tip = T.h("div", { class: "t-tip", hidden: true, role: "status" });
      tracks.length.append(this.tip);
      const { length } = tracks;
      length.addEventListener("pointerdown", (event) => this.down(event));
      length.addEventListener("pointermove", (event) => this.hover(event));
      length.addEventListener("pointerleave", () => (tracks.guide.hidden = true));
      length.addEventListener("dblclick", (event) => this.opened(event));
      this.moved = (event) => this.pressed && this.go(event);
      this.upped = (event) => this.pressed && this.up(event);
      this.lost = () => this.cancel();
      this.escaped = (event) => {
        if (event.key !== "Escape" || !this.pressed) return;
        event.stopPropagation();
        this.cancel();
      };
      addEventListener("pointermove", this.moved);
      addEventListener("pointerup", this.upped);
      addEventListener("pointercancel", this.lost);
      addEventListener("keydown", this.escaped, true);
    }
    close() {
      removeEventListener("pointermove", this.moved);
      removeEventListener("pointerup", this.upped);
      removeEventListener("pointercancel", this.lost);
      removeEventListener("keydown", this.escaped, true);
    }

    down(event) {
      if (event.button !== 0 || event.target.closest(".t-cut, textarea, .t-pop")) return;
      const { tracks, store } = this;
      const item = tracks.of(event.target);
      if (item && store.blade && item.kind === "clip") {
        event.preventDefault();
        return void store.split(Math.round(tracks.under(event)), item.thing);
      }
      if (item) {
        store.select(item.kind, item.thing.id);
        item.element.focus({ preventScroll: true });
      } else if (!event.target.closest(".t-ruler")) store.select(null);
      event.preventDefault();
      this.pressed = { event, item, edge: event.target.closest("[data-trim]")?.dataset.trim || "", x: event.clientX };
      if (!item) {
        tracks.rulerBox.focus({ preventScroll: true });
        this.active = new Scrub(tracks);
        this.active.move(event);
      }
    }
    begin() {
      const { item, edge, event } = this.pressed;
      if (!this.store.mayChange) return (this.pressed = null);
      this.editor.player.pause();
      if (item.kind === "clip") this.active = edge ? new Trim(this.tracks, item, edge) : new Order(this.tracks, item, event);
      else this.active = new Slide(this.tracks, item, edge, event);
      /* The tracks alone hear of the pointer now, so that nothing that it passes is drawn as hovered. */
      this.tracks.length.setPointerCapture(event.pointerId);
      this.tracks.length.dataset.drag = edge ? "edge" : "whole";
    }
    go(event) {
      if (!this.active && Math.abs(event.clientX - this.pressed.x) >= BEGIN) this.begin();
      if (!this.active) return;
      this.latest = event;
      this.frame ||= requestAnimationFrame(() => this.step());
    }
    step() {
      this.frame = 0;
      if (!this.active) return;
      /* What is read is read before anything is moved, or the browser would have to lay out twice. */
      const { scroll } = this.tracks;
      const box = (this.box ||= scroll.getBoundingClientRect());
      const { clientX: x } = this.latest;
      const by = x < box.left + EDGE ? x - box.left - EDGE : x > box.right - EDGE ? x - box.right + EDGE : 0;
      const before = scroll.scrollLeft;
      if (by) scroll.scrollLeft += by / 3;
      const further = by && scroll.scrollLeft !== before;
      this.active.move(this.latest);
      if (further) this.frame = requestAnimationFrame(() => this.step());
    }
    up(event) {
      const { pressed, active } = this;
      if (this.frame && active) {
        this.latest = event;
        active.move(event);
      }
      this.end();
      if (active) active.drop();
      else if (pressed.item?.kind === "caption" && !pressed.edge) T.editCaption(this.tracks, pressed.item);
    }
    cancel() {
      const { active } = this;
      this.end();
      active?.cancel();
    }
    end() {
      cancelAnimationFrame(this.frame);
      this.frame = 0;
      this.box = this.top = null;
      this.active = this.pressed = null;
      this.tip.hidden = true;
      delete this.tracks.length.dataset.drag;
    }
    tell(words, x, element) {
      this.top ??= element.parentElement.offsetTop - 26;
      this.tip.hidden = false;
      this.tip.textContent = words;
      this.tip.style.transform = `translate(${x}px, ${this.top}px) translateX(-50%)`;
    }
    hover(event) {
      const { tracks, store } = this;
      const over = store.blade && tracks.of(event.target)?.kind === "clip";
      tracks.guide.hidden = !over;
      if (over) tracks.guide.style.transform = `translateX(${tracks.x(Math.round(tracks.under(event)))}px)`;
    }
    opened(event) {
      const item = this.tracks.of(event.target);
      if (item?.kind === "clip") this.store.move(item.thing.at);
    }
    /* The same by keys: one edge by some frames. Presses that come while an answer is awaited are made together. */
    nudge(item, edge, by) {
      const { store } = this;
      if (!store.mayChange) return null;
      const { kind } = item;
      const { id } = item.thing;
      const key = `${kind} ${id} ${edge}`;
      if (this.nudging?.key === key) {
        this.nudging.by += by;
        return this.nudging.made;
      }
      const nudging = (this.nudging = { key, by });
      const op = kind === "clip" ? "trim" : kind;
      nudging.made = store.do(op, () => {
        if (this.nudging === nudging) this.nudging = null;
        return { [kind]: id, ...this.nudged(kind, store.thing({ kind, id }), edge, nudging.by) };
      });
      return nudging.made;
    }
    nudged(kind, thing, edge, by) {
      const { layout } = this.tracks;
      if (!thing) return {};
      if (kind === "clip") return { [edge]: thing[edge] + by };
      if (kind === "caption") {
        const clip = layout.clips.find((each) => each.id === thing.clip);
        return { [edge]: Math.max(0, thing[edge] + Math.round(by * layout.pace(clip))) };
      }
      const value = Math.min(Math.max(thing[edge] + layout.samples(by), edge === "start" ? 0 : thing.start + 1), thing.total);
      return { [edge]: value, ...(edge === "start" ? { at: Math.max(0, thing.at + by) } : {}) };
    }
  };

  /* Room for a clip among the others: those behind the gap move by its length, and only those that cross it are touched. */
  T.Room = class Room {
    constructor(tracks, without, length) {
      Object.assign(this, { tracks, length, shifts: new Map() });
      let at = 0;
      this.others = tracks.layout.clips
        .filter((clip) => clip.id !== without)
        .map((clip, index) => {
          const start = at - (index ? clip.overlap : 0);
          at = start + clip.length;
          return { item: tracks.item("clip", clip.id), start, middle: start + clip.length / 2 };
        });
      tracks.length.classList.add("t-making");
    }
    /* Where a clip that begins at `frame` would go; each other one makes way at its middle. */
    open(frame) {
      let index = this.others.findIndex((other) => frame < other.middle);
      if (index < 0) index = this.others.length;
      if (index === this.index) return index;
      this.index = index;
      this.others.forEach((other, place) => {
        const at = other.start + (place >= index ? this.length : 0);
        if (this.shifts.get(other) === at) return;
        this.shifts.set(other, at);
        other.item.element.style.transform = `translateX(${this.tracks.x(at)}px)`;
      });
      return index;
    }
    close() {
      this.tracks.length.classList.remove("t-making");
      this.tracks.place();
    }
  };
})();
