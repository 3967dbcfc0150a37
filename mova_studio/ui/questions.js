/* One question to the queue at a time. Gradio shows an answer that comes before its question was confirmed only when it
   is, so that of two questions on their way together the older answer may be shown last, and stay. Questions that still
   wait when the page is left, a press just before a reload, leave with it. */
(() => {
  const PATIENCE = 5000; /* ms that a question without a confirmation keeps the next one waiting */
  const MOST_LEAVING = 60000; /* characters; browsers refuse more than 64 KiB on behalf of a page that is gone */
  const ask = window.fetch.bind(window);
  const pause = (time) => new Promise((done) => setTimeout(done, time));
  let confirmed = Promise.resolve();
  let leave, leaving;
  const stay = () => (leaving = new Promise((done) => (leave = done)));
  stay();
  addEventListener("pagehide", () => {
    leave(true);
    stay();
  });
  window.fetch = (resource, options) => {
    if (!new URL(resource.url ?? resource, location).pathname.endsWith("/queue/join")) return ask(resource, options);
    const answer = Promise.race([confirmed, leaving]).then((left) =>
      ask(resource, left === true ? { ...options, keepalive: (options?.body?.length ?? 0) < MOST_LEAVING } : options));
    /* Read to its end, and a task later: by then Gradio listens for the answer. */
    const heard = answer.then((response) => response.clone().text()).catch(() => {}).then(() => pause(0));
    confirmed = Promise.race([heard, pause(PATIENCE)]);
    return answer;
  };
})();
