/* What the page does by itself: keys, pasting, theme and language of the document, sound under pictures. */
(() => {
  const quiet = matchMedia("(prefers-reduced-motion: reduce)");
  const root = document.documentElement;

  const setTheme = (dark) => {
    document.body.classList.toggle("dark", dark);
    root.style.colorScheme = dark ? "dark" : "light";
  };
  window.movaStudio = {
    lengthField: "num_frames",
    toggleTheme() {
      const dark = !document.body.classList.contains("dark");
      localStorage.setItem("mova-theme", dark ? "dark" : "light");
      setTheme(dark);
    },
    speak(language) {
      root.lang = language === "zh" ? "zh-CN" : "en";
      localStorage.setItem("mova-language", language);
    },
    /* After Generate: this tab remembers its jobs, and an error is brought into view. */
    ordered(jobs) {
      if (jobs) sessionStorage.setItem("mova-jobs", jobs);
      document.querySelector(".m-error:not([hidden])")?.scrollIntoView({ block: "center" });
    },
    /* A file that the server made on request, as {url, name} in JSON; "" for none. */
    save(file) {
      if (!file) return;
      const { url, name } = JSON.parse(file);
      const link = Object.assign(document.createElement("a"), { href: url, download: name });
      document.body.append(link);
      link.click();
      link.remove();
    },
  };

  if (/Mac|iPhone|iPad/.test(navigator.platform)) root.classList.add("m-mac");

  /* Gradio sets its own theme once while it starts; a choice made here comes after it. */
  const chosen = localStorage.getItem("mova-theme");
  const whenReady = (task) => {
    if (document.body && document.querySelector("gradio-app .gradio-container")) task();
    else setTimeout(() => whenReady(task), 50);
  };
  whenReady(() => {
    setTheme(chosen ? chosen === "dark" : document.body.classList.contains("dark"));
    if (!chosen)
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
        if (!localStorage.getItem("mova-theme")) setTheme(event.matches);
      });
  });

  document.addEventListener("input", (event) => {
    if (event.target.closest?.("#seconds")) window.movaStudio.lengthField = "seconds";
    else if (event.target.closest?.("#num-frames, #frame-rate")) window.movaStudio.lengthField = "num_frames";
  });

  /* A button that leads to another view. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-view]");
    if (!link) return;
    link.closest("dialog")?.close();
    document.querySelector(`#views [data-tab-id=${link.dataset.view}]`)?.click();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const button = document.querySelector("#generate");
    if (!button || button.offsetParent === null) return;
    event.preventDefault();
    button.click();
  });

  const give = (input, file) => {
    const parcel = new DataTransfer();
    parcel.items.add(file);
    input.files = parcel.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  /* A pasted picture becomes the first frame, or the last one if the first is there. */
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files || [])].find((item) => item.type.startsWith("image/"));
    if (!file) return;
    const input = document.querySelector("#first-frame input[type=file], #last-frame input[type=file]");
    if (!input) return;
    event.preventDefault();
    give(input, file);
  });

  /* A file dropped anywhere on the Create view restores its settings; on a picture it stays that picture's. */
  const restoreInput = () => {
    const box = document.querySelector("#restore");
    return box?.offsetParent ? box.parentElement.querySelector("input[type=file]") : null;
  };
  const isForRestoring = (event) =>
    [...(event.dataTransfer?.types || [])].includes("Files") && !event.target.closest?.(".m-picture") && restoreInput();
  const isSmallEnough = (file) => {
    const said = document.querySelector("#restore-large [data-limit]");
    said.hidden = file.size <= Number(said.dataset.limit);
    return said.hidden;
  };
  /* A file that was picked: too large, and it is not sent at all. */
  document.addEventListener(
    "change",
    (event) => {
      const file = event.target.files?.[0];
      if (event.target !== restoreInput() || !file || isSmallEnough(file)) return;
      event.stopImmediatePropagation();
      event.target.value = "";
    },
    true
  );
  for (const name of ["dragenter", "dragover"])
    document.addEventListener(name, (event) => {
      if (!isForRestoring(event)) return root.classList.remove("m-dragging");
      event.preventDefault();
      root.classList.add("m-dragging");
    });
  document.addEventListener("dragleave", (event) => event.relatedTarget || root.classList.remove("m-dragging"));
  document.addEventListener("drop", (event) => {
    root.classList.remove("m-dragging");
    if (!isForRestoring(event)) return;
    event.preventDefault();
    const file = event.dataTransfer.files[0];
    if (file) give(restoreInput(), file);
  });

  /* Players: the waveform shows what has been played and seeks; a hovered take plays with its sound. */
  const playerOf = (element) => element.closest?.("[data-player]");
  const showPlayed = (video) => {
    const played = playerOf(video)?.querySelector(".m-played");
    if (played && video.duration) {
      const part = video.currentTime < 0.02 ? 0 : (100 * video.currentTime) / video.duration;
      played.style.clipPath = `inset(0 ${100 - part}% 0 0)`;
    }
  };
  for (const name of ["timeupdate", "seeked"])
    document.addEventListener(name, (event) => event.target.tagName === "VIDEO" && showPlayed(event.target), true);
  let following = false;
  const follow = () => {
    const playing = [...document.querySelectorAll("[data-player] video")].filter((video) => !video.paused);
    playing.forEach(showPlayed);
    following = playing.length > 0;
    if (following) requestAnimationFrame(follow);
  };
  document.addEventListener("play", () => !following && !quiet.matches && follow(), true);

  document.addEventListener("click", (event) => {
    const wave = event.target.closest?.(".m-wave");
    const video = wave && playerOf(wave)?.querySelector("video");
    if (!video || !video.duration) return;
    const box = wave.getBoundingClientRect();
    video.currentTime = (video.duration * (event.clientX - box.left)) / box.width;
  });

  const start = (card) => {
    const video = card.querySelector("video");
    if (!video.hasAttribute("src")) video.src = video.dataset.src;
    /* Before the first click a browser may refuse sound; then it plays when it is clicked. */
    video.play().catch(() => {});
  };
  const stop = (card) => {
    const video = card.querySelector("video");
    video.pause();
    /* Lets go of its connection, of which a browser has six. */
    video.removeAttribute("src");
    video.load();
    card.querySelector(".m-played").style.clipPath = "";
  };
  document.addEventListener("mouseover", (event) => {
    const card = event.target.closest?.("[data-hover]");
    if (card && !card.contains(event.relatedTarget) && !quiet.matches) start(card);
  });
  document.addEventListener("mouseout", (event) => {
    const card = event.target.closest?.("[data-hover]");
    if (card && !card.contains(event.relatedTarget)) stop(card);
  });
  window.movaStudio.toggleCard = (card) => (card.querySelector("video").paused ? start : stop)(card);
  document.addEventListener("click", (event) => {
    const card = event.target.closest?.("[data-hover] .m-thumb")?.closest("[data-hover]");
    if (card) window.movaStudio.toggleCard(card);
  });
  document.addEventListener("keydown", (event) => {
    const card = event.target.closest?.("[data-hover]");
    if (!card || event.target.tagName !== "VIDEO" || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    window.movaStudio.toggleCard(card);
  });

  /* A new preview starts from the last picture of the one before, so that the screen never goes black between. */
  const canvas = document.createElement("canvas");
  let still = { job: "", picture: "" };
  const keepStill = ({ target: video }) => {
    if (!video.matches?.("video.m-preview") || !video.videoWidth) return;
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    still = { job: video.dataset.job, picture: canvas.toDataURL("image/jpeg", 0.85) };
  };
  for (const name of ["loadeddata", "timeupdate"]) document.addEventListener(name, keepStill, true);

  /* The title tells how far the job is, and at its end that it is done; so does a notification, if nobody is looking. */
  let running = false;
  const ended = () => {
    const video = document.querySelector("#stage .m-player video");
    const said = video?.getAttribute("aria-label") || document.querySelector("#stage .m-failed h3")?.innerText;
    if (!said) return "";
    if (document.hidden && window.Notification?.permission === "granted") {
      const notice = new Notification("MOVA Studio", { body: said, icon: "favicon.ico", tag: "mova-studio" });
      notice.onclick = () => { window.focus(); notice.close(); };
    }
    return `${video ? "✓" : "⚠"} ${said}`;
  };
  const tellTitle = () => {
    const bar = document.querySelector("#progress [role=progressbar]");
    const title = (words) => words && words !== document.title && (document.title = words);
    if (bar) title(`${bar.dataset.steps} · MOVA Studio`);
    else if (running) title(ended() || "MOVA Studio");
    running = !!bar;
  };
  const lookedAt = () => !document.hidden && /^[✓⚠]/.test(document.title) && (document.title = "MOVA Studio");
  document.addEventListener("visibilitychange", lookedAt);
  document.addEventListener("pointerdown", lookedAt);
  document.addEventListener(
    "click",
    (event) =>
      event.target.closest?.("#generate") && window.Notification?.permission === "default" && Notification.requestPermission(),
    true
  );

  const settle = () => {
    tellTitle();
    const preview = document.querySelector("video.m-preview:not([poster])");
    if (preview && still.job === preview.dataset.job) preview.poster = still.picture;
    /* With reduced motion nothing starts to move by itself; Gradio gives a film that it changes in place the attribute
       anew. */
    if (!quiet.matches) return;
    for (const video of document.querySelectorAll("video[autoplay]")) {
      video.removeAttribute("autoplay");
      video.pause();
    }
  };
  new MutationObserver(settle).observe(document, { childList: true, subtree: true, attributeFilter: ["autoplay"] });
})();
