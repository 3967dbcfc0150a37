/* Answers are shown in the order in which they leave the server. Gradio keeps one that comes before its question was
   confirmed until it is, and shows every other a task late, so that of two answers on their way together the older may
   be shown last, and stay. Hence one question to the queue at a time, and answers are shown as they come. Questions that
   still wait when the page is left, a press just before a reload, leave with it. */
(() => {
  const PATIENCE = 5000; /* ms that a question without a confirmation keeps the next one waiting */
  const MOST_LEAVING = 20000; /* characters of at most three bytes; browsers refuse 64 KiB for a page that is gone */
  const ask = window.fetch.bind(window);
  const later = window.setTimeout.bind(window);
  const pause = (time) => new Promise((done) => later(done, time));
  let confirmed = Promise.resolve();
  let leave, leaving;
  const stay = () => (leaving = new Promise((done) => (leave = done)));
  stay();
  addEventListener("pagehide", () => {
    leave(true);
    stay();
  });
  window.setTimeout = (what, time, ...given) =>
    time === 0 && given[0]?.event_id && given[0].msg ? void what(...given) : later(what, time, ...given);
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
