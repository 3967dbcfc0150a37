/* Pictures and waveforms of what a clip shows, and the ruler, drawn on canvases for the part that is in view. */
(() => {
  const T = window.movaTimeline;
  const BAR = 4; /* pixels from one bar of a waveform to the next */

  let colours = null;
  const read = () => {
    const style = getComputedStyle(document.body);
    const value = (name) => style.getPropertyValue(`--m-${name}`).trim();
    return {
      line: value("line"), dim: value("dim"), ink: value("ink"), wave: value("wave"), ok: value("ok"), raised: value("raised"),
      accent: value("accent"), warn: value("warn"), bad: value("bad"), panel: value("panel"),
      mono: '11px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
    };
  };
  T.colours = () => (colours ??= read());
  const repaint = new Set();
  T.onRepaint = (draw) => {
    repaint.add(draw);
    return () => repaint.delete(draw);
  };
  const painted = () => {
    colours = null;
    repaint.forEach((draw) => draw());
  };
  /* Light and dark are a class of the body. */
  T.watchTheme = () => new MutationObserver(painted).observe(document.body, { attributes: true, attributeFilter: ["class"] });

  /* Strips of small pictures, each fetched once. */
  const strips = new Map();
  T.strip = (strip) => {
    if (!strip?.url) return null;
    if (!strips.has(strip.url)) {
      const image = new Image();
      image.onload = painted;
      image.src = strip.url;
      strips.set(strip.url, image);
    }
    const image = strips.get(strip.url);
    return image.complete && image.naturalWidth ? image : null;
  };

  /* A canvas of a size in CSS pixels, sharp on every screen, empty. */
  T.pen = (canvas, width, height) => {
    const scale = Math.min(devicePixelRatio || 1, 2);
    const wide = Math.max(1, Math.round(width * scale));
    const high = Math.max(1, Math.round(height * scale));
    if (canvas.width !== wide || canvas.height !== high) {
      canvas.width = wide;
      canvas.height = high;
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    return pen;
  };

  /* Bars from x0 to x1; `at` gives the place in the source, 0 to 1, of a pixel. */
  const bars = (pen, peaks, x0, x1, at, middle, height, colour, gain) => {
    if (!peaks?.length) return;
    pen.fillStyle = colour;
    for (let bar = Math.floor(x0 / BAR); bar * BAR < x1; bar += 1) {
      const from = Math.max(0, Math.floor(at(bar * BAR) * peaks.length));
      const to = Math.min(peaks.length, Math.max(from + 1, Math.ceil(at((bar + 1) * BAR) * peaks.length)));
      let peak = 0;
      for (let index = from; index < to; index += 1) if (peaks[index] > peak) peak = peaks[index];
      const tall = Math.max(1.5, Math.min(peak * gain, 1) * height);
      pen.fillRect(bar * BAR - x0 + 0.5, middle - tall / 2, BAR - 1.5, tall);
    }
  };

  const slope = (pen, width, from, length, top, bottom, rising) => {
    if (length < 2) return;
    pen.fillStyle = "rgb(8 9 11 / 45%)";
    pen.beginPath();
    const x = rising ? -from : width - from - length;
    pen.moveTo(x, top);
    pen.lineTo(x + length, top);
    pen.lineTo(rising ? x : x + length, bottom);
    pen.fill();
  };

  /* The part of a clip from x0 to x1, in pixels from its left edge; `shape` = {start, pixels a source frame, width}. */
  T.drawClip = (canvas, clip, shape, x0, x1, height, layout, pixels) => {
    const paint = T.colours();
    const width = x1 - x0;
    const pen = T.pen(canvas, width, height);
    const tall = Math.round(height * 0.62);
    const image = T.strip(clip.strip);
    const zero = -shape.start * shape.scale;
    if (clip.kind === "title") {
      pen.fillStyle = clip.ground || "#14161a";
      pen.fillRect(0, 0, width, height);
      return;
    }
    if (image) {
      const count = clip.strip.count || 1;
      const wide = image.naturalWidth / count;
      const cell = Math.max(8, (tall * wide) / image.naturalHeight);
      for (let index = Math.floor((x0 - zero) / cell); zero + index * cell < x1; index += 1) {
        const place = ((index + 0.5) * cell) / shape.scale / clip.total;
        const shown = Math.min(Math.max(Math.floor(place * count), 0), count - 1);
        pen.drawImage(image, shown * wide, 0, wide, image.naturalHeight, zero + index * cell - x0, 0, cell - 1, tall);
      }
    }
    const gain = clip.gain_db === null ? 1 : 10 ** (clip.gain_db / 20);
    const colour = clip.gain_db === null ? paint.dim : paint.wave;
    const end = clip.total * shape.scale;
    bars(pen, clip.peaks, x0, x1, (x) => (x - zero) / end, tall + (height - tall) / 2, height - tall - 6, colour, gain);
    const frames = (samples) => layout.soundFrames(samples) * pixels;
    slope(pen, shape.width, x0, frames(clip.fade_in), tall, height, true);
    slope(pen, shape.width, x0, frames(clip.fade_out), tall, height, false);
  };

  T.drawSound = (canvas, sound, shape, x0, x1, height, layout, pixels) => {
    const pen = T.pen(canvas, x1 - x0, height);
    const gain = 10 ** (sound.gain_db / 20);
    const zero = -shape.start * shape.scale;
    const end = sound.total * shape.scale;
    const colour = sound.role === "voice" ? T.colours().wave : T.colours().ok;
    bars(pen, sound.peaks, x0, x1, (x) => (x - zero) / end, height / 2, height - 10, colour, gain);
    const frames = (samples) => layout.soundFrames(samples) * pixels;
    slope(pen, shape.width, x0, frames(sound.fade_in), 0, height, true);
    slope(pen, shape.width, x0, frames(sound.fade_out), 0, height, false);
  };

  /* Marks of time: as many as can be read. */
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
  T.drawRuler = (canvas, width, height, left, pixels, rate, pad) => {
    const paint = T.colours();
    const pen = T.pen(canvas, width, height);
    const second = pixels * rate;
    const frames = second >= 320;
    const step = frames ? 1 : STEPS.find((each) => each * second >= 84) || 3600;
    pen.font = paint.mono;
    pen.textBaseline = "top";
    const first = Math.max(0, Math.floor((left - pad) / second / step) * step);
    for (let at = first; pad + at * second - left < width; at += step) {
      const x = pad + at * second - left;
      pen.fillStyle = paint.dim;
      const minutes = String(Math.floor(at / 60)).padStart(2, "0");
      pen.fillText(`${minutes}:${String(at % 60).padStart(2, "0")}`, x + 4, 4);
      pen.fillStyle = paint.line;
      pen.fillRect(x, 4, 1, height - 4);
      const parts = frames ? Math.round(rate) : step === 1 ? 4 : step % 5 === 0 ? 5 : 2;
      for (let part = 1; part < parts; part += 1) pen.fillRect(x + (part * step * second) / parts, height - 5, 1, 5);
    }
  };
})();
