// All clips of the page as one film: played, stopped and sought together.
"use strict";
(() => {
  const films = () => [...document.querySelectorAll(".clip:not([hidden]) video")];
  const [play, seek, time, speed, loop] = ["play", "seek", "time", "speed", "loop"].map((id) => document.getElementById(id));
  const SLACK = 0.12; // seconds that clips may be apart
  let playing = false;

  const length = () => Math.max(0.01, ...films().map((film) => film.duration || 0));
  const leader = () => films().reduce((longest, film) => (film.duration || 0) > (longest.duration || 0) ? film : longest, films()[0]);
  const end = (film) => Math.max(0, (film.duration || 0) - 0.02);

  const at = (seconds) => {
    for (const film of films()) film.currentTime = Math.min(seconds, end(film));
    show(seconds);
  };
  const show = (seconds) => {
    seek.value = Math.round(1000 * seconds / length());
    seek.setAttribute("aria-valuetext", `${seconds.toFixed(1)} seconds`);
    time.textContent = `${seconds.toFixed(1)} s`;
  };
  const set = (on) => {
    playing = on && films().length > 0;
    play.textContent = playing ? "Pause" : "Play";
    if (playing && leader().currentTime >= end(leader())) at(0);
    for (const film of films()) {
      film.playbackRate = Number(speed.value);
      if (playing && film.currentTime < end(film)) film.play().catch(() => {});
      else film.pause();
    }
  };
  const tick = () => {
    if (playing && films().length) {
      const first = leader(), now = first.currentTime;
      if (first.ended || now >= end(first)) {
        at(0);
        set(loop.checked);
      } else {
        for (const film of films()) {
          const there = Math.min(now, end(film));
          if (Math.abs(film.currentTime - there) > SLACK * Number(speed.value)) film.currentTime = there;
          if (film.paused && there < end(film)) film.play().catch(() => {});
        }
        show(now);
      }
    }
    requestAnimationFrame(tick);
  };

  const broken = (film) => {
    const told = document.createElement("p");
    [told.className, told.textContent] = ["notice bad", "This clip cannot be played: leave it out. The run makes it again when it is resumed."];
    film.replaceWith(told);
  };
  for (const film of document.querySelectorAll(".clip video")) {
    if (film.error) broken(film);
    else film.addEventListener("error", () => broken(film));
  }

  play.addEventListener("click", () => set(!playing));
  seek.addEventListener("input", () => at(Number(seek.value) / 1000 * length()));
  speed.addEventListener("change", () => set(playing));
  // other clips than before: from the beginning, as they were going
  document.addEventListener("clips-changed", () => {
    for (const film of document.querySelectorAll(".clip[hidden] video")) film.pause();
    if (films().length) at(0);
    set(playing);
  });
  window.films = { toggle: () => set(!playing), step: (by) => { set(false); at(Math.min(Math.max(0, Number(seek.value) / 1000 * length() + by), length())); } };
  requestAnimationFrame(tick);
})();
