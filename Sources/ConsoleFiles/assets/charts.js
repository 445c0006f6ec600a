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
  const { series } = await (await fetch(box.dataset.points)).json();
  const line = resolved("ok");
  const text = resolved("quiet");
  const grid = resolved("line");
  const plots = new Map();
  const sync = uPlot.sync("time");
  for (const entry of series) {
    const figure = [...box.children].find((child) => child.dataset.chart === entry.name);
    if (!figure || !entry.times.length) continue;
    const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: "12px system-ui" };
    const data = [entry.times.map((time) => time / 1000), entry.mean, entry.min, entry.max];
    const holder = document.createElement("div");
    const fallback = figure.querySelector(".fallback");
    fallback.after(holder);
    const width = () => Math.max(figure.clientWidth - 32, 200);
    const plot = new uPlot({
      width: width(), height: 220, legend: { show: false }, cursor: { sync: { key: sync.key }, points: { size: 7 } },
      series: [
        {},
        { label: entry.name, stroke: line, width: 1.5, points: { show: entry.times.length < 60, size: 5 } },
        { label: "min", stroke: "transparent", points: { show: false } },
        { label: "max", stroke: "transparent", points: { show: false } },
      ],
      bands: [{ series: [3, 2], fill: line.replace("rgb(", "rgba(").replace(")", ", 0.18)") }],
      axes: [axis, { ...axis, size: 64 }],
    }, data, holder);
    fallback.setAttribute("hidden", "");
    plots.set(entry.name, { plot, data, figure });
    new ResizeObserver(() => plot.setSize({ width: width(), height: 220 })).observe(figure);
  }
  box.dataset.ready = "true";
  document.addEventListener("value", ({ detail }) => {
    const known = plots.get(detail.series);
    if (!known) return;
    known.figure.querySelector("[data-latest]").textContent = detail.value;
    const time = detail.time / 1000;
    const times = known.data[0];
    if (times.length && time <= times[times.length - 1]) return;
    times.push(time);
    for (const column of known.data.slice(1)) column.push(detail.value);
    known.plot.setData(known.data);
  });
};
draw().catch(() => {});
