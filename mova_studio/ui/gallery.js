/* The Gallery: keys that move through the grid and act on takes, marks for Compare, the large view. */
(() => {
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable=true]");
  const plain = (event) => !(event.ctrlKey || event.metaKey || event.altKey);
  const dialogOpen = () => document.querySelector("dialog[open]");
  const STAR_PAUSE_MS = 250;
  const SEARCH_PAUSE_MS = 200;
  let grid = null;
  let large = null;

  /* What writes into fields has an event of its own, so that nothing else touches them. */
  const EVENTS = { reuse: "submit", clear: "clear" };
  const send = (trigger, act, id = "", value = "") => trigger(EVENTS[act] || "select", { act, id, value });

  /* Buttons with data-act; those that ask first show what they would do. */
  const clicks = (element, trigger) => {
    element.addEventListener("click", (event) => {
      const asks = event.target.closest("[data-ask], [data-keep]");
      if (asks) {
        const box = asks.closest(".m-asks");
        const asking = "ask" in asks.dataset;
        box.querySelector("[data-ask]").hidden = asking;
        box.querySelector(".m-sure").hidden = !asking;
        box.querySelector(asking ? "[data-keep]" : "[data-ask]").focus();
        return;
      }
      const button = event.target.closest("[data-act]");
      if (button && element.contains(button)) send(trigger, button.dataset.act, button.dataset.id);
    });
  };

  /* Stars are shown at once; what is kept is the last of several quick presses. */
  const waiting = new Map();
  const rate = (trigger, id, stars) => {
    for (const holder of document.querySelectorAll(`[data-id="${CSS.escape(id)}"]:is(.m-take, dialog)`)) {
      holder.dataset.stars = stars;
      holder.querySelectorAll("[data-star]").forEach((button) => {
        button.textContent = Number(button.dataset.star) <= stars ? "★" : "☆";
      });
    }
    clearTimeout(waiting.get(id));
    waiting.set(id, setTimeout(() => send(trigger, "star", id, String(stars)), STAR_PAUSE_MS));
  };
  const rateByKey = (trigger, holder, key) => {
    if (!holder.querySelector("[data-star]")) return false;
    if (key !== "." && !(key >= "0" && key <= "5")) return false;
    const stars = Number(holder.dataset.stars);
    rate(trigger, holder.dataset.id, key === "." ? (stars + 1) % 6 : Number(key));
    return true;
  };
  const rateByClick = (trigger, event) => {
    const button = event.target.closest("[data-star]");
    if (!button) return false;
    const chosen = Number(button.dataset.star);
    const holder = button.closest(".m-take, dialog");
    rate(trigger, button.dataset.id, chosen === Number(holder.dataset.stars) ? 0 : chosen);
    return true;
  };

  class Grid {
    constructor(element, trigger, server) {
      Object.assign(this, { element, trigger, server, marked: [], lastId: "", lastIndex: -1 });
      this.seen = new IntersectionObserver((entries) => this.fetchPosters(entries), { rootMargin: "300px" });
      element.addEventListener("click", (event) => this.clicked(event));
      element.addEventListener("dblclick", (event) => {
        const card = event.target.closest(".m-thumb") && event.target.closest(".m-take");
        if (card) this.send("open", card);
      });
      element.addEventListener("focusin", (event) => {
        const card = event.target.closest(".m-take");
        this.lastId = card?.dataset.id || "";
        this.lastIndex = card ? this.cards().indexOf(card) : -1;
      });
      document.addEventListener("keydown", (event) => this.pressed(event));
    }
    cards() { return [...this.element.querySelectorAll(".m-take")]; }
    find(id) { return this.cards().find((card) => card.dataset.id === id); }
    send(act, card) { send(this.trigger, act, card.dataset.id); }

    clicked(event) {
      if (rateByClick(this.trigger, event)) return;
      const button = event.target.closest("[data-act], [data-unmark]");
      if (!button) return;
      if (button.dataset.act === "clear") document.querySelector("#gallery-search input").value = "";
      if ("unmark" in button.dataset) this.mark(null);
      else if (button.dataset.act === "mark") this.mark(button.closest(".m-take"));
      else send(this.trigger, button.dataset.act, button.dataset.id);
    }

    /* Written anew: posters, marks and the focus are brought back. */
    renewed() {
      this.seen.disconnect();
      this.element.querySelectorAll("video[data-unposted]").forEach((video) => this.seen.observe(video));
      this.marked = this.marked.filter((id) => this.find(id));
      this.showMarks();
      if (this.lastIndex >= 0 && document.activeElement === document.body && !dialogOpen()) this.refocus();
    }
    refocus() {
      const cards = this.cards();
      (this.find(this.lastId) || cards[Math.min(Math.max(this.lastIndex, 0), cards.length - 1)])?.focus();
    }

    async fetchPosters(entries) {
      const videos = entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target);
      if (!videos.length) return;
      videos.forEach((video) => this.seen.unobserve(video));
      const made = await this.server.posters(videos.map((video) => video.closest(".m-take").dataset.id));
      for (const video of videos) {
        const poster = made[video.closest(".m-take")?.dataset.id];
        if (poster) video.poster = poster;
      }
    }

    mark(card) {
      const id = card?.dataset.id;
      if (!card) this.marked = [];
      else if (card.matches("[data-missing], [data-trashed]")) return;
      else if (this.marked.includes(id)) this.marked = this.marked.filter((other) => other !== id);
      else this.marked.push(id);
      if (this.marked.length === 2) {
        send(this.trigger, "compare", this.marked.join(" "));
        this.marked = [];
      }
      this.showMarks();
    }
    showMarks() {
      for (const card of this.cards()) {
        const marked = this.marked.includes(card.dataset.id);
        card.classList.toggle("m-marked", marked);
        card.querySelector("[data-act=mark]")?.setAttribute("aria-pressed", marked);
      }
      const bar = this.element.querySelector(".m-markbar");
      if (!bar) return;
      bar.hidden = !this.marked.length;
      const words = bar.querySelector("span");
      if (this.marked.length) words.textContent = words.dataset.text.replace("{seed}", this.find(this.marked[0]).dataset.seed);
    }

    move(card, key) {
      const cards = this.cards();
      const columns = cards.filter((other) => other.offsetTop === cards[0].offsetTop).length;
      const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
      const index = cards.indexOf(card);
      const target = key === "Home" ? 0 : key === "End" ? cards.length - 1 : index + steps[key];
      if (target >= cards.length && key.startsWith("Arrow")) {
        const more = document.querySelector("#takes-more");
        if (more?.offsetParent && index === cards.length - 1) more.click();
        else if (key === "ArrowDown") cards[cards.length - 1].focus();
        return;
      }
      cards[target]?.focus();
      cards[target]?.scrollIntoView({ block: "nearest" });
    }

    pressed(event) {
      if (!this.element.offsetParent || dialogOpen() || typing(event.target)) return;
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z") {
        const undo = document.querySelector("#takes-said [data-act=restore]");
        if (undo) send(this.trigger, "restore", undo.dataset.id);
        return;
      }
      const active = document.activeElement;
      /* From the tab of this view, where a click leaves the focus, the way down leads into the grid. */
      const above = active === document.body || (active.matches("#views [role=tab]") && event.key === "ArrowDown");
      if (!plain(event) || !(above || this.element.contains(active))) return;
      const moves = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key);
      const card = active.closest(".m-take");
      if (!card) {
        if (!moves || !above || !this.cards().length) return;
        this.refocus();
      } else if (moves) this.move(card, event.key);
      else if (!this.acted(card, event.key, active === card)) return;
      event.preventDefault();
    }

    acted(card, key, onCard) {
      const present = !card.matches("[data-missing]");
      const mayChange = card.querySelector("[data-act=trash]");
      if (key === " " && onCard && present) window.movaStudio.toggleCard(card);
      else if (key === "Enter" && onCard) this.send("open", card);
      else if (key === "Delete" && mayChange) this.send("trash", card);
      else if (key.toLowerCase() === "c") this.mark(card);
      else if (key.toLowerCase() === "i") this.send("info", card);
      else if (key.toLowerCase() === "t" && mayChange && present) this.send("timeline", card);
      else return rateByKey(this.trigger, card, key);
      return true;
    }
  }

  class Large {
    constructor(element, trigger) {
      Object.assign(this, { element, trigger });
      clicks(element, trigger);
      element.addEventListener("click", (event) => this.clicked(event));
      element.addEventListener("submit", (event) => {
        event.preventDefault();
        send(trigger, "tags", event.target.dataset.id, event.target.elements.tags.value);
      });
      element.addEventListener("keydown", (event) => this.pressed(event));
    }
    get dialog() { return this.element.querySelector("dialog"); }

    renewed() {
      const dialog = this.dialog;
      if (!dialog) return;
      dialog.addEventListener("close", () => {
        const video = dialog.querySelector("video");
        video?.pause();
        video?.removeAttribute("src");
        grid.lastId = dialog.dataset.id;
        grid.refocus();
      });
      dialog.showModal();
      dialog.focus();
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) dialog.querySelector("video")?.play().catch(() => {});
    }
    clicked(event) {
      if (rateByClick(this.trigger, event)) return;
      const button = event.target.closest("button");
      if (!button) {
        if (event.target === this.dialog) this.dialog.close();
        return;
      }
      if ("close" in button.dataset) this.dialog.close();
      else if ("info" in button.dataset) this.toggleInfo();
      else if ("step" in button.dataset) this.step(Number(button.dataset.step));
      else if ("copy" in button.dataset) this.copy(button);
    }
    toggleInfo() {
      const open = this.dialog.classList.toggle("m-with-info");
      this.dialog.querySelector("[data-info]").setAttribute("aria-pressed", open);
    }
    step(by) {
      const cards = grid.cards();
      const next = cards[cards.findIndex((card) => card.dataset.id === this.dialog.dataset.id) + by];
      if (next) grid.send(this.dialog.classList.contains("m-with-info") ? "info" : "open", next);
    }
    async copy(button) {
      const text = button.parentElement.querySelector("pre").textContent;
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        /* A page that is not on this machine and not under https has no clipboard; a selected field has. */
        const field = document.createElement("textarea");
        field.value = text;
        this.dialog.append(field);
        field.select();
        document.execCommand("copy");
        field.remove();
      }
      button.textContent = button.dataset.done;
    }
    pressed(event) {
      if (typing(event.target) || !plain(event)) return;
      const dialog = this.dialog;
      const card = grid.find(dialog.dataset.id);
      const video = dialog.querySelector("video");
      const key = event.key;
      if (key === "ArrowLeft" || key === "ArrowRight") this.step(key === "ArrowLeft" ? -1 : 1);
      else if (key === " " && video && !event.target.closest("button, a")) video.paused ? video.play() : video.pause();
      else if (key.toLowerCase() === "i") this.toggleInfo();
      else if (key.toLowerCase() === "c" && card) {
        dialog.close();
        grid.mark(card);
      } else if (key === "Delete" && card?.querySelector("[data-act=trash]")) {
        dialog.close();
        grid.send("trash", card);
      } else if (key.toLowerCase() === "t" && dialog.querySelector("[data-act=timeline]")) {
        send(this.trigger, "timeline", dialog.dataset.id);
      } else if (!rateByKey(this.trigger, dialog, key)) return;
      event.preventDefault();
    }
  }

  window.movaGallery = {
    clicks,
    search(element, trigger) {
      let pause = 0;
      element.addEventListener("input", (event) => {
        clearTimeout(pause);
        pause = setTimeout(() => trigger("input", { value: event.target.value }), SEARCH_PAUSE_MS);
      });
    },
    /* What is said above the grid is said in the large view too while that is open. */
    said(element, trigger, watch) {
      clicks(element, trigger);
      watch("value", () => {
        const place = document.querySelector("#take-large dialog[open] [data-said]");
        if (place) place.replaceChildren(...[...element.querySelectorAll("p")].map((line) => line.cloneNode(true)));
      });
    },
    grid(element, trigger, watch, server) {
      grid = new Grid(element, trigger, server);
      watch("value", () => grid.renewed());
    },
    large(element, trigger, watch) {
      large = new Large(element, trigger);
      watch("value", () => large.renewed());
    },
    refocus: () => grid.refocus(),
  };
})();
