/* The adapters of a shot: rows over the hidden text #adapters, which is what the server reads. */
(() => {
  const PARTS = ["high", "low", "audio", "bridge"];
  let uses = [], root = null, open = new Set();

  const make = (tag, properties = {}, children = []) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const known = () => JSON.parse(root.dataset.known);
  const say = (key) => JSON.parse(root.dataset.words)[key] ?? key;

  const text = () => document.querySelector("#adapters textarea, #adapters input");

  const write = () => {
    const field = text();
    const kind = field.tagName === "TEXTAREA" ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(field, JSON.stringify(uses));
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  /* A field with its label. What is no number is left to the server to refuse, as null. */
  const number = (label, value, step, placeholder, change) => {
    const input = make("input", { type: "number", step, placeholder, value: value ?? "" });
    input.addEventListener("input", () => {
      change(input.value === "" ? null : Number(input.value));
      write();
    });
    return make("label", {}, [make("span", { textContent: label }), input]);
  };

  const row = (use) => {
    const entry = known().find((it) => it.digest === use.digest);
    const parts = PARTS.filter((part) => (entry ? entry.parts.includes(part) : use[part]));
    const equal = parts.every((part) => use[part] === use[parts[0]]);
    const strength = number(say("shot.strength"), equal ? use[parts[0]] : null, 0.05, say("shot.mixed"), (value) => {
      for (const part of parts) use[part] = value;
      for (const input of byPart) input.value = value ?? "";
    });
    strength.className = "m-strength";
    const partFields = parts.map((part) => number(say(`part.${part}`), use[part], 0.05, "", (value) => {
      use[part] = value;
      const same = parts.every((each) => use[each] === value);
      strength.querySelector("input").value = same ? value ?? "" : "";
    }));
    const byPart = partFields.map((field) => field.querySelector("input"));
    const fold = make("details", { open: open.has(use.digest) }, [
      make("summary", { textContent: say("shot.details") }),
      make("div", { className: "m-adapter-parts" }, [
        ...partFields,
        number(say("shot.from"), use.start, 0.05, "", (value) => { use.start = value; }),
        number(say("shot.until"), use.stop, 0.05, "", (value) => { use.stop = value; }),
      ]),
    ]);
    fold.addEventListener("toggle", () => { open[fold.open ? "add" : "delete"](use.digest); });
    const off = make("button", { type: "button", className: "m-small", textContent: "×", title: say("shot.remove") });
    off.setAttribute("aria-label", `${say("shot.remove")}: ${use.name}`);
    off.addEventListener("click", () => {
      uses = uses.filter((it) => it !== use);
      write();
      draw();
      root.querySelector("select, button")?.focus();
    });
    const head = make("div", { className: "m-adapter-head" }, [
      make("b", { textContent: use.name, title: use.name }), strength, off,
    ]);
    const fault = entry ? entry.misfit : say("shot.gone");
    const words = fault ? [make("p", { className: "m-error", textContent: fault })] : [];
    const box = make("div", { className: "m-adapter" }, [head, ...words, fold]);
    box.dataset.adapter = use.name;
    return box;
  };

  const chooser = () => {
    const rest = known().filter((entry) => !uses.some((use) => use.digest === entry.digest));
    if (!known().length) {
      const link = make("button", { type: "button", className: "m-link", textContent: say("shot.models") });
      link.dataset.view = "models";
      const owner = document.querySelector("#views [data-tab-id=models]");
      return make("p", { className: "m-hint" }, [`${say("shot.none")} `, ...(owner ? [link] : [])]);
    }
    const select = make("select", { disabled: !rest.length }, [
      make("option", { value: "", textContent: say("shot.add") }),
      ...rest.map((entry) => make("option", { value: entry.digest, textContent: entry.name })),
    ]);
    select.setAttribute("aria-label", say("shot.add"));
    select.addEventListener("change", () => {
      const entry = rest.find((it) => it.digest === select.value);
      if (!entry) return;
      const strengths = Object.fromEntries(PARTS.map((part) => [part, entry.parts.includes(part) ? 1 : 0]));
      uses = [...uses, { name: entry.name, digest: entry.digest, ...strengths, start: 0, stop: 1 }];
      write();
      draw();
      root.querySelector(".m-adapter:last-of-type input")?.focus();
    });
    return select;
  };

  const draw = () => {
    if (!root) return;
    const label = make("span", { className: "m-heading", textContent: say("shot.label") });
    root.replaceChildren(label, ...uses.map(row), chooser());
  };

  window.movaAdapters = {
    attach(element, watch) {
      const find = () => { root = element.querySelector(".m-adapters"); draw(); };
      find();
      watch("value", find);
      /* The fold around both may have been closed when the server wrote the text. */
      const read = () => {
        if (text()) window.movaAdapters.show(text().value);
        else if (element.isConnected) setTimeout(read, 50);
      };
      read();
    },
    /* The text was changed, here or by the server. */
    show(text) {
      if (text === JSON.stringify(uses)) return;
      uses = JSON.parse(text || "[]");
      draw();
    },
  };
})();
