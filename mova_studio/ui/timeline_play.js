/* Playing. The finished preview where it is that of the newest state; until then the source files themselves, one after
   the other: while one plays, the next waits at its first frame, so that nothing has to be waited for. */
(() => {
  const T = window.movaTimeline;
  const LATE = 3; /* frames that a follower may be off before it jumps */

  /* One player of source files. */
  class Deck {
    constructor(player) {
      this.player = player;
      this.video = T.h("video", { class: "t-deck", playsinline: true, preload: "auto", tabindex: "-1", "aria-hidden": "true" });
      this.video.preservesPitch = true;
      this.title = T.h("div", { class: "t-titled", hidden: true, dir: "auto" });
      this.video.addEventListener("seeked", () => this.arrived());
      this.video.addEventListener("loadedmetadata", () => this.target !== null && this.go());
      this.clip = null;
      this.target = null;
      this.url = "";
    }
    load(clip) {
      this.clip = clip;
      const url = clip.missing ? "" : clip.url || "";
      this.title.hidden = clip.kind !== "title" && !clip.missing;
      this.title.textContent = clip.missing || clip.text;
      this.title.classList.toggle("t-gone", !!clip.missing);
      this.title.style.background = clip.missing ? "" : clip.ground;
      this.title.style.color = clip.missing ? "" : clip.ink;
      this.video.hidden = !url;
      this.video.style.objectFit = clip.fit === "crop" ? "cover" : "contain";
      this.video.style.objectPosition = `${clip.focus_x * 100}% ${clip.focus_y * 100}%`;
      if (url === this.url) return;
      this.url = url;
      this.target = null;
      this.video.pause();
      if (url) this.video.src = url;
      else this.video.removeAttribute("src");
      this.video.load();
    }
    /* To the middle of a frame of the source: there every player shows exactly that one. */
    seek(source) {
      if (!this.url) return;
      const time = (source + 0.5) / this.player.layout.sourceRate(this.clip);
      if (Math.abs(this.video.currentTime - time) < 1e-4 && this.target === null) return;
      this.target = time;
      this.go();
    }
    go() {
      if (this.video.readyState < 1 || this.video.seeking) return;
      this.video.currentTime = Math.min(this.target, Math.max(this.video.duration - 1e-3, 0));
      this.going = this.target;
    }
    arrived() {
      if (this.target !== null && this.target !== this.going) return this.go();
      this.target = null;
      this.player.told();
    }
    get source() { return this.video.currentTime * this.player.layout.sourceRate(this.clip) - 0.5; }
    get ready() { return !this.url || (this.video.readyState >= 2 && !this.video.seeking); }
    play(rate) {
      if (!this.url) return;
      this.video.playbackRate = Math.min(Math.max(rate, 0.1), 8);
      if (this.video.paused && !this.video.ended) this.video.play().catch(() => {});
    }
    pause() { if (!this.video.paused) this.video.pause(); }
    show(opacity, above) {
      for (const element of [this.video, this.title]) {
        element.style.opacity = opacity;
        element.style.zIndex = above ? 2 : 1;
      }
    }
  }

  T.Player = class Player {
    constructor(editor) {
      Object.assign(this, { editor, store: editor.store, pace: 0, source: null });
      this.mixer = new T.Mixer();
      this.decks = [new Deck(this), new Deck(this)];
      this.proxy = T.h("video", { class: "t-proxy", playsinline: true, preload: "auto", tabindex: "-1", "aria-hidden": "true", hidden: true });
      this.music = T.h("audio", { preload: "auto" });
      this.dip = T.h("div", { class: "t-dip" });
      for (const media of [...this.decks.map((deck) => deck.video), this.proxy, this.music]) this.mixer.add(media);
      this.proxy.addEventListener("loadeddata", () => this.settle());
      this.proxy.addEventListener("seeked", () => this.proxyArrived());
      this.leave = [
        this.store.on("state", () => this.renewed()),
        this.store.on("playhead", () => this.sought()),
        this.store.on("proxy", () => this.proxied()),
      ];
    }
    get layout() { return this.store.layout; }
    get playing() { return this.pace !== 0; }
    get rate() { return this.layout.rate; }
    get elements() { return [...this.decks.flatMap((deck) => [deck.video, deck.title]), this.proxy, this.dip]; }

    /* The preview is that of the state in view, and there. */
    get proxyReady() {
      const { proxy, state } = this.store;
      return proxy.state === "ready" && proxy.revision === state.revision && this.proxyUrl === proxy.url && this.proxy.readyState >= 2;
    }
    proxied() {
      const { proxy, state } = this.store;
      if (proxy.state === "ready" && proxy.revision === state.revision && proxy.url && proxy.url !== this.proxyUrl) {
        this.proxyUrl = proxy.url;
        this.proxy.src = proxy.url;
        this.proxy.load();
      }
      this.settle();
    }
    renewed() {
      this.direct = true;
      if (this.playing) this.rebase(this.store.playhead);
      for (const deck of this.decks) deck.clip = deck.clip && (this.layout.clips.find((clip) => clip.id === deck.clip.id) || null);
      this.proxied();
    }
    /* What the viewer shows when nothing plays. */
    settle() {
      if (this.playing) return;
      this.direct = !this.proxyReady;
      this.still();
    }
    still() {
      if (this.source) return;
      const frame = Math.floor(this.store.playhead);
      this.proxy.hidden = this.direct;
      this.music.pause();
      if (this.direct) {
        this.proxy.pause();
        this.compose(frame, false);
      } else {
        this.decks.forEach((deck) => deck.pause());
        this.proxyTarget = (frame + 0.5) / this.rate;
        this.proxyArrived();
      }
      this.dip.style.opacity = this.direct ? this.layout.dipAt(frame).opacity : 0;
      this.store.tell("shown");
    }
    proxyArrived() {
      if (this.playing || this.direct || this.proxy.seeking || this.proxyTarget === null) return;
      if (Math.abs(this.proxy.currentTime - this.proxyTarget) < 1e-4) return void (this.proxyTarget = null);
      this.proxy.currentTime = this.proxyTarget;
      this.proxyTarget = null;
    }
    /* The playhead was put elsewhere. */
    sought() {
      if (!this.playing) return this.settle();
      this.rebase(this.store.playhead);
      if (!this.direct) this.proxy.currentTime = (this.store.playhead + 0.5) / this.rate;
      else this.jumped = true;
    }

    /* The picture of a source's own frame, while it is trimmed. */
    showSource(clip, source) {
      this.source = clip;
      this.proxy.hidden = true;
      this.dip.style.opacity = 0;
      const deck = this.decks.find((each) => each.clip?.id === clip.id) || this.decks[0];
      if (deck.clip !== clip) deck.load(clip);
      this.decks.forEach((each) => each.show(each === deck ? 1 : 0, each === deck));
      deck.seek(source);
    }
    showFilm() {
      this.source = null;
      this.settle();
    }

    /* Decks hold what is seen at a frame; the free one gets ready for the clip that comes. */
    compose(frame, run) {
      const { layout } = this;
      const layers = layout.layersAt(Math.floor(frame));
      const taken = new Set();
      const held = layers.map((layer) => {
        const deck = this.decks.find((each) => !taken.has(each) && each.clip?.id === layer.clip.id);
        if (deck) taken.add(deck);
        return { layer, deck };
      });
      held.forEach((each, index) => {
        const { layer } = each;
        let fresh = false;
        if (!each.deck) {
          each.deck = this.decks.find((deck) => !taken.has(deck));
          taken.add(each.deck);
          fresh = true;
        }
        const { deck } = each;
        deck.load(layer.clip);
        deck.show(layer.opacity, index === layers.length - 1);
        const exact = layer.clip.start + (frame - layer.clip.at) * layout.pace(layer.clip);
        if (!run) {
          deck.pause();
          deck.seek(layout.sourceOf(layer.clip, Math.floor(frame)));
        } else {
          const off = deck.source + 0.5 - exact;
          const late = Math.abs(off) > LATE * Math.max(1, Math.abs(this.pace)) && deck.ready && deck !== this.leader;
          if (fresh || this.jumped || late) deck.seek(Math.min(Math.floor(exact), layer.clip.stop - 1));
          deck.play(layer.clip.speed * this.pace);
        }
        this.mixer.level(deck.video, run ? layer.gain * layout.gainAt(layer.clip, frame) : 1);
      });
      this.jumped = false;
      this.leader = held.at(-1)?.deck || null;
      for (const deck of this.decks) {
        if (taken.has(deck)) continue;
        deck.pause();
        deck.show(0, false);
        this.prepare(deck, layers.at(-1)?.clip);
      }
      const dip = layout.dipAt(Math.floor(frame));
      this.dip.style.opacity = dip.opacity;
      this.dip.style.background = dip.colour;
    }
    prepare(deck, clip) {
      const next = this.layout.clips[clip ? this.layout.clips.indexOf(clip) + 1 : 0];
      if (!next || deck.clip?.id === next.id) return;
      deck.load(next);
      deck.seek(next.start);
    }

    /* Speed 1, 2 or 4, forward or back. Back, and with no sound to be had, frames are shown one by one. */
    play(pace = 1) {
      if (!this.layout.frames) return;
      this.mixer.open();
      const { store } = this;
      if (pace > 0 && store.playhead >= this.layout.frames - 1) store.move(0);
      if (pace < 0 && store.playhead <= 0) store.move(this.layout.frames - 1);
      this.pace = pace;
      this.source = null;
      this.direct = !this.proxyReady;
      this.proxy.hidden = this.direct;
      this.rebase(store.playhead);
      if (!this.direct && pace > 0) {
        this.decks.forEach((deck) => deck.pause());
        this.dip.style.opacity = 0;
        this.proxy.currentTime = (Math.floor(store.playhead) + 0.5) / this.rate;
        this.proxy.playbackRate = pace;
        this.mixer.level(this.proxy, 1);
        this.proxy.play().catch(() => {});
      } else this.jumped = true;
      this.editor.viewer.meters.busy = true;
      this.editor.viewer.meters.begin();
      cancelAnimationFrame(this.ticking);
      this.ticking = requestAnimationFrame((now) => this.tick(now));
      store.tell("playing", pace);
    }
    pause() {
      if (!this.playing) return;
      this.pace = 0;
      cancelAnimationFrame(this.ticking);
      [...this.decks.map((deck) => deck.video), this.proxy, this.music].forEach((media) => media.pause());
      this.editor.viewer.meters.busy = false;
      this.store.move(Math.floor(this.store.playhead));
      this.store.tell("playing", 0);
      this.store.tell("playhead", this.store.playhead);
    }
    toggle() { this.playing ? this.pause() : this.play(); }
    /* J and L: each press goes faster, the other direction starts anew. */
    shuttle(direction) {
      const same = this.pace * direction > 0;
      this.play(direction * (same ? Math.min(Math.abs(this.pace) * 2, 4) : 1));
    }
    step(by) {
      this.pause();
      this.store.move(Math.floor(this.store.playhead) + by);
    }

    rebase(frame) {
      this.base = frame;
      this.since = performance.now();
    }
    /* Where the film is: what is heard tells it, and the clock where nothing is. */
    place(now) {
      const wall = this.base + (Math.max(now - this.since, 0) / 1000) * this.rate * this.pace;
      if (this.pace < 0) return wall;
      if (!this.direct) return this.proxy.readyState >= 2 && !this.proxy.seeking ? this.proxy.currentTime * this.rate : this.base;
      const deck = this.leader;
      if (!deck?.url || !deck.clip) return wall;
      if (!deck.ready || deck.target !== null) return this.base;
      if (deck.video.paused && !deck.video.ended) return this.base;
      const end = this.layout.end(deck.clip);
      if (deck.video.ended) return Math.max(end, this.base);
      return Math.max(deck.clip.at + (deck.source + 0.5 - deck.clip.start) / this.layout.pace(deck.clip), Math.min(this.base, end));
    }
    tick(now) {
      if (!this.playing) return;
      const frame = this.place(now);
      if (frame >= this.layout.frames || frame < 0 || (!this.direct && this.pace > 0 && this.proxy.ended)) {
        this.store.move(frame < 0 ? 0 : this.layout.frames - 1, { playing: true });
        return this.pause();
      }
      this.rebase(frame);
      if (this.pace < 0) this.backward(frame);
      else if (this.direct) {
        this.compose(frame, true);
        this.accompany(frame);
      }
      this.store.move(frame, { playing: true });
      this.ticking = requestAnimationFrame((next) => this.tick(next));
    }
    backward(frame) {
      if (this.direct) this.compose(frame, false);
      else if (!this.proxy.seeking) this.proxy.currentTime = (Math.floor(frame) + 0.5) / this.rate;
    }
    /* The music plays along with source files at its own level; ducking is only in the finished preview. */
    accompany(frame) {
      const sound = this.layout.soundAt(frame);
      const { music } = this;
      if (!sound?.url || sound.missing || this.pace !== 1) return music.pause();
      if (this.musicUrl !== sound.url) {
        this.musicUrl = sound.url;
        music.src = sound.url;
      }
      const time = sound.start / 48000 + (frame - sound.at) / this.rate;
      if (Math.abs(music.currentTime - time) > 0.12 && !music.seeking && music.readyState >= 1) music.currentTime = time;
      this.mixer.level(music, this.layout.gainAt(sound, frame));
      if (music.paused) music.play().catch(() => {});
    }
    told() { this.store.tell("shown"); }
    close() {
      this.pause();
      this.leave.forEach((off) => off());
      for (const media of [...this.decks.map((deck) => deck.video), this.proxy, this.music]) media.removeAttribute("src");
      this.mixer.close();
    }
  };
})();
