/* The queue and the Scouts view: buttons, dragging, keys, the large picture, listening to a preview. */
(() => {
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable=true]");
  const plain = (event) => !(event.ctrlKey || event.metaKey || event.altKey);
  const send = (trigger, act, id = "", value = "") => trigger("select", { act, id, value });

  /* A list may be written anew while the pointer is down on it: what was pressed counts, not what lies there by then.
     Where the button itself has gone, no click comes at all, and the one that took its place is pressed. */
  const BUTTONS = "[data-act], [data-ask], [data-keep]";
  const SLIP = 6; /* px that a press may wander */
  let press = null;
  document.addEventListener("pointerdown", (event) => {
    const button = event.target.closest?.(BUTTONS);
    press = button ? { button, data: { ...button.dataset }, x: event.clientX, y: event.clientY } : null;
  }, true);
  document.addEventListener("pointerup", (event) => {
    if (!press || press.button.isConnected) return;
    if (Math.hypot(event.clientX - press.x, event.clientY - press.y) > SLIP) return;
    const is = JSON.stringify(press.data);
    [...document.querySelectorAll(BUTTONS)].find((button) => JSON.stringify(button.dataset) === is)?.click();
  }, true);
  const meant = (event, button) => (event.detail > 0 && press?.data.act ? press.data : button.dataset);

  const asking = (event) => {
    const asks = event.target.closest("[data-ask], [data-keep]");
    if (!asks) return false;
    const box = asks.closest(".m-asks");
    const opens = "ask" in asks.dataset;
    box.querySelector("[data-ask]").hidden = opens;
    box.querySelector(".m-sure").hidden = !opens;
    box.querySelector(opens ? "[data-keep]" : "[data-ask]").focus();
    return true;
  };
  const clicks = (element, trigger) => {
    element.addEventListener("click", (event) => {
      if (asking(event)) return;
      const button = event.target.closest("[data-act]");
      if (!button || button.disabled || !element.contains(button)) return;
      const { act, id } = meant(event, button);
      send(trigger, act, id);
    });
  };
  /* The keyboard's focus stays with the same job's button, wherever the job goes. */
  const keepFocus = (element, watch) => {
    let held = null;
    element.addEventListener("focusin", (event) => {
      const button = event.target.closest("[data-act]");
      held = button ? { ...button.dataset } : null;
    });
    element.addEventListener("focusout", (event) => { if (event.relatedTarget) held = null; });
    watch("value", () => {
      const active = document.activeElement;
      if (!held || !(active === document.body || element.contains(active))) return;
      const buttons = [...element.querySelectorAll("[data-act]")];
      const same = buttons.find((it) => it.dataset.act === held.act && it.dataset.id === held.id)
        || buttons.find((it) => it.dataset.id === held.id);
      if (same && same !== active) same.focus();
    });
  };

  /* What was asked stays asked while the list around it changes. */
  const keepAsking = (element, watch) => {
    let asked = false;
    element.addEventListener("click", () => { asked = !!element.querySelector(".m-sure:not([hidden])"); });
    watch("value", () => {
      const sure = element.querySelector(".m-sure");
      if (!asked || !sure) { asked = false; return; }
      sure.hidden = false;
      element.querySelector("[data-ask]").hidden = true;
    });
  };

  const head = (element, trigger, watch) => {
    clicks(element, trigger);
    keepAsking(element, watch);
    keepFocus(element, watch);
  };

  const list = (element, trigger, watch) => {
    clicks(element, trigger);
    keepFocus(element, watch);
    let dragged = null;
    const clear = () => element.querySelectorAll("[data-drop]").forEach((job) => job.removeAttribute("data-drop"));
    const place = (event) => {
      const job = event.target.closest?.(".m-job[draggable]");
      if (!dragged || !job || job.dataset.job === dragged) return null;
      const box = job.getBoundingClientRect();
      return { job, where: event.clientY < box.top + box.height / 2 ? "before" : "after" };
    };
    element.addEventListener("dragstart", (event) => {
      const job = event.target.closest(".m-job[draggable]");
      if (!job) return;
      dragged = job.dataset.job;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/x-mova-job", dragged);
    });
    element.addEventListener("dragover", (event) => {
      if (!dragged) return;
      const found = place(event);
      clear();
      event.preventDefault();
      if (found) found.job.dataset.drop = found.where;
    });
    element.addEventListener("drop", (event) => {
      const found = place(event);
      clear();
      if (!dragged) return;
      event.preventDefault();
      if (found) send(trigger, "move", dragged, `${found.where} ${found.job.dataset.job}`);
      dragged = null;
    });
    document.addEventListener("dragend", () => { dragged = null; clear(); });
  };

  /* Where there is no room for it, the queue lies over the page and the pill opens it. */
  const panel = () => document.querySelector("#queue-panel");
  const isOpen = () => !!panel()?.classList.contains("m-open");
  const showQueue = (open) => {
    panel()?.classList.toggle("m-open", open);
    document.querySelector("[data-queue-open]")?.setAttribute("aria-expanded", String(open));
    if (open) panel()?.querySelector("button")?.focus();
    else if (panel()?.contains(document.activeElement)) document.querySelector("[data-queue-open]")?.focus();
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-queue-close]")) return showQueue(false);
    if (!event.target.closest?.("[data-queue-open]")) return;
    const away = !document.querySelector(".m-create")?.offsetParent;
    if (away) document.querySelector("#views [data-tab-id=create]")?.click();
    showQueue(away || !isOpen());
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isOpen()) showQueue(false);
  });

  /* Shift with Generate, by mouse or by keys, puts the take first in line. */
  let shift = false;
  document.addEventListener("click", (event) => { if (event.target.closest?.("#generate")) shift = event.shiftKey || keyed; }, true);
  let keyed = false;
  document.addEventListener("keydown", (event) => { keyed = event.key === "Enter" && event.shiftKey && (event.ctrlKey || event.metaKey); }, true);

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#scout-open");
    if (!button) return;
    const open = document.querySelector("#scout-choices").classList.toggle("m-open");
    button.setAttribute("aria-expanded", String(open));
  });

  /* Previews speak once they are asked to; this tab remembers that. */
  const listens = () => sessionStorage.getItem("mova-listen") === "1";
  const settleSound = () => {
    const video = document.querySelector("video.m-preview");
    const button = document.querySelector(".m-listen");
    const muted = !(listens() && video?.hasAttribute("data-sound"));
    if (video && video.muted !== muted) {
      video.muted = muted;
      if (!muted && video.paused) video.play().catch(() => { video.muted = true; video.play().catch(() => {}); });
    }
    if (!button) return;
    const words = listens() ? button.dataset.mute : button.dataset.listen;
    if (button.textContent !== words) button.textContent = words;
    const state = String(listens());
    if (button.getAttribute("aria-pressed") !== state) button.setAttribute("aria-pressed", state);
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.(".m-listen")) return;
    sessionStorage.setItem("mova-listen", listens() ? "0" : "1");
    settleSound();
  });

  /* Why a button does nothing stands on it; the page makes room for the banner. */
  const settleBanner = () => {
    const banner = document.querySelector("#banner .m-banner");
    const height = banner ? `${banner.offsetHeight}px` : "0px";
    const style = document.documentElement.style;
    if (style.getPropertyValue("--m-banner") !== height) style.setProperty("--m-banner", height);
    const reason = banner?.dataset.kind === "read_only" ? banner.textContent : "";
    for (const id of ["generate", "scout", "grid-go"]) {
      const button = document.getElementById(id);
      if (!button) continue;
      const title = reason || (id === "generate" ? document.querySelector("[data-first]")?.dataset.first || "" : "");
      if (button.title !== title) button.title = title;
    }
  };
  const settle = () => { settleSound(); settleBanner(); };
  new MutationObserver(settle).observe(document, { childList: true, subtree: true, characterData: true });
  addEventListener("resize", settleBanner);

  /* Scouts: arrows move, Space plays, K keeps, D drops, Enter shows large. */
  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const neighbour = (card, cards, [dx, dy]) => {
    if (dx) return cards[cards.indexOf(card) + dx];
    const from = card.getBoundingClientRect();
    const below = cards.filter((other) => {
      const box = other.getBoundingClientRect();
      return dy > 0 ? box.top > from.top + 4 : box.top < from.top - 4;
    });
    const distance = (other) => {
      const box = other.getBoundingClientRect();
      return Math.abs(box.top - from.top) * 10 + Math.abs(box.left - from.left);
    };
    return below.sort((a, b) => distance(a) - distance(b))[0];
  };
  const large = (card) => {
    const small = card.querySelector(".m-thumb video[data-src]");
    if (!small) return;
    const dialog = document.createElement("dialog");
    dialog.className = "m-large m-scoutlarge";
    dialog.setAttribute("aria-label", card.getAttribute("aria-label"));
    dialog.innerHTML = '<div data-player><video controls autoplay loop playsinline></video></div><p></p><button type="button" class="m-cross">×</button>';
    const video = dialog.querySelector("video");
    Object.assign(video, { src: small.dataset.src, poster: small.poster });
    dialog.querySelector("div").append(card.querySelector(".m-wave").cloneNode(true));
    dialog.querySelector("p").textContent = card.getAttribute("aria-label");
    dialog.querySelector("button").setAttribute("aria-label", document.querySelector("[data-close]")?.dataset.close || "×");
    dialog.addEventListener("click", (event) => (event.target === dialog || event.target.closest(".m-cross")) && dialog.close());
    dialog.addEventListener("close", () => { dialog.remove(); card.focus(); });
    document.body.append(dialog);
    dialog.showModal();
  };
  const scouts = (element, trigger, watch) => {
    const cards = () => [...element.querySelectorAll(".m-scoutcell")];
    /* Gradio changes a card in place; a film that has taken the place of another starts anew, with its sound. */
    const renewed = () => {
      for (const card of cards()) {
        if (card.shownFilm === card.dataset.film) continue;
        card.shownFilm = card.dataset.film;
        const video = card.querySelector("video[data-src]");
        card.querySelector(".m-played").style.clipPath = "";
        if (!video) continue;
        video.pause();
        video.removeAttribute("autoplay");
        video.removeAttribute("src");
        Object.assign(video, { muted: false, autoplay: false });
        video.load();
      }
    };
    watch("value", () => setTimeout(renewed));
    const press = (card, act) => card.querySelector(`[data-act=${act}]`) && send(trigger, act, card.dataset.id);
    element.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      if (!button) return;
      if (button.dataset.act === "large") return large(button.closest(".m-scoutcell"));
      const { act, id } = meant(event, button);
      send(trigger, act, id);
    });
    element.addEventListener("dblclick", (event) => {
      const card = event.target.closest(".m-thumb")?.closest(".m-scoutcell");
      if (card) large(card);
    });
    element.addEventListener("keydown", (event) => {
      const card = event.target.closest(".m-scoutcell");
      if (!card || !plain(event) || typing(event.target) || event.target.closest("button")) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (MOVES[key]) neighbour(card, cards(), MOVES[key])?.focus();
      else if (key === " " && card.matches("[data-hover]")) window.movaStudio.toggleCard(card);
      else if (key === "k") press(card, "keep");
      else if (key === "d") press(card, "drop") || press(card, "undo");
      else if (key === "Enter") large(card);
      else return;
      event.preventDefault();
    });
  };

  window.movaQueue = {
    clicks, head, list, scouts,
    first() { const front = shift; shift = false; keyed = false; return front ? "front" : ""; },
  };
})();
