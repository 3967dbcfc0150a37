/* Where things lie: frames of the film, frames of a clip's source, and which clips are seen and heard at a frame. */
(() => {
  const T = window.movaTimeline;
  const half = (value) => Math.floor(value + 0.5);
  const SAMPLES = 48000;

  T.Layout = class Layout {
    constructor(state) {
      this.state = state;
      this.rate = state.rate[0] / state.rate[1];
      this.clips = state.clips;
      this.frames = state.frames;
    }
    sourceRate(clip) {
      return clip.rate && clip.kind !== "title" ? clip.rate[0] / clip.rate[1] : this.rate;
    }
    /* Frames of the source for one frame of the film. */
    pace(clip) { return (clip.speed * this.sourceRate(clip)) / this.rate; }
    end(clip) { return clip.at + clip.length; }
    lengthOf(clip, start, stop) { return Math.max(1, half((stop - start) / this.pace(clip))); }
    sourceOf(clip, frame) {
      return Math.min(Math.max(clip.start + half((frame - clip.at) * this.pace(clip)), clip.start), clip.stop - 1);
    }
    filmOf(clip, source) { return clip.at + half((source - clip.start) / this.pace(clip)); }
    seconds(frame) { return frame / this.rate; }
    samples(frames) { return Math.round((frames / this.rate) * SAMPLES); }
    soundFrames(samples) { return (samples / SAMPLES) * this.rate; }

    /* The clip that a frame belongs to; in a dissolve the one that comes. */
    clipAt(frame) {
      const { clips } = this;
      let low = 0;
      let high = clips.length - 1;
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if (clips[middle].at <= frame) low = middle;
        else high = middle - 1;
      }
      const clip = clips[low];
      return clip && frame >= clip.at && frame < this.end(clip) ? clip : null;
    }
    cutBefore(frame) { return Math.max(0, ...this.clips.map((clip) => clip.at).filter((at) => at < frame)); }
    cutAfter(frame) {
      return Math.min(Math.max(this.frames - 1, 0), ...this.clips.map((clip) => clip.at).filter((at) => at > frame));
    }

    /* What is seen at a frame: [{clip, opacity, gain}], the lower one first; gains are the equal-power ones of a dissolve. */
    layersAt(frame) {
      const clip = this.clipAt(frame);
      if (!clip) return [];
      const index = this.clips.indexOf(clip);
      const since = frame - clip.at;
      if (clip.overlap && since < clip.overlap && index > 0) {
        const part = (since + 0.5) / clip.overlap;
        return [
          { clip: this.clips[index - 1], opacity: 1, gain: Math.cos((part * Math.PI) / 2) },
          { clip, opacity: Math.min(part, 1), gain: Math.sin((Math.min(part, 1) * Math.PI) / 2) },
        ];
      }
      return [{ clip, opacity: 1, gain: 1 }];
    }
    /* How far a dip has gone at a frame: {colour, opacity}. */
    dipAt(frame) {
      const clip = this.clipAt(frame);
      const index = this.clips.indexOf(clip);
      for (const second of [clip, this.clips[index + 1]]) {
        const dip = second?.transition;
        if (!dip || dip.kind === "dissolve") continue;
        const before = Math.floor(dip.frames / 2);
        const after = dip.frames - before;
        const away = frame - second.at;
        const opacity = away < 0 ? 1 + away / Math.max(before, 1) : 1 - (away + 0.5) / after;
        if (opacity > 0) return { colour: dip.kind, opacity: Math.min(opacity, 1) };
      }
      return { colour: "black", opacity: 0 };
    }
    /* Level of a clip at a frame, 0 for mute, with its fades. */
    gainAt(thing, frame) {
      if (thing.gain_db === null) return 0;
      const into = this.samples(frame - thing.at);
      const left = this.samples(thing.at + thing.length - frame);
      const fade = (samples, length) => (length ? Math.min(Math.max(samples / length, 0), 1) : 1);
      return 10 ** (thing.gain_db / 20) * fade(into, thing.fade_in) * fade(left, thing.fade_out);
    }
    soundAt(frame) {
      return this.state.sounds.find((sound) => frame >= sound.at && frame < sound.at + sound.length) || null;
    }
    captionAt(frame) {
      return this.state.captions.filter((each) => frame >= each.at && frame < each.at + each.length).map((each) => each.text);
    }

    /* Frames at which something may snap: cuts, ends of sounds, the playhead, whole seconds near by. */
    snapPoints(except = new Set(), playhead = null) {
      const points = [0, this.frames];
      for (const list of ["clips", "sounds", "captions"])
        for (const each of this.state[list]) if (!except.has(each.id)) points.push(each.at, each.at + each.length);
      if (playhead !== null) points.push(Math.round(playhead));
      return points;
    }
    snapped(frame, points, reach) {
      const seconds = half(half(frame / this.rate) * this.rate);
      let best = frame;
      let near = reach;
      for (const point of points)
        if (Math.abs(point - frame) <= near) {
          best = point;
          near = Math.abs(point - frame);
        }
      return best === frame && Math.abs(seconds - frame) <= reach / 2 ? seconds : best;
    }
  };
})();
