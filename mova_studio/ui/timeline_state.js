/* What the server knows of the open timeline, what is selected, and every change on its way, one after the other. */
(() => {
  const T = window.movaTimeline;
  const LISTS = { clip: "clips", sound: "sounds", caption: "captions" };
  const EMPTY = {
    id: "", revision: 0, name: "", width: 1280, height: 720, rate: [24, 1], frames: 0, seconds: 0, undo: false, redo: false,
    read_only: "", clips: [], sounds: [], captions: [], presets: [], notes: [],
  };

  T.Store = class Store {
    constructor(server) {
      Object.assign(this, { server, state: EMPTY, playhead: 0, selected: null, blade: false, waiting: 0 });
      this.snap = sessionStorage.getItem("mova-snap") !== "0";
      this.layout = new T.Layout(EMPTY);
      this.proxy = { state: "none" };
      this.listeners = new Map();
      this.last = Promise.resolve();
    }
    on(event, listener) {
      const listeners = this.listeners.get(event) || new Set();
      this.listeners.set(event, listeners.add(listener));
      return () => listeners.delete(listener);
    }
    tell(event, value) { this.listeners.get(event)?.forEach((listener) => listener(value)); }

    get mayChange() { return !this.state.read_only; }

    /* Calls follow each other, so that each knows the revision that the one before has made. */
    call(name, make) {
      this.waiting += 1;
      const answer = this.last.then(async () => {
        try {
          return (await this.server[name](make())) || {};
        } catch (error) {
          return { error: { message: T.say("error.lost", { why: error?.message || String(error || "") }), field: "" } };
        } finally {
          this.waiting -= 1;
        }
      });
      this.last = answer;
      return answer;
    }

    async open(id) {
      const answer = await this.call("timeline_open", () => ({ id }));
      if (answer.error) return this.tell("error", answer.error), false;
      if (answer.id !== this.state.id) {
        this.playhead = 0;
        this.selected = null;
      }
      this.take(answer);
      return true;
    }

    /* One change. Its values may be a function, which is asked when its turn has come and all before it is known.
       `place` shows its error where the cause is; without one it stands over the tracks. */
    async do(op, args = {}, place = null) {
      const before = new Set(this.state.clips.map((clip) => clip.id));
      const given = () => (typeof args === "function" ? args() : args);
      const answer = await this.call("timeline_do", () => ({ id: this.state.id, revision: this.state.revision, op, args: given() }));
      if (answer.error) {
        place ? place(answer.error) : this.tell("error", answer.error);
        this.tell("state", this.state);
        return null;
      }
      this.take(answer);
      if (answer.stale) this.tell("note", T.say("note.stale"));
      else this.tell("done", op);
      if (["insert", "title", "duplicate"].includes(op)) {
        const made = this.state.clips.find((clip) => !before.has(clip.id));
        if (made) this.select("clip", made.id);
      }
      return answer;
    }

    take(state) {
      if (!state?.clips) return;
      this.state = state;
      this.layout = new T.Layout(state);
      if (this.selected && !this.thing()) this.selected = null;
      this.playhead = Math.min(this.playhead, Math.max(state.frames - 1, 0));
      this.tell("state", state);
      this.tell("selection", this.selected);
      this.tell("playhead", this.playhead);
      for (const note of state.notes || []) this.tell("note", note);
    }

    select(kind, id) {
      if (this.selected?.kind === kind && this.selected?.id === id) return;
      this.selected = kind ? { kind, id } : null;
      this.tell("selection", this.selected);
    }
    /* The selected clip, sound or caption itself. */
    thing(chosen = this.selected) {
      return chosen ? this.state[LISTS[chosen.kind]]?.find((each) => each.id === chosen.id) || null : null;
    }
    get clip() { return this.selected?.kind === "clip" ? this.thing() : null; }
    /* The clip that keys act on: the selected one, or the one under the playhead. */
    get current() { return this.clip || this.layout.clipAt(Math.floor(this.playhead)); }

    /* `frame` may lie between two while the film plays. */
    move(frame, { playing = false } = {}) {
      const last = Math.max(this.state.frames - 1, 0);
      const placed = Math.min(Math.max(playing ? frame : Math.round(frame), 0), last);
      if (placed === this.playhead && !playing) return;
      this.playhead = placed;
      this.tell(playing ? "played" : "playhead", placed);
    }
    setSnap(on) {
      this.snap = on;
      sessionStorage.setItem("mova-snap", on ? "1" : "0");
      this.tell("tools");
    }
    setBlade(on) {
      this.blade = on;
      this.tell("tools");
    }
    undo() { if (this.state.undo && this.mayChange) return this.do("undo"); }
    redo() { if (this.state.redo && this.mayChange) return this.do("redo"); }
    async remove() {
      const { kind, id } = this.selected || {};
      if (!kind || !this.mayChange) return;
      const clips = this.state.clips;
      const index = clips.findIndex((clip) => clip.id === id);
      const op = { clip: "remove", sound: "remove_sound", caption: "remove_caption" }[kind];
      const next = kind === "clip" ? (clips[index + 1] || clips[index - 1])?.id : "";
      if ((await this.do(op, { [kind]: id })) && next) this.select("clip", next);
    }
    split(frame = Math.round(this.playhead), clip = this.layout.clipAt(frame)) {
      if (!clip || !this.mayChange) return;
      if (frame <= clip.at || frame >= clip.at + clip.length) return this.tell("note", T.say("note.blade.edge"));
      return this.do("split", { clip: clip.id, frame });
    }
    /* In and out of the selected clip at the playhead; its picture there is the first or the last one shown. */
    mark(edge) {
      const clip = this.current;
      if (!clip || !this.mayChange) return;
      const frame = Math.round(this.playhead);
      if (frame < clip.at || frame >= clip.at + clip.length) return this.tell("note", T.say("note.mark.outside"));
      const source = this.layout.sourceOf(clip, frame);
      return this.do("trim", { clip: clip.id, ...(edge === "start" ? { start: source } : { stop: source + 1 }) });
    }
    shift(by) {
      const clip = this.current;
      if (!clip || !this.mayChange) return;
      const place = () => this.state.clips.findIndex((each) => each.id === clip.id) + by;
      return this.do("move", () => ({ clip: clip.id, index: Math.min(Math.max(place(), 0), this.state.clips.length - 1) }));
    }
  };
})();
