/* What is heard: every player's sound goes through one mixer, whose two channels the meters show. */
(() => {
  const T = window.movaTimeline;
  const FLOOR = -60;
  const MARKS = [0, -6, -12, -18, -24, -36, -48];
  const HOLD_MS = 1500;
  const FALL = 24; /* dB a second */

  T.Mixer = class Mixer {
    constructor() { this.gains = new Map(); }
    /* A browser lets a page sound only after a click or a key, so this is called by the first play. */
    open() {
      if (this.context) {
        if (this.context.state === "suspended") this.context.resume();
        return;
      }
      this.context = new AudioContext({ latencyHint: "interactive" });
      this.master = this.context.createGain();
      const splitter = this.context.createChannelSplitter(2);
      this.master.channelCount = 2;
      this.master.channelCountMode = "explicit";
      this.master.connect(splitter);
      this.master.connect(this.context.destination);
      this.channels = [0, 1].map((channel) => {
        const analyser = this.context.createAnalyser();
        analyser.fftSize = 2048;
        splitter.connect(analyser, channel);
        return { analyser, samples: new Float32Array(analyser.fftSize) };
      });
      for (const media of this.gains.keys()) this.connect(media);
      this.context.resume();
    }
    add(media) {
      this.gains.set(media, null);
      if (this.context) this.connect(media);
    }
    connect(media) {
      const gain = this.context.createGain();
      this.context.createMediaElementSource(media).connect(gain).connect(this.master);
      this.gains.set(media, gain);
    }
    /* Level of one player, 1 as it is. */
    level(media, value) {
      const gain = this.gains.get(media);
      if (!gain) media.volume = Math.min(Math.max(value, 0), 1);
      else if (Math.abs(gain.gain.value - value) > 1e-4) gain.gain.setTargetAtTime(value, this.context.currentTime, 0.005);
    }
    /* Peaks of both channels in dB of full scale. */
    peaks() {
      if (!this.context) return [-Infinity, -Infinity];
      return this.channels.map(({ analyser, samples }) => {
        analyser.getFloatTimeDomainData(samples);
        let peak = 0;
        for (let index = 0; index < samples.length; index += 1) peak = Math.max(peak, Math.abs(samples[index]));
        return 20 * Math.log10(peak || 1e-9);
      });
    }
    close() { this.context?.close(); }
  };

  T.Meters = class Meters {
    constructor(mixer) {
      this.mixer = mixer;
      this.canvas = T.h("canvas", { "aria-hidden": "true" });
      this.said = T.h("output", { class: "t-peak m-mono", title: T.say("meter.peak") });
      this.element = T.h("div", { class: "t-meters", role: "img", "aria-label": T.say("meter.label") }, this.canvas, this.said);
      this.shown = [FLOOR, FLOOR];
      this.held = [0, 1].map(() => ({ value: FLOOR, until: 0 }));
      this.loudest = -Infinity;
    }
    resized() {
      this.height = Math.max(60, this.element.clientHeight - 22);
      this.draw();
    }
    begin() {
      this.loudest = -Infinity;
      this.running ||= requestAnimationFrame((now) => this.step(now));
    }
    step(now) {
      const part = Math.min((now - (this.before || now)) / 1000, 0.1);
      this.before = now;
      const peaks = this.mixer.peaks();
      peaks.forEach((peak, channel) => {
        this.shown[channel] = Math.max(peak, this.shown[channel] - FALL * part, FLOOR);
        const held = this.held[channel];
        if (peak >= held.value || now > held.until) Object.assign(held, { value: Math.max(peak, FLOOR), until: now + HOLD_MS });
      });
      this.loudest = Math.max(this.loudest, ...peaks);
      this.draw();
      const still = this.shown.every((value) => value <= FLOOR) && this.held.every((held) => held.value <= FLOOR);
      this.running = still && !this.busy ? 0 : requestAnimationFrame((next) => this.step(next));
      if (!this.running) this.before = 0;
    }
    draw() {
      const height = this.height || 120;
      const paint = T.colours();
      const pen = T.pen(this.canvas, 44, height);
      const y = (value) => 4 + ((height - 8) * Math.min(value, 0)) / FLOOR;
      pen.font = paint.mono.replace("11px", "9.5px");
      pen.textBaseline = "middle";
      pen.textAlign = "right";
      this.shown.forEach((value, channel) => {
        const x = 22 + channel * 11;
        pen.fillStyle = paint.line;
        pen.fillRect(x, 4, 8, height - 8);
        for (const [from, to, colour] of [[FLOOR, -12, paint.ok], [-12, -3, paint.warn], [-3, 0, paint.bad]]) {
          const top = Math.min(value, to);
          if (top <= from) continue;
          pen.fillStyle = colour;
          pen.fillRect(x, y(top), 8, y(from) - y(top));
        }
        const { value: held } = this.held[channel];
        if (held > FLOOR) {
          pen.fillStyle = held > -1 ? paint.bad : paint.ink;
          pen.fillRect(x, y(held) - 1, 8, 2);
        }
      });
      pen.fillStyle = paint.dim;
      const marks = height < 150 ? MARKS.filter((mark) => mark % 12 === 0) : MARKS;
      for (const mark of marks) pen.fillText(mark === 0 ? "0" : `−${-mark}`, 18, Math.max(y(mark), 7));
      const words = this.loudest > FLOOR ? this.loudest.toFixed(1).replace("-", "−") : "–";
      if (this.said.textContent !== words) this.said.textContent = words;
      this.said.classList.toggle("m-bad", this.loudest > -1);
    }
  };
})();
