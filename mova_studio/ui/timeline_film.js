/* The film itself: its name, size and rate, and the list of all timelines. */
(() => {
  const T = window.movaTimeline;
  const RATES = ["24", "25", "30", "48", "50", "60", "24000/1001", "30000/1001"];
  const asPair = (text) => (text.includes("/") ? text.split("/").map(Number) : [Number(text), 1]);

  T.Film = class Film {
    constructor(editor) {
      Object.assign(this, { editor, store: editor.store, box: null });
      this.leave = [this.store.on("state", () => this.settle())];
    }
    close() {
      this.leave.forEach((off) => off());
      this.shut();
    }
    toggle() { this.box ? this.shut() : this.open(); }

    open() {
      const { store } = this;
      const { button } = this;
      this.wrong = T.h("p", { class: "m-error t-wrong", role: "alert", hidden: true });
      this.name = T.h("input", { type: "text", maxlength: "200", id: "t-film-name", dir: "auto", change: () => this.set({ name: this.name.value.trim() }) });
      this.width = T.h("input", { type: "number", min: "16", max: "8192", step: "2", "aria-label": T.say("film.width"), change: () => this.set({ width: Number(this.width.value), height: Number(this.height.value) }) });
      this.height = T.h("input", { type: "number", min: "16", max: "8192", step: "2", "aria-label": T.say("film.height"), change: () => this.set({ width: Number(this.width.value), height: Number(this.height.value) }) });
      this.rate = T.h("select", { id: "t-film-rate", change: () => this.set({ frame_rate: asPair(this.rate.value) }) });
      this.list = T.h("ul", { class: "t-films", "aria-label": T.say("films") });
      this.make = T.button("films.new", () => this.begin(), { icon: "plus", text: true });
      this.box = T.h(
        "div",
        {
          class: "t-pop t-filmform", role: "dialog", "aria-label": T.say("film.title"),
          keydown: (event) => {
            if (event.key !== "Escape") return;
            event.stopPropagation();
            this.shut();
            button.focus();
          },
        },
        T.h("div", { class: "t-row t-between" }, T.h("b", {}, T.say("film.title")), T.h("button", { type: "button", class: "m-cross", "aria-label": T.say("close"), click: () => (this.shut(), button.focus()) }, "×")),
        T.h("div", { class: "t-field" }, T.h("label", { for: "t-film-name" }, T.say("film.name")), this.name),
        T.h(
          "div",
          { class: "t-pair" },
          T.h("div", { class: "t-field" }, T.h("span", { class: "t-label" }, T.say("film.size")), T.h("div", { class: "t-size" }, this.width, "×", this.height)),
          T.h("div", { class: "t-field" }, T.h("label", { for: "t-film-rate" }, T.say("film.rate")), this.rate)
        ),
        this.wrong,
        T.h("div", { class: "t-row t-between" }, T.h("h3", { class: "m-heading" }, T.say("films")), this.make),
        this.list
      );
      this.editor.viewer.element.append(this.box);
      this.settle();
      this.look();
      (store.mayChange ? this.name : this.box.querySelector("button")).focus();
      this.outside = (event) => this.box?.contains(event.target) || event.target.closest?.(".t-film-name") || this.shut();
      document.addEventListener("pointerdown", this.outside);
      button.setAttribute("aria-expanded", "true");
    }
    get button() { return this.editor.viewer.filmButton; }
    shut() {
      if (!this.box) return;
      document.removeEventListener("pointerdown", this.outside);
      this.box.remove();
      this.box = null;
      this.button.removeAttribute("aria-expanded");
    }
    settle() {
      if (!this.box) return;
      const { state, mayChange } = this.store;
      const put = (input, value) => document.activeElement !== input && (input.value = value);
      put(this.name, state.name);
      put(this.width, state.width);
      put(this.height, state.height);
      const now = state.rate[1] === 1 ? String(state.rate[0]) : state.rate.join("/");
      const rates = RATES.includes(now) ? RATES : [now, ...RATES];
      const words = (rate) => `${+(asPair(rate)[0] / asPair(rate)[1]).toFixed(3)} ${T.say("fps")}`;
      this.rate.replaceChildren(...rates.map((rate) => T.h("option", { value: rate, selected: rate === now }, words(rate))));
      for (const input of [this.name, this.width, this.height, this.rate, this.make]) input.disabled = !mayChange;
    }
    say(message) {
      if (!this.box) return message && this.store.tell("error", { message });
      this.wrong.textContent = message;
      this.wrong.hidden = !message;
    }
    set(args) {
      this.say("");
      return this.store.do("film", args, (error) => this.say(error.message));
    }

    async look() {
      const answer = await this.store.call("timeline_list", () => ({}));
      if (!this.box) return;
      answer.error ? this.say(answer.error.message) : this.show(answer.timelines);
    }
    show(timelines) {
      this.list.replaceChildren(...timelines.map((each) => this.entry(each)));
      /* Escape closes the form as long as the focus is in it. */
      if (document.activeElement === document.body) (this.list.querySelector("[aria-current]") || this.box.querySelector("button")).focus();
      if (!timelines.length) this.list.append(T.h("li", { class: "m-hint" }, T.say("films.none")));
    }
    entry(each) {
      const { store } = this;
      const here = each.id === store.state.id;
      const name = each.name || T.say("untitled");
      const facts = each.fault || [T.say("films.clips", { count: each.clips }), T.say("seconds", { s: each.seconds.toFixed(1) })].join(" · ");
      const open = T.h(
        "button",
        { type: "button", class: "t-entry", title: T.say("films.changed", { when: new Date(each.changed).toLocaleString(document.documentElement.lang || undefined) }), "aria-current": here ? "true" : null, disabled: !!each.fault, click: () => this.go(each.id) },
        T.h("span", { dir: "auto" }, name),
        T.h("small", { class: each.fault ? "m-error" : "" }, facts)
      );
      const rename = T.button("films.rename", () => this.rename(each, line));
      const remove = T.button("films.delete", () => this.remove(each));
      for (const button of [rename, remove]) {
        button.className = "m-link";
        button.setAttribute("aria-label", `${button.textContent}: ${name}`);
      }
      const line = T.h("li", {}, open, store.mayChange ? T.h("span", { class: "t-row" }, each.fault ? null : rename, remove) : null);
      return line;
    }
    async go(id) {
      if (await this.store.open(id)) this.shut();
    }
    async begin() {
      const answer = await this.store.call("timeline_new", () => ({ name: "" }));
      if (answer.error) return this.say(answer.error.message);
      this.store.playhead = 0;
      this.store.selected = null;
      this.store.take(answer);
      this.look();
      this.name.focus();
      this.name.select();
    }
    rename(each, line) {
      const field = T.h("input", { type: "text", maxlength: "200", "aria-label": T.say("films.rename") });
      field.value = each.name;
      let over = false;
      const end = async (keep) => {
        if (over) return;
        over = true;
        const name = field.value.trim();
        if (!keep || !name || name === each.name) return this.look();
        const answer = await this.store.call("timeline_rename", () => ({ id: each.id, name }));
        if (answer.error) this.say(answer.error.message);
        if (each.id === this.store.state.id) await this.store.open(each.id);
        this.look();
      };
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter") end(true);
        else if (event.key === "Escape") {
          event.stopPropagation();
          end(false);
        }
      });
      field.addEventListener("blur", () => end(true));
      line.replaceChildren(field);
      field.focus();
      field.select();
    }
    async remove(each) {
      const answer = await this.store.call("timeline_delete", () => ({ id: each.id }));
      if (answer.error) return this.say(answer.error.message);
      if (each.id === this.store.state.id) await this.store.open("");
      this.show(answer.timelines);
      const back = T.button("films.restore", async () => {
        const restored = await this.store.call("timeline_restore", () => ({ id: answer.undo }));
        if (restored.error) return this.say(restored.error.message);
        this.store.take(restored);
        this.look();
      });
      back.className = "m-link";
      this.list.prepend(T.h("li", { class: "t-deleted" }, T.h("span", {}, T.say("films.deleted", { name: each.name || T.say("untitled") })), back));
      back.focus();
    }
  };
})();
