/* Export: what the film becomes, how far that is, the file; and files for other programs. */
(() => {
  const T = window.movaTimeline;
  const ASK_MS = 500;
  const FILES = ["otio", "edl", "xml", "srt", "vtt", "folder"];

  T.Export = class Export {
    constructor(editor) {
      Object.assign(this, { editor, store: editor.store, preset: sessionStorage.getItem("mova-export") || "web", state: {}, known: "" });
      this.list = T.h("div", { class: "t-presets", role: "radiogroup", "aria-label": T.say("export.preset") });
      this.size = T.h("input", { type: "text", id: "t-export-size", spellcheck: "false", autocomplete: "off" });
      this.captions = T.h("select", { id: "t-export-captions" }, ["none", "burn", "files"].map((value) => T.h("option", { value }, T.say(`export.captions.${value}`))));
      this.wrong = T.h("p", { class: "m-error t-wrong", role: "alert", hidden: true });
      this.files = T.h(
        "div",
        { class: "t-row t-wrap", role: "group", "aria-label": T.say("export.files") },
        FILES.map((kind) => {
          const button = T.button(`file.${kind}`, () => this.file(kind, button));
          button.title = T.say(`file.${kind}.about`);
          return button;
        })
      );
      this.element = T.h(
        "div",
        { class: "t-export" },
        T.h(
          "div",
          { class: "t-pair" },
          T.h("div", { class: "t-field t-half" }, T.h("label", { for: "t-export-size" }, T.say("export.size")), this.size),
          T.h("div", { class: "t-field t-half" }, T.h("label", { for: "t-export-captions" }, T.say("export.captions")), this.captions)
        ),
        this.list,
        T.h("h3", { class: "m-heading" }, T.say("export.files")),
        this.files
      );
      this.button = T.h("button", { type: "button", class: "m-button t-primary t-export-go", click: () => this.pressed() });
      this.bar = T.h("i");
      this.words = T.h("span", { class: "m-words" });
      this.cancel = T.button("export.cancel", () => this.stop());
      this.progress = T.h("div", { class: "t-progress", hidden: true }, T.h("div", { class: "m-bar", role: "progressbar", "aria-label": T.say("export.progress"), "aria-valuemin": "0", "aria-valuemax": "100" }, this.bar), T.h("div", { class: "t-row t-between" }, this.words, this.cancel));
      this.done = T.h("div", { class: "t-done", role: "status" });
      this.closedWhy = T.h("p", { class: "m-hint", hidden: true });
      this.foot = T.h("div", { class: "t-foot" }, this.wrong, this.done, this.progress, this.closedWhy, this.button);
      this.leave = [this.store.on("state", () => this.settle())];
      this.ask();
    }
    close() {
      this.closed = true;
      clearTimeout(this.asking);
      this.leave.forEach((off) => off());
    }
    get chosen() {
      const { presets } = this.store.state;
      return presets.find((each) => each.id === this.preset) || presets[0];
    }
    get open() { return this.editor.inspector?.shown === "export"; }

    settle() {
      const { state, mayChange } = this.store;
      const key = JSON.stringify(state.presets);
      if (key !== this.known) {
        this.known = key;
        this.draw(state.presets);
      }
      const { chosen } = this;
      this.button.textContent = chosen ? T.say("export.go", { name: chosen.name }) : T.say("tab.export");
      const empty = !state.clips.length;
      this.button.disabled = !mayChange || empty || !chosen?.available || !!this.state.running;
      this.button.title = !mayChange ? state.read_only : empty ? T.say("export.empty") : "";
      this.button.hidden = !!this.state.running || !mayChange;
      this.closedWhy.textContent = mayChange ? "" : state.read_only;
      this.closedWhy.hidden = mayChange;
      this.cancel.hidden = !mayChange;
      this.done.hidden = !this.open && !this.began;
      this.size.placeholder = chosen?.size ? chosen.size.join("x") : `${state.width}x${state.height}`;
      const silent = chosen && chosen.picture === false;
      this.size.disabled = !mayChange || silent;
      this.captions.disabled = !mayChange;
      for (const button of this.files.children) button.disabled = empty || !mayChange;
    }
    draw(presets) {
      this.list.replaceChildren(
        ...presets.map((preset) =>
          T.h(
            "label",
            { class: "t-preset" },
            T.h("input", {
              type: "radio", name: "t-preset", value: preset.id, checked: preset.id === this.chosen.id, disabled: !preset.available,
              change: () => {
                this.preset = preset.id;
                sessionStorage.setItem("mova-export", preset.id);
                this.size.value = "";
                this.settle();
              },
            }),
            T.h("span", {}, T.h("b", {}, preset.name), T.h("small", {}, preset.about), preset.why ? T.h("small", { class: "m-note" }, preset.why) : null)
          )
        )
      );
    }
    say(message) {
      this.wrong.replaceChildren();
      this.wrong.hidden = !message;
      if (!message) return;
      this.wrong.append(T.h("span", {}, message), T.h("button", { type: "button", class: "m-cross", "aria-label": T.say("said.close"), click: () => this.say("") }, "×"));
    }

    /* Elsewhere the button leads here first: what it makes can be seen before it is made. */
    async pressed() {
      if (!this.open) {
        this.editor.inspector.show("export");
        this.list.querySelector("input:checked")?.focus();
        return;
      }
      this.say("");
      this.done.replaceChildren();
      const wish = { id: this.store.state.id, preset: this.chosen.id, captions: this.captions.value, ...(this.size.value.trim() ? { size: this.size.value.trim() } : {}) };
      const answer = await this.store.call("timeline_export", () => wish);
      if (answer.error) return this.say(answer.error.message);
      this.began = true;
      this.ask();
    }
    async stop() {
      const answer = await this.store.call("timeline_export_cancel", () => ({}));
      if (answer.error?.message) this.say(answer.error.message);
      this.ask();
    }
    async ask() {
      clearTimeout(this.asking);
      if (this.closed) return;
      let answer;
      try {
        answer = (await this.store.server.timeline_export_state({})) || {};
      } catch {
        answer = { ...this.state };
      }
      if (this.closed) return;
      this.state = answer;
      this.show(answer);
      if (answer.running) this.asking = setTimeout(() => this.ask(), ASK_MS);
    }
    show(answer) {
      this.progress.hidden = !answer.running;
      if (answer.running) {
        this.began = true;
        const percent = Math.round(100 * (answer.fraction || 0));
        this.bar.style.width = `${percent}%`;
        this.bar.parentElement.setAttribute("aria-valuenow", percent);
        this.words.textContent = [`${percent} %`, this.stage(answer)].filter(Boolean).join(" · ");
      }
      const error = answer.error?.message || answer.error;
      if (error) this.say(error);
      else if (answer.cancelled && this.began) this.done.replaceChildren(T.h("p", { class: "m-hint" }, T.say("export.cancelled")));
      if (answer.done) this.offer(answer.done);
      this.settle();
    }
    /* What is being done, and how long it still takes as soon as that is known. */
    stage({ fraction, stage, seconds_left: left }) {
      if (!fraction) return T.say("export.begins");
      if (stage === "sound" || stage === "done") return T.say("export.ends");
      return Number.isFinite(left) ? T.say("export.left", { time: T.clock(Math.max(left, 1)) }) : "";
    }
    offer(done) {
      const facts = [
        done.frames && T.say("export.frames", { count: done.frames }),
        Number.isFinite(done.seconds) && T.say("seconds", { s: done.seconds.toFixed(1) }),
        Number.isFinite(done.loudness) && `${done.loudness.toFixed(1).replace("-", "−")} LUFS`,
        Number.isFinite(done.true_peak) && `${done.true_peak.toFixed(1).replace("-", "−")} dBTP`,
      ].filter(Boolean);
      this.done.replaceChildren(
        T.h(
          "div",
          { class: "t-row t-between" },
          T.h("p", { class: "m-good" }, T.say("export.done")),
          T.h("button", { type: "button", class: "m-cross", "aria-label": T.say("said.close"), click: () => this.done.replaceChildren() }, "×")
        ),
        T.h("p", { class: "m-mono t-facts", title: facts.join(" · ") }, facts.join(" · ")),
        T.h(
          "div",
          { class: "t-row" },
          T.h("a", { class: "m-button", href: done.url, download: done.name, title: done.name }, T.say("export.download")),
          (done.caption_files || []).map((file) => T.h("a", { class: "m-link", href: file.url, download: file.name, title: file.name }, file.name.split(".").pop().toUpperCase()))
        )
      );
    }
    async file(kind, button) {
      this.say("");
      button.disabled = true;
      const answer = await this.store.call("timeline_files", () => ({ id: this.store.state.id, kind }));
      this.settle();
      if (answer.error) return this.say(answer.error.message);
      window.movaStudio.save(JSON.stringify({ url: answer.url, name: answer.name }));
      for (const note of answer.notes || []) this.store.tell("note", note);
    }
  };
})();
