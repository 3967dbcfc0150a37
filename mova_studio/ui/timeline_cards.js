/* What lies in the bin: a card with its picture and the outline of its sound, and a hovered one plays both. */
(() => {
  const T = window.movaTimeline;
  const SVG = "http://www.w3.org/2000/svg";

  const drawn = (tag, attributes, ...children) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  /* Bars around a middle line, as under every take; `studio.js` marks what has been played and seeks on a click. */
  T.wave = (peaks) => {
    const values = peaks?.length ? peaks : [0];
    const d = values.map((peak, index) => `M${index * 4 + 2} ${50 - Math.max(2, 48 * peak)}V${50 + Math.max(2, 48 * peak)}`).join("");
    const bars = () => drawn("path", { d });
    return drawn(
      "svg",
      { class: "m-wave", viewBox: `0 0 ${values.length * 4} 100`, preserveAspectRatio: "none", role: "img", "aria-label": T.say("bin.wave") },
      bars(),
      drawn("g", { class: "m-played" }, bars())
    );
  };

  /* A take, or a file that was brought: sound alone has a note in the place of its picture. */
  T.card = (thing, kind, add) => {
    const seconds = T.say("seconds", { s: thing.seconds.toFixed(1) });
    const video = T.h("video", {
      preload: "none", playsinline: true, loop: true, tabindex: "-1", "aria-hidden": "true", poster: thing.poster || null, data: { src: thing.url || "" },
    });
    const label = T.say("bin.add", { name: thing.name });
    const plus = T.h(
      "button",
      { type: "button", class: "t-tool t-add", tabindex: "-1", "aria-label": label, title: T.say("bin.append"), click: (event) => add(event.target.closest(".t-take")) },
      T.icon("plus")
    );
    return T.h(
      "div",
      {
        class: `t-take${kind === "take" ? "" : " t-file"}`, role: "listitem", tabindex: "0", title: thing.prompt || thing.name,
        "aria-label": T.say("bin.take", { name: thing.name, length: seconds }), data: { id: thing.id, kind, player: "" },
      },
      T.h("div", { class: "t-poster" }, video, kind === "sound" ? T.icon("music") : null, T.h("span", { class: "t-chip m-mono" }, seconds), plus),
      T.wave(thing.peaks),
      T.h("p", { dir: "auto" }, thing.name),
      thing.stars ? T.h("small", { "aria-label": T.say("bin.stars", { stars: thing.stars }) }, "★".repeat(thing.stars)) : null
    );
  };

  /* One card at a time is heard, and none while the film plays. */
  T.Listening = class Listening {
    constructor(player) {
      Object.assign(this, { player, card: null });
    }
    begin(card) {
      const video = card.querySelector("video");
      if (!video.dataset.src || this.player.playing) return;
      if (this.card && this.card !== card) this.end(this.card);
      this.card = card;
      if (!video.hasAttribute("src")) video.src = video.dataset.src;
      /* Before the first click a browser may refuse sound; then it plays when it is clicked. */
      video.play().catch(() => {});
    }
    end(card) {
      const video = card.querySelector("video");
      if (this.card === card) this.card = null;
      if (!video.hasAttribute("src")) return;
      video.pause();
      /* Lets go of its connection, of which a browser has six. */
      video.removeAttribute("src");
      video.load();
      card.querySelector(".m-played").style.clipPath = "";
    }
    toggle(card) { card.querySelector("video").paused ? this.begin(card) : this.end(card); }
  };
})();
