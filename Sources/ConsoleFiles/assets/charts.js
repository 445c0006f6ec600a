// The telemetry explorer's charts: uPlot where it was there at the build, the server's own lines otherwise.
const box = document.getElementById("charts");
const resolved = (name) => {
  const probe = document.createElement("i");
  probe.className = `probe ${name}`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
};
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
const short = (value) => Number.isFinite(value) ? String(Math.round(value * 1000) / 1000) : "–";

// What is known of the span: its steps in the order of time, for each series; the newest may still grow.
let asked = { from: 0, to: 0, step: 1000 };
let askedAt = 0;
const span = () => asked.to - asked.from;
// The end of the axis moves on by this machine's steady clock from the time that the server named.
const now = () => asked.to + performance.now() - askedAt;
const charts = new Map();
const timeZone = document.documentElement.dataset.shownZone;
const ask = async () => {
  const answer = await (await fetch(box.dataset.points)).json();
  asked = answer;
  askedAt = performance.now();
  return answer.series;
};

// Columns to draw: times in seconds, mean, min, max, with an empty step wherever the device was silent for long.
const columns = ({ times, mean, min, max }) => {
  const gaps = times.slice(1).map((time, index) => time - times[index]);
  const limit = gaps.length > 1 ? Math.max(3 * median([...gaps]), 1.5 * asked.step) : Infinity;
  const drawn = [[], [], [], []];
  times.forEach((time, index) => {
    if (index && gaps[index - 1] > limit) {
      drawn[0].push((times[index - 1] + 1) / 1000);
      for (const column of drawn.slice(1)) column.push(null);
    }
    [time / 1000, mean[index], min[index], max[index]].forEach((value, column) => drawn[column].push(value));
  });
  return drawn;
};
// Points that no line reaches, because both their neighbours are gaps.
const alone = (values) => values.flatMap((value, index) =>
  value !== null && values[index - 1] == null && values[index + 1] == null ? [index] : []);

// Drops what has left the span, and says anew what is in it.
const update = (chart) => {
  const { steps, figure, plot } = chart;
  let gone = 0;
  while (gone < steps.times.length && steps.times[gone] < now() - span()) gone += 1;
  if (gone) for (const column of Object.values(steps)) column.splice(0, gone);
  const count = steps.count.reduce((sum, value) => sum + value, 0);
  const sum = steps.mean.reduce((sum, value, index) => sum + value * steps.count[index], 0);
  const say = (name, value) => { figure.querySelector(`[data-${name}]`).textContent = short(value); };
  say("low", steps.min.reduce((a, b) => Math.min(a, b), Infinity));
  say("mean", sum / count);
  say("high", steps.max.reduce((a, b) => Math.max(a, b), -Infinity));
  plot.setData(columns(steps));
};
const take = ({ steps }, time, value) => {
  const start = Math.floor(time / asked.step) * asked.step;
  const last = steps.times.length - 1;
  if (last >= 0 && start < steps.times[last]) return;
  if (last >= 0 && start === steps.times[last]) {
    steps.mean[last] = (steps.mean[last] * steps.count[last] + value) / (steps.count[last] + 1);
    steps.min[last] = Math.min(steps.min[last], value);
    steps.max[last] = Math.max(steps.max[last], value);
    steps.count[last] += 1;
  } else {
    for (const [name, part] of Object.entries({ times: start, mean: value, min: value, max: value, count: 1 })) {
      steps[name].push(part);
    }
  }
};
const fill = (series) => {
  for (const { name, times, mean, min, max, count } of series) {
    const chart = charts.get(name);
    if (chart) Object.assign(chart, { steps: { times, mean, min, max, count } });
  }
  charts.forEach(update);
};

const draw = async () => {
  const library = box?.dataset.uplot;
  if (!library) return;
  const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: box.dataset.styles });
  const script = Object.assign(document.createElement("script"), { src: library });
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(sheet, script);
  });
  const series = await ask();
  const line = resolved("ok");
  const text = resolved("quiet");
  const grid = resolved("line");
  const sync = uPlot.sync("time");
  for (const { name } of series) {
    const figure = [...box.children].find((child) => child.dataset.chart === name);
    if (!figure) continue;
    const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: "12px system-ui" };
    const holder = document.createElement("div");
    const fallback = figure.querySelector(".fallback");
    fallback.after(holder);
    const width = () => Math.max(figure.clientWidth - 32, 200);
    const plot = new uPlot({
      ...(timeZone && { tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), timeZone) }),
      width: width(), height: 220, legend: { show: false }, cursor: { sync: { key: sync.key }, points: { size: 7 } },
      scales: { x: { range: () => [(now() - span()) / 1000, now() / 1000] } },
      series: [
        {},
        {
          label: name, stroke: line, width: 1.5,
          points: {
            size: 5, show: (chart) => chart.data[0].length < 60,
            filter: (chart, index, shown) => shown ? null : alone(chart.data[index]),
          },
        },
        { label: "min", stroke: "transparent", points: { show: false } },
        { label: "max", stroke: "transparent", points: { show: false } },
      ],
      bands: [{ series: [3, 2], fill: line.replace("rgb(", "rgba(").replace(")", ", 0.18)") }],
      axes: [axis, { ...axis, size: 64 }],
    }, [[], [], [], []], holder);
    fallback.setAttribute("hidden", "");
    charts.set(name, { plot, figure });
    new ResizeObserver(() => plot.setSize({ width: width(), height: 220 })).observe(figure);
  }
  fill(series);
  box.dataset.ready = "true";
  document.addEventListener("value", ({ detail }) => {
    const chart = charts.get(detail.series);
    if (!chart || typeof detail.value !== "number") return;
    chart.figure.querySelector("[data-latest]").textContent = detail.value;
    take(chart, detail.time, detail.value);
    update(chart);
  });
  setInterval(() => { if (!document.hidden) charts.forEach(update); }, 5000);
  // Nothing came while the page was hidden: what was missed is asked for.
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask().then(fill).catch(() => {}); });
};
draw().catch(() => {});
