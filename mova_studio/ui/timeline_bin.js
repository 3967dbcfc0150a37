/* The bin: takes and files that can be put on the timeline, by dragging, by Enter or by their button. */
(() => {
  const T = window.movaTimeline;
  const PAUSE_MS = 200;
  const BEGIN = 5; /* pixels before a press becomes a drag */

  T.Bin = class Bin {
    constructor(editor) {
      Object.assign(this, { editor, store: editor.store, takes: [], uploads: [], total: 0, turn: 0, search: "", listening: new T.Listening(editor.player) });
      this.field = T.h("input", {
        type: "search", class: "t-search", placeholder: T.say("bin.search"), "aria-label": T.say("bin.search"),
        input: () => {
          clearTimeout(this.pause);
          this.pause = setTimeout(() => this.find(), PAUSE_MS);
        },
      });
      this.cards = T.h("div", { class: "t-cards", role: "list", "aria-label": T.say("bin") });
      this.more = T.h("button", { type: "button", class: "m-link t-more", hidden: true, click: () => this.find(this.takes.length) }, T.say("bin.more"));
      this.wrong = T.h("p", { class: "m-error t-wrong", role: "alert", hidden: true });
      this.element = T.h(
        "section",
        { class: "m-panel t-bin", "aria-label": T.say("bin") },
        T.h("div", { class: "t-row t-between" }, T.h("h2", { class: "m-heading" }, T.say("bin")), (this.count = T.h("span", { class: "m-mono" }))),
        this.field,
        this.wrong,
        T.h("div", { class: "t-shelf" }, this.cards, this.more)
      );
      this.cards.addEventListener("pointerdown", (event) => this.down(event));
      this.cards.addEventListener("keydown", (event) => this.pressed(event));
      this.cards.addEventListener("click", (event) => this.clicked(event));
      this.cards.addEventListener("mouseover", (event) => this.hovered(event));
      this.cards.addEventListener("mouseout", (event) => this.left(event));
      const drop = editor.root;
      this.files = [
        ["dragover", (event) => this.carries(event) && (event.preventDefault(), drop.classList.add("t-receiving"))],
        ["dragleave", (event) => drop.contains(event.relatedTarget) || drop.classList.remove("t-receiving")],
        ["drop", (event) => this.dropped(event)],
      ];
      this.files.forEach(([name, listener]) => drop.addEventListener(name, listener));
      this.leave = [this.store.on("state", () => this.settle())];
      this.seen = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.find());
      this.seen.observe(this.element);
    }
    close() {
      this.leave.forEach((off) => off());
      this.files.forEach(([name, listener]) => this.editor.root.removeEventListener(name, listener));
      this.seen.disconnect();
    }

    async find(offset = 0) {
      clearTimeout(this.pause);
      const turn = ++this.turn;
      this.search = this.field.value.trim();
      let found;
      try {
        found = await this.store.server.timeline_takes({ search: this.search, offset });
        if (!offset && !this.search) this.uploads = (await this.store.server.timeline_list({})).uploads || [];
      } catch (error) {
        found = { error: { message: T.say("error.lost", { why: String(error?.message || error || "") }) } };
      }
      if (turn !== this.turn || !this.element.isConnected) return;
      this.wrong.hidden = !found.error;
      this.wrong.textContent = found.error?.message || "";
      if (found.error) return;
      this.takes = offset ? [...this.takes, ...found.takes] : found.takes;
      this.total = found.total ?? this.takes.length;
      this.show();
      this.awaitPosters(turn);
    }
    /* Posters and outlines that were not made in time come with a later answer. */
    awaitPosters(turn, left = 10) {
      const bare = (thing) => thing.url && ((thing.frames && !thing.poster) || !thing.peaks.length);
      if (!left || !(this.takes.some((take) => take.url && !take.poster) || this.uploads.some(bare))) return;
      setTimeout(async () => {
        if (turn !== this.turn || !T.inView(this.element)) return;
        const { server } = this.store;
        const found = await (this.search ? server.timeline_takes({ search: this.search, offset: 0 }) : server.timeline_list({})).catch(() => ({}));
        if (turn !== this.turn) return;
        for (const thing of [...(found.uploads || []), ...(found.takes || [])]) {
          const known = [...this.uploads, ...this.takes].find((each) => each.id === thing.id);
          if (!known) continue;
          const card = this.cards.querySelector(`[data-id="${CSS.escape(thing.id)}"]`);
          if (thing.poster && !known.poster) card?.querySelector("video").setAttribute("poster", thing.poster);
          if (thing.peaks.length && !known.peaks.length) card?.querySelector(".m-wave").replaceWith(T.wave(thing.peaks));
          Object.assign(known, { poster: thing.poster, peaks: thing.peaks });
        }
        this.awaitPosters(turn, left - 1);
      }, 1200);
    }
    show() {
      const focused = document.activeElement?.closest?.(".t-take")?.dataset.id;
      const files = this.search ? this.uploads.filter((each) => each.name.toLowerCase().includes(this.search.toLowerCase())) : this.uploads;
      const add = (card) => this.add(card);
      this.cards.replaceChildren(...files.map((file) => T.card(file, file.frames ? "upload" : "sound", add)), ...this.takes.map((take) => T.card(take, "take", add)));
      if (!this.cards.children.length)
        this.cards.append(T.h("div", { class: "t-none" }, T.h("h3", {}, T.say(this.search ? "bin.nomatch.title" : "bin.none.title")), T.h("p", {}, T.say(this.search ? "bin.nomatch.text" : "bin.none.text"))));
      this.count.textContent = this.total ? String(this.total) : "";
      this.more.hidden = this.takes.length >= this.total;
      if (focused) this.cards.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
      this.settle();
    }
    settle() {
      this.element.classList.toggle("t-locked", !this.store.mayChange);
    }

    /* At the end of the film; sound alone goes to the playhead on its own track. */
    async add(card, index) {
      const { store } = this;
      if (!store.mayChange) return store.tell("error", { message: store.state.read_only });
      const { id, kind } = card.dataset;
      if (kind === "sound") return this.addSound(id);
      const args = { [kind]: id, ...(index === undefined ? {} : { index }) };
      const made = await store.do("insert", args);
      if (made && store.clip) this.editor.tracks.item("clip", store.clip.id)?.element.scrollIntoView({ block: "nearest", inline: "nearest" });
      return made;
    }
    async addSound(id, at = Math.floor(this.store.playhead)) {
      const { store } = this;
      const free = store.state.sounds.some((sound) => at < sound.at + sound.length && sound.at <= at)
        ? Math.max(...store.state.sounds.map((sound) => sound.at + sound.length))
        : at;
      const before = new Set(store.state.sounds.map((sound) => sound.id));
      if (!(await store.do("add_sound", { upload: id, at: Math.ceil(free) }))) return;
      const made = store.state.sounds.find((sound) => !before.has(sound.id));
      if (made) store.select("sound", made.id);
      if (made) this.editor.tracks.focus("sound", made.id);
    }

    /* A file from elsewhere: it is sent to the library first, then put on the timeline. */
    async bring(file) {
      const { store } = this;
      const limit = Number(this.editor.root.dataset.uploadLimit) || Infinity;
      if (file.size > limit) {
        const words = { name: file.name, size: Math.ceil(file.size / 2 ** 20), limit: Math.floor(limit / 2 ** 20) };
        return store.tell("error", { message: T.say("error.large", words) });
      }
      store.tell("note", T.say("upload.going", { name: file.name }));
      try {
        const { path } = await this.editor.upload(file);
        const answer = await store.server.timeline_uploaded({ path, name: file.name });
        this.editor.said.clear("note");
        if (answer.error) return store.tell("error", answer.error);
        if (answer.clips) return store.take(answer);
        const { upload } = answer;
        if (upload.frames) await store.do("insert", { upload: upload.id });
        else await this.addSound(upload.id);
        this.find();
      } catch (error) {
        this.editor.said.clear("note");
        store.tell("error", { message: T.say("error.lost", { why: String(error?.message || error || "") }) });
      }
    }
    carries(event) { return this.store.mayChange && [...(event.dataTransfer?.types || [])].includes("Files"); }
    async dropped(event) {
      this.editor.root.classList.remove("t-receiving");
      if (!this.carries(event)) return;
      event.preventDefault();
      for (const file of [...event.dataTransfer.files]) await this.bring(file);
    }

    pressed(event) {
      const card = event.target.closest(".t-take");
      if (!card || event.target !== card) return;
      const cards = [...this.cards.querySelectorAll(".t-take")];
      const columns = cards.filter((other) => other.offsetTop === cards[0].offsetTop).length;
      const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
      if (event.key === "Enter" && !event.repeat) this.add(card);
      else if (event.key === " ") this.listening.toggle(card);
      else if (steps[event.key]) cards[cards.indexOf(card) + steps[event.key]]?.focus();
      else return;
      event.preventDefault();
    }

    clicked(event) {
      const card = event.target.closest(".t-poster")?.closest(".t-take");
      if (card && !event.target.closest("button")) this.listening.toggle(card);
    }
    hovered(event) {
      const card = event.target.closest(".t-take");
      if (card && !card.contains(event.relatedTarget) && !T.quiet.matches && !this.dragging) this.listening.begin(card);
    }
    left(event) {
      const card = event.target.closest(".t-take");
      if (card && !card.contains(event.relatedTarget)) this.listening.end(card);
    }

    /* A card is carried to the tracks; clips there make room. */
    down(event) {
      const card = event.target.closest(".t-take");
      if (event.button !== 0 || !card || event.target.closest("button") || !this.store.mayChange) return;
      const begin = { x: event.clientX, y: event.clientY };
      const { tracks } = this.editor;
      const sound = card.dataset.kind === "sound";
      let ghost = null;
      let room = null;
      let index;
      let frame = 0;
      let latest = event;
      const take = this.takes.find((each) => each.id === card.dataset.id) || this.uploads.find((each) => each.id === card.dataset.id);
      const step = () => {
        frame = 0;
        if (!ghost) return;
        ghost.style.transform = `translate(${latest.clientX + 10}px, ${latest.clientY + 10}px)`;
        const area = tracks.scroll.getBoundingClientRect();
        const over = latest.clientX >= area.left && latest.clientX <= area.right && latest.clientY >= area.top && latest.clientY <= area.bottom;
        tracks.element.classList.toggle("t-receiving", over);
        if (!over) {
          room?.close();
          room = index = undefined;
        } else if (sound) index = Math.max(0, Math.round(tracks.under(latest)));
        else {
          room ||= new T.Room(tracks, "", Math.max(1, Math.round(take.seconds * tracks.layout.rate)));
          index = room.open(tracks.under(latest));
        }
      };
      const move = (now) => {
        latest = now;
        if (!ghost && Math.hypot(now.clientX - begin.x, now.clientY - begin.y) >= BEGIN) {
          this.listening.end(card);
          this.dragging = true;
          ghost = T.h("div", { class: "t-ghost", "aria-hidden": "true" }, card.querySelector("p").textContent);
          document.querySelector(".gradio-container, body").append(ghost);
        }
        if (ghost) frame ||= requestAnimationFrame(step);
      };
      const end = async (dropped) => {
        removeEventListener("pointermove", move);
        removeEventListener("pointerup", up);
        removeEventListener("pointercancel", away);
        removeEventListener("keydown", escape, true);
        if (frame) {
          cancelAnimationFrame(frame);
          step();
        }
        ghost?.remove();
        const carried = !!ghost;
        ghost = null;
        this.dragging = false;
        tracks.element.classList.remove("t-receiving");
        if (carried && dropped && index !== undefined) await (sound ? this.addSound(card.dataset.id, index) : this.add(card, index));
        room?.close();
      };
      const up = () => end(true);
      const away = () => end(false);
      const escape = (pressed) => pressed.key === "Escape" && (pressed.stopPropagation(), end(false));
      addEventListener("pointermove", move);
      addEventListener("pointerup", up);
      addEventListener("pointercancel", away);
      addEventListener("keydown", escape, true);
      event.preventDefault();
      card.focus({ preventScroll: true });
    }
  };
})();
