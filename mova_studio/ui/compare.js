/* Compare: two takes under one clock, one of them heard; side by side or one over the other. */
(() => {
  const CLOSE_FRAMES = 0.25; /* nearer than this the follower is left alone */
  const FAR_FRAMES = 3; /* further than this it jumps, in between it runs a little faster or slower */
  const quiet = matchMedia("(prefers-reduced-motion: reduce)");
  const kept = { wipe: false, loop: true };

  class Compare {
    constructor(dialog, send) {
      Object.assign(this, { dialog, send, heard: "a", swapped: false, playing: false, turn: 0 });
      this.views = Object.fromEntries([...dialog.querySelectorAll(".m-view")].map((view) => [view.dataset.slot, view]));
      this.videos = Object.fromEntries(Object.entries(this.views).map(([slot, view]) => [slot, view.querySelector("video")]));
      this.place = dialog.querySelector("[data-place]");
      this.place.addEventListener("input", () => this.seek(this.place.value * this.length()));
      dialog.querySelector("[data-wipe]").addEventListener("input", (event) => {
        dialog.style.setProperty("--wipe", `${event.target.value}%`);
      });
      for (const video of this.both()) video.addEventListener("ended", () => this.ended());
      dialog.addEventListener("click", (event) => this.clicked(event));
      dialog.addEventListener("keydown", (event) => this.pressed(event));
      dialog.addEventListener("close", () => this.close());
      this.hear("a");
      this.show();
      this.follow();
      if (!quiet.matches) this.play();
    }
    both() { return Object.values(this.videos); }
    leader() {
      const heard = this.videos[this.heard];
      return heard.ended ? this.other(heard) : heard;
    }
    other(video) { return this.both().find((candidate) => candidate !== video); }
    length() { return Math.max(...this.both().map((video) => video.duration || 0)); }
    frame(video) { return 1 / Number(video.dataset.fps); }

    hear(slot) {
      this.heard = slot;
      for (const [name, video] of Object.entries(this.videos)) {
        video.muted = name !== slot;
        video.playbackRate = 1;
        this.dialog.querySelector(`[data-sound="${name}"]`).setAttribute("aria-pressed", name === slot);
      }
    }
    show() {
      this.dialog.classList.toggle("m-wiping", kept.wipe);
      this.dialog.classList.toggle("m-swapped", this.swapped);
      const pressed = { wipe: kept.wipe, loop: kept.loop, swap: this.swapped, play: this.playing };
      for (const [name, on] of Object.entries(pressed))
        this.dialog.querySelector(`[data-do="${name}"]`).setAttribute("aria-pressed", on);
    }

    /* Both start from the same time, and only when both are there. */
    async seek(time) {
      const turn = ++this.turn;
      this.both().forEach((video) => video.pause());
      await Promise.all(this.both().map((video) => this.moved(video, time)));
      if (turn === this.turn && this.playing) await Promise.all(this.both().map((video) => video.play().catch(() => {})));
      this.draw();
    }
    async moved(video, time) {
      if (video.readyState < 1) await new Promise((done) => video.addEventListener("loadedmetadata", done, { once: true }));
      const target = Math.min(Math.max(time, 0), Math.max(video.duration - this.frame(video) / 2, 0));
      if (Math.abs(video.currentTime - target) < 1e-4 && video.readyState >= 2) return;
      const there = new Promise((done) => video.addEventListener("seeked", done, { once: true }));
      video.currentTime = target;
      await there;
    }
    async play() {
      this.playing = true;
      const atEnd = this.both().every((video) => video.ended);
      await this.seek(atEnd ? 0 : this.leader().currentTime);
      this.show();
    }
    pause() {
      this.playing = false;
      this.seek(this.leader().currentTime);
      this.show();
    }
    step(by) {
      const leader = this.leader();
      const frame = this.frame(leader);
      this.playing = false;
      this.seek((Math.floor(leader.currentTime / frame + 0.001) + by + 0.5) * frame);
      this.show();
    }
    ended() {
      if (!this.playing || !this.both().every((video) => video.ended)) return;
      if (kept.loop) this.seek(0);
      else {
        this.playing = false;
        this.show();
      }
    }

    /* The one clock: whoever is not heard follows. */
    follow() {
      if (!this.dialog.isConnected || !this.dialog.open) return;
      const leader = this.leader();
      const follower = this.other(leader);
      if (this.playing && !leader.seeking && !follower.seeking && !leader.paused && !follower.ended) {
        const off = (follower.currentTime - leader.currentTime) / this.frame(follower);
        if (Math.abs(off) > FAR_FRAMES && leader.currentTime < follower.duration) follower.currentTime = leader.currentTime;
        follower.playbackRate = Math.abs(off) < CLOSE_FRAMES ? 1 : Math.min(Math.max(1 - off / 4, 0.5), 1.5);
        leader.playbackRate = 1;
      }
      this.draw();
      const again = () => this.follow();
      if (this.playing && !leader.paused && leader.requestVideoFrameCallback) {
        /* A hidden or stalled video shows no frame; the timer looks then. */
        let done = false;
        const once = () => done || ((done = true), again());
        leader.requestVideoFrameCallback(once);
        setTimeout(once, 250);
      } else requestAnimationFrame(again);
    }
    draw() {
      const time = this.leader().currentTime;
      if (this.length() && document.activeElement !== this.place) this.place.value = time / this.length();
      for (const [slot, video] of Object.entries(this.videos)) {
        const part = video.duration ? (100 * video.currentTime) / video.duration : 0;
        this.views[slot].querySelector(".m-played").style.clipPath = `inset(0 ${100 - part}% 0 0)`;
      }
    }

    do(name) {
      if (name === "play") this.playing ? this.pause() : this.play();
      else if (name === "back") this.step(-1);
      else if (name === "on") this.step(1);
      else if (name === "sound") this.hear(this.heard === "a" ? "b" : "a");
      else if (name === "swap") this.swapped = !this.swapped;
      else if (name === "loop") kept.loop = !kept.loop;
      else if (name === "wipe") kept.wipe = !kept.wipe;
      this.show();
    }
    vote(answer) {
      if (!this.dialog.dataset.blind || this.voted) return;
      this.voted = true;
      const left = this.swapped ? "b" : "a";
      this.send("vote", { left, right: left === "a" ? "b" : "a", tie: "tie" }[answer]);
    }
    clicked(event) {
      const wave = event.target.closest(".m-wave");
      if (wave) {
        const box = wave.getBoundingClientRect();
        const video = wave.closest(".m-view").querySelector("video");
        this.seek((video.duration * (event.clientX - box.left)) / box.width);
        return;
      }
      const button = event.target.closest("button");
      if (!button) return;
      const { do: name, sound, vote, act } = button.dataset;
      if ("close" in button.dataset) this.dialog.close();
      else if (name) this.do(name);
      else if (sound) this.hear(sound);
      else if (vote) this.vote(vote);
      else if (act) this.send(act, this.dialog.dataset.pair || "");
    }
    pressed(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.toLowerCase();
      if (key === " " && event.target.closest("button")) return;
      const names = { " ": "play", x: "sound", w: "wipe", s: "swap", l: "loop", ",": "back", ".": "on" };
      const votes = { 1: "left", 2: "right", 0: "tie" };
      if (names[key]) this.do(names[key]);
      else if (votes[key] && this.dialog.dataset.blind) this.vote(votes[key]);
      else if (key === "b" && this.dialog.dataset.pair) this.send("blind", this.dialog.dataset.pair);
      else return;
      event.preventDefault();
    }
    close() {
      this.turn += 1;
      this.playing = false;
      for (const video of this.both()) {
        video.pause();
        video.removeAttribute("src");
      }
      window.movaGallery.refocus();
    }
  }

  window.movaCompare = (element, trigger, watch) => {
    const send = (act, value) => trigger("select", { act, value });
    watch("value", () => {
      const dialog = element.querySelector("dialog");
      if (!dialog) return;
      dialog.showModal();
      dialog.focus();
      if (dialog.querySelector(".m-view")) return void new Compare(dialog, send);
      dialog.addEventListener("click", (event) => event.target.closest("[data-close]") && dialog.close());
      dialog.addEventListener("close", () => window.movaGallery.refocus());
    });
  };
})();
