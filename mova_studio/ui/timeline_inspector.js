/* The inspector: what is selected in fields that act when they are left, and the way to the export. */
(() => {
  const T = window.movaTimeline;
  const SAMPLES = 48000;

  T.Inspector = class Inspector {
    constructor(editor) {
      Object.assign(this, { editor, store: editor.store, key: "", fields: [], levels: new Map() });
      this.export = new T.Export(editor);
      this.tabs = ["clip", "export"].map((name) =>
        T.h("button", { type: "button", role: "tab", id: `t-tab-${name}`, "aria-controls": `t-panel-${name}`, data: { name }, click: () => this.show(name), keydown: (event) => this.arrows(event) }, T.say(`tab.${name}`))
      );
      this.wrong = T.h("p", { class: "m-error t-wrong", role: "alert", hidden: true });
      this.place = T.h("div", { class: "t-fields" });
      this.panels = {
        clip: T.h("div", { id: "t-panel-clip", class: "t-panel", role: "tabpanel", "aria-labelledby": "t-tab-clip" }, this.place, this.wrong),
        export: T.h("div", { id: "t-panel-export", class: "t-panel", role: "tabpanel", "aria-labelledby": "t-tab-export", hidden: true }, this.export.element),
      };
      this.element = T.h(
        "section",
        { class: "m-panel t-inspector", "aria-label": T.say("inspector") },
        T.h("div", { class: "t-tabs", role: "tablist", "aria-label": T.say("inspector") }, this.tabs, T.h("button", { type: "button", class: "m-cross t-drawer-close", "aria-label": T.say("close"), click: () => this.toggle(false) }, "×")),
        ...Object.values(this.panels),
        this.export.foot
      );
      this.leave = [this.store.on("selection", () => this.renewed()), this.store.on("state", () => this.renewed()), this.store.on("done", () => this.right())];
      this.show("clip");
    }
    close() {
      this.leave.forEach((off) => off());
      this.export.close();
    }
    show(name) {
      this.shown = name;
      for (const tab of this.tabs) {
        const chosen = tab.dataset.name === name;
        tab.setAttribute("aria-selected", String(chosen));
        tab.tabIndex = chosen ? 0 : -1;
        this.panels[tab.dataset.name].hidden = !chosen;
      }
      this.export.settle();
    }
    arrows(event) {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      event.preventDefault();
      const next = this.tabs.find((tab) => tab !== event.target);
      this.show(next.dataset.name);
      next.focus();
    }
    toggle(open = !this.element.classList.contains("t-open")) {
      this.element.classList.toggle("t-open", open);
      this.editor.viewer.drawer.setAttribute("aria-pressed", String(open));
      if (!open) this.editor.viewer.drawer.focus();
    }
    focus(field) {
      this.show("clip");
      if (!T.inView(this.element)) this.toggle(true);
      const input = this.fields.find((each) => each.name === field)?.input || this.fields[0]?.input;
      input?.focus();
      input?.select?.();
    }

    renewed() {
      const thing = this.store.thing();
      const key = thing ? `${this.store.selected.kind} ${thing.id} ${thing.kind || ""}` : "";
      if (key !== this.key || !this.place.firstChild) {
        this.key = key;
        this.fields = [];
        this.wrong.hidden = true;
        const kind = thing ? (thing.kind === "title" ? "title" : this.store.selected.kind) : "";
        this.place.replaceChildren(...(kind ? this[`draw_${kind}`](thing) : this.teach()));
      }
      for (const field of this.fields) field.settle(this.store.thing());
      for (const element of this.place.querySelectorAll("input, select, textarea, button")) element.disabled = !this.store.mayChange || element.dataset.never === "yes";
    }
    teach() {
      const { state } = this.store;
      const keys = ["space", "jkl", "arrows", "io", "b", "undo", "delete", "alt"];
      return [
        T.h("p", { class: "m-hint" }, T.say(state.clips.length ? "inspector.none" : "inspector.empty")),
        T.h("h3", { class: "m-heading" }, T.say("keys")),
        T.h("dl", { class: "t-keys" }, keys.flatMap((key) => [T.h("dt", {}, T.say(`keys.${key}`)), T.h("dd", {}, T.say(`keys.${key}.does`))])),
      ];
    }

    /* A field: `get` reads what it shows, `set` sends what was typed; null from `read` is said where it stands. */
    field(name, input, get, set, { wide = true, suffix = "" } = {}) {
      input.setAttribute("id", `t-field-${name}`);
      input.addEventListener("change", () => set(input));
      input.addEventListener("keydown", (event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          this.settleOne(input);
          input.blur();
        } else if (event.key === "Enter" && input.tagName === "INPUT") input.blur();
      });
      const settle = (thing) => {
        if (!thing || document.activeElement === input || input.hasAttribute("aria-invalid")) return;
        if (input.type === "checkbox") input.checked = get(thing);
        else input.value = get(thing);
      };
      this.fields.push({ name, input, settle });
      const label = T.h("label", { for: input.id }, T.say(`field.${name}`));
      if (input.type === "checkbox") return T.h("div", { class: "t-check" }, input, label);
      return T.h("div", { class: `t-field${wide ? "" : " t-half"}` }, label, suffix ? T.h("div", { class: "t-suffixed" }, input, T.h("span", {}, suffix)) : input);
    }
    settleOne(input) {
      const thing = this.store.thing();
      const field = this.fields.find((each) => each.input === input);
      input.removeAttribute("aria-invalid");
      this.say("");
      input.blur();
      field?.settle(thing);
    }
    /* Something was done: what was wrong before is over, and fields show what is. */
    right() {
      const wrong = this.fields.filter((field) => field.input?.hasAttribute("aria-invalid"));
      if (this.wrong.hidden && !wrong.length) return;
      this.say("");
      for (const field of wrong) field.input.removeAttribute("aria-invalid");
      this.renewed();
    }
    /* It stands under the field that it is about. */
    say(message, input = null) {
      if (message) (input?.closest(".t-fields > *") || this.place.lastChild).after(this.wrong);
      this.wrong.textContent = message;
      this.wrong.hidden = !message;
    }
    async send(op, args, input) {
      this.say("");
      input?.removeAttribute("aria-invalid");
      const id = this.store.selected?.id;
      const kind = op === "change_title" ? "clip" : op === "trim" ? "clip" : op;
      const wrong = (error) => {
        this.say(error.message, input);
        input?.setAttribute("aria-invalid", "true");
      };
      return this.store.do(op, { [kind]: id, ...args }, wrong);
    }
    number(attributes) { return T.h("input", { type: "number", ...attributes }); }
    options(values, words) { return T.h("select", {}, values.map((value) => T.h("option", { value }, words(value)))); }
    pair(...fields) { return T.h("div", { class: "t-pair" }, ...fields); }

    /* In and out as timecodes of the source. */
    edge(edge) {
      const { layout } = this.store;
      const input = T.h("input", { type: "text", class: "t-code", inputmode: "numeric", spellcheck: "false", autocomplete: "off" });
      const last = edge === "stop" ? 1 : 0; /* shown is the last frame that is seen */
      const get = (clip) => T.timecode(clip[edge] - last, layout.sourceRate(clip));
      return this.field(edge === "start" ? "in" : "out", input, get, () => {
        const clip = this.store.thing();
        const frames = T.framesOf(input.value, this.store.layout.sourceRate(clip));
        if (frames === null) {
          input.setAttribute("aria-invalid", "true");
          return this.say(T.say("error.timecode", { text: input.value }), input);
        }
        this.send("trim", { [edge]: frames + last }, input);
      }, { wide: false });
    }
    level(op, { muting = true } = {}) {
      const slider = T.h("input", { type: "range", min: "-40", max: "12", step: "0.5" });
      const shown = T.h("output", { class: "m-mono" });
      const words = (value) => (shown.textContent = T.decibels(Number(value)));
      slider.addEventListener("input", () => words(slider.value));
      const { levels } = this;
      /* While it is muted, the slider keeps the level that it comes back with. */
      this.fields.push({ settle: (thing) => thing && thing.gain_db !== null && levels.set(thing.id, thing.gain_db) });
      const get = (thing) => {
        const level = levels.get(thing.id) ?? 0;
        words(level);
        return level;
      };
      const field = this.field("level", slider, get, () => this.send(op, { gain_db: Number(slider.value) }, slider));
      field.querySelector("label").append(shown);
      if (!muting) return field;
      const mute = T.h("input", { type: "checkbox" });
      const check = this.field("mute", mute, (thing) => thing.gain_db === null, () => this.send(op, { gain_db: mute.checked ? null : Number(slider.value) }, mute));
      return T.h("div", { class: "t-leveled" }, field, check);
    }
    fades(op) {
      return this.pair(
        ...["fade_in", "fade_out"].map((name) => {
          const input = this.number({ min: "0", step: "0.1" });
          const get = (thing) => String(Math.round((thing[name] / SAMPLES) * 1000) / 1000);
          return this.field(name, input, get, () => this.send(op, { [name]: Math.max(0, Math.round(Number(input.value) * SAMPLES)) }, input), { wide: false, suffix: T.say("unit.seconds") });
        })
      );
    }

    draw_clip(clip) {
      const speed = this.number({ min: "0.5", max: "2", step: "0.05" });
      const fit = this.options(["letterbox", "crop"], (value) => T.say(`fit.${value}`));
      const focus = ["focus_x", "focus_y"].map((name) => {
        const slider = T.h("input", { type: "range", min: "0", max: "1", step: "0.01" });
        slider.addEventListener("input", () => this.editor.player.decks.forEach((deck) => {
          if (deck.clip?.id === this.store.selected?.id) deck.video.style.objectPosition = name === "focus_x" ? `${slider.value * 100}% ${this.store.thing().focus_y * 100}%` : `${this.store.thing().focus_x * 100}% ${slider.value * 100}%`;
        }));
        return this.field(name, slider, (thing) => thing[name], () => this.send("clip", { [name]: Number(slider.value) }, slider), { wide: false });
      });
      const focused = this.pair(...focus);
      const fitted = T.h("p", { class: "m-hint" });
      const match = T.h("input", { type: "checkbox" });
      const parts = [
        this.headline(clip.name, clip.missing),
        this.pair(this.edge("start"), this.edge("stop")),
        this.pair(
          this.field("speed", speed, (thing) => thing.speed, () => this.send("clip", { speed: Number(speed.value) }, speed), { wide: false, suffix: "×" }),
          this.field("fit", fit, (thing) => thing.fit, () => this.send("clip", { fit: fit.value }, fit), { wide: false })
        ),
        fitted,
        focused,
        this.level("clip"),
        this.fades("clip"),
        this.field("match", match, (thing) => thing.match_colour, () => this.send("clip", { match_colour: match.checked }, match)),
        this.replace(clip),
        this.acts(),
      ];
      this.fields.push({
        settle: (thing) => {
          fitted.textContent = thing?.fitted || "";
          focused.hidden = thing?.fit !== "crop";
        },
      });
      return parts;
    }
    headline(name, missing) {
      return T.h("div", {}, T.h("h3", { class: "m-title2 t-name", dir: "auto" }, name), missing ? T.h("p", { class: "m-error" }, missing) : null);
    }
    acts() {
      const { store } = this;
      return T.h(
        "div",
        { class: "t-row t-wrap" },
        T.button("duplicate", () => store.do("duplicate", { clip: store.selected.id })),
        T.button("remove", () => store.remove())
      );
    }
    /* Another take of the same shot in this one's place. */
    replace(clip) {
      const list = T.h("div", { class: "t-others" });
      const button = T.button("replace", async () => {
        button.setAttribute("aria-expanded", "true");
        this.wrong.hidden = true;
        list.replaceChildren(T.h("p", { class: "m-hint" }, "…"));
        const answer = await this.store.server.timeline_others({ take: clip.take }).catch((error) => ({ error: { message: String(error?.message || error || "") } }));
        if (answer.error) return list.replaceChildren(T.h("p", { class: "m-error" }, answer.error.message));
        if (!answer.takes.length) return list.replaceChildren(T.h("p", { class: "m-hint" }, T.say("replace.none")));
        list.replaceChildren(
          ...answer.takes.map((take) =>
            T.h("button", { type: "button", class: "t-other", title: take.name, "aria-label": T.say("replace.by", { name: take.name }), click: () => this.store.do("replace", { clip: clip.id, take: take.id }, (error) => this.say(error.message)) },
              take.poster ? T.h("img", { src: take.poster, alt: "" }) : T.icon("title"), T.h("span", {}, take.seed !== undefined ? T.say("seed", { seed: take.seed }) : take.name))
          )
        );
        list.scrollIntoView({ block: "nearest" });
        list.firstChild.focus({ preventScroll: true });
      });
      button.hidden = !clip.take;
      return T.h("div", { class: "t-replace" }, button, list);
    }

    draw_title() {
      const { layout } = this.store;
      const text = T.h("textarea", { rows: "3", maxlength: "1000", dir: "auto" });
      const seconds = this.number({ min: "0.1", step: "0.1" });
      const colours = ["ink", "ground"].map((name) => {
        const input = T.h("input", { type: "color" });
        return this.field(name, input, (thing) => thing[name], () => this.send("change_title", { [name]: input.value }, input), { wide: false });
      });
      return [
        this.headline(T.say("title.headline"), ""),
        this.field("text", text, (thing) => thing.text, () => this.send("change_title", { text: text.value }, text)),
        this.pair(this.field("length", seconds, (thing) => String(+(thing.length / layout.rate).toFixed(3)), () => this.send("change_title", { frames: Math.max(1, Math.round(Number(seconds.value) * this.store.layout.rate)) }, seconds), { wide: false, suffix: T.say("unit.seconds") })),
        this.pair(...colours),
        this.acts(),
      ];
    }
    draw_sound(sound) {
      const role = this.options(["music", "voice"], (value) => T.say(`role.${value}`));
      const duck = this.number({ min: "-60", max: "0", step: "1" });
      const ducked = this.field("duck", duck, (thing) => thing.duck_db, () => this.send("sound", { duck_db: Number(duck.value) }, duck), { wide: false, suffix: "dB" });
      this.fields.push({ settle: (thing) => (ducked.hidden = thing?.role !== "music") });
      return [
        this.headline(sound.name, sound.missing),
        this.pair(this.field("role", role, (thing) => thing.role, () => this.send("sound", { role: role.value }, role), { wide: false }), ducked),
        this.level("sound", { muting: false }),
        this.fades("sound"),
        T.h("div", { class: "t-row" }, T.button("remove", () => this.store.remove())),
      ];
    }
    draw_caption() {
      const { tracks } = this.editor;
      const text = T.h("textarea", { rows: "3", maxlength: "1000", dir: "auto" });
      const codes = [["at", "start", 0], ["end", "stop", 1]].map(([name, edge]) => {
        const input = T.h("input", { type: "text", class: "t-code", inputmode: "numeric", autocomplete: "off" });
        const get = (thing) => T.timecode(thing.at + (edge === "stop" ? thing.length : 0), tracks.layout.rate);
        return this.field(name, input, get, () => {
          const { layout } = this.store;
          const thing = this.store.thing();
          const clip = layout.clips.find((each) => each.id === thing.clip);
          const frames = T.framesOf(input.value, layout.rate);
          if (frames === null) return this.say(T.say("error.timecode", { text: input.value }), input);
          this.send("caption", { [edge]: Math.max(0, clip.start + Math.round((frames - clip.at) * layout.pace(clip))) }, input);
        }, { wide: false });
      });
      return [
        this.headline(T.say("caption.headline"), ""),
        this.field("text", text, (thing) => thing.text, () => this.send("caption", { text: text.value }, text)),
        this.pair(...codes),
        T.h("div", { class: "t-row" }, T.button("remove", () => this.store.remove())),
      ];
    }
  };
})();
