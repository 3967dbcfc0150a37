/* One question to the queue at a time. Gradio shows an answer that comes before its question was confirmed only when it
   is, so that of two questions on their way together the older answer may be shown last, and stay. */
(() => {
  const PATIENCE = 5000; /* ms that a question without a confirmation keeps the next one waiting */
  const ask = window.fetch.bind(window);
  const pause = (time) => new Promise((done) => setTimeout(done, time));
  let confirmed = Promise.resolve();
  window.fetch = (resource, options) => {
    if (!new URL(resource.url ?? resource, location).pathname.endsWith("/queue/join")) return ask(resource, options);
    const answer = confirmed.then(() => ask(resource, options));
    /* Read to its end, and a task later: by then Gradio listens for the answer. */
    const heard = answer.then((response) => response.clone().text()).catch(() => {}).then(() => pause(0));
    confirmed = Promise.race([heard, pause(PATIENCE)]);
    return answer;
  };
})();
