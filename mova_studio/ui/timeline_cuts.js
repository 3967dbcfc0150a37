/* Marks on the cuts, and the small form that sets how one clip follows another. */
(() => {
  const T = window.movaTimeline;
  const KINDS = ["cut", "dissolve", "black", "white"];
  const USUAL = 12; /* frames of a transition that is new */
  const ROOM = 34; /* pixels that a mark needs to itself */

  T.Cuts = class Cuts {
    constructor(editor, tracks) {
      Object.assign(this, { editor, tracks, store: editor.store, marks: new Map() });
      this.layer = T.h("div", { class: "t-cuts", role: "group", "aria-label": T.say("lane.cuts") });
      tracks.lanes.clip.after(this.layer);
    }
    renewed() {
      const clips = this.store.state.clips.slice(1);
      const wanted = new Set(clips.map((clip) => clip.id));
      for (const [id, mark] of this.marks)
        if (!wanted.has(id)) {
          mark.button.remove();
          mark.blend.remove();
          this.marks.delete(id);
        }
      clips.forEach((clip, index) => {
        let mark = this.marks.get(clip.id);
        if (!mark) {
          const blend = T.h("span", { class: "t-blend" });
          const button = T.h("button", { type: "button", class: "t-cut", data: { cut: clip.id }, click: () => this.open(clip.id) });
          mark = { button, blend };
          this.marks.set(clip.id, mark);
          this.layer.append(blend, button);
        }
        mark.clip = clip;
        mark.before = this.store.state.clips[index];
        const kind = clip.transition?.kind || "cut";
        const frames = clip.transition?.frames || 0;
        mark.button.dataset.kind = kind;
        mark.blend.dataset.kind = kind;
        const words = T.say(kind === "cut" ? "cut.label" : "cut.label.long", { kind: T.say(`cut.${kind}`), frames, at: T.timecode(clip.at, this.tracks.layout.rate) });
        mark.button.title = words;
        mark.button.setAttribute("aria-label", words);
      });
      if (this.shown && !wanted.has(this.shown)) this.close();
      else if (this.shown) this.settle();
    }
    place() {
      for (const { clip, before, button, blend } of this.marks.values()) {
        const { transition, overlap } = clip;
        const half = transition && !overlap ? Math.floor(transition.frames / 2) : 0;
        const from = this.tracks.x(clip.at - half);
        const wide = transition ? transition.frames * this.tracks.pixels : 0;
        blend.style.transform = `translateX(${from}px)`;
        blend.style.width = `${wide}px`;
        blend.hidden = !transition;
        button.style.transform = `translateX(${overlap ? from + wide / 2 : this.tracks.x(clip.at)}px)`;
        const narrow = Math.min(clip.length, before.length) * this.tracks.pixels < ROOM;
        button.classList.toggle("t-tight", narrow);
        button.tabIndex = narrow && kindless(clip) ? -1 : 0;
      }
      if (this.shown) this.where();
    }

    open(id) {
      this.close();
      const { button, clip } = this.marks.get(id);
      this.shown = id;
      const name = `cut-${id}`;
      this.kinds = KINDS.map((kind) =>
        T.h(
          "label",
          { class: "t-choice" },
          T.h("input", { type: "radio", name, value: kind, disabled: !this.store.mayChange, change: () => this.apply() }),
          T.h("span", {}, T.say(`cut.${kind}`))
        )
      );
      this.frames = T.h("input", { type: "number", min: "1", step: "1", disabled: !this.store.mayChange, change: () => this.apply() });
      this.seconds = T.h("span", { class: "m-mono" });
      this.error = T.h("p", { class: "t-wrong m-error", role: "alert", hidden: true });
      this.box = T.h(
        "div",
        {
          class: "t-pop t-cutform", role: "dialog", "aria-label": T.say("cut.title"),
          keydown: (event) => {
            if (event.key !== "Escape") return;
            event.stopPropagation();
            this.close();
            button.focus();
          },
        },
        T.h("div", { class: "t-row t-between" }, T.h("b", {}, T.say("cut.title")), T.h("button", { type: "button", class: "m-cross", "aria-label": T.say("close"), click: () => (this.close(), button.focus()) }, "×")),
        T.h("div", { class: "t-kinds", role: "radiogroup", "aria-label": T.say("cut.title") }, this.kinds),
        T.h("label", { class: "t-inline" }, T.say("cut.frames"), this.frames, this.seconds),
        this.error
      );
      this.tracks.element.append(this.box);
      this.usual = Math.max(1, Math.min(USUAL, Math.floor(Math.min(clip.length, this.marks.get(id).before.length) / 2)));
      this.settle();
      this.where();
      this.box.querySelector("input:checked").focus();
      this.outside = (event) => this.box?.contains(event.target) || event.target.closest?.(".t-cut") || this.close();
      document.addEventListener("pointerdown", this.outside);
    }
    settle() {
      const { clip } = this.marks.get(this.shown);
      const kind = clip.transition?.kind || "cut";
      this.box.querySelector(`input[value=${kind}]`).checked = true;
      if (document.activeElement !== this.frames) this.frames.value = clip.transition?.frames || this.usual;
      this.frames.disabled = kind === "cut" || !this.store.mayChange;
      this.seconds.textContent = kind === "cut" ? "" : T.say("seconds", { s: (clip.transition.frames / this.tracks.layout.rate).toFixed(2) });
    }
    where() {
      const { button } = this.marks.get(this.shown);
      const mark = button.getBoundingClientRect();
      const area = this.tracks.element.getBoundingClientRect();
      const x = Math.min(Math.max(mark.left + mark.width / 2 - area.left - this.box.offsetWidth / 2, 4), area.width - this.box.offsetWidth - 4);
      this.box.style.left = `${x}px`;
      this.box.style.bottom = `${area.bottom - mark.top + 10}px`;
    }
    apply() {
      const kind = this.box.querySelector("input:checked").value;
      const frames = Math.max(1, Math.round(Number(this.frames.value)) || this.usual);
      this.error.hidden = true;
      const wrong = (error) => {
        if (!this.box) return this.store.tell("error", error);
        this.error.textContent = error.message;
        this.error.hidden = false;
      };
      this.store.do("transition", { clip: this.shown, kind, frames: kind === "cut" ? 0 : frames }, wrong);
    }
    close() {
      if (!this.box) return;
      document.removeEventListener("pointerdown", this.outside);
      this.box.remove();
      this.box = null;
      this.shown = "";
    }
  };
  const kindless = (clip) => !clip.transition;
})();
