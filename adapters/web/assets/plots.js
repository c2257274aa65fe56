// The plots of the learning page. They draw what /learning/data and the stream of steps say, in the page's colours.

(() => {
  const main = document.querySelector('main.learning')
  const steps = new Map()
  const plots = new Map()
  let votes = []

  const colour = (name) => {
    // light-dark() is resolved only in a property that takes a colour.
    const probe = document.createElement('i')
    probe.style.color = `var(${name})`
    main.append(probe)
    const value = getComputedStyle(probe).color
    probe.remove()
    return value
  }
  const fade = (name) => colour(name).replace('rgb(', 'rgba(').replace(')', ', 0.12)')
  const axis = (more = {}) => ({
    stroke: colour('--dim'), font: '12px system-ui, sans-serif', labelFont: '12px system-ui, sans-serif',
    grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, gap: 6, ...more,
  })
  const figure = (value) => (value == null ? '' : String(Number(value.toPrecision(3))))

  function runPlot(box, name) {
    return new uPlot({
      width: box.clientWidth, height: 150, legend: { show: false }, cursor: { y: false, points: { size: 7 } },
      scales: { x: { time: false }, y: name === 'accuracy' ? { range: [0, 1] } : { range: (_u, low, high) => [Math.min(0, low), Math.max(high * 1.08, 0.1)] } },
      axes: [axis({ size: 28, space: 60 }), axis({ size: 38, space: 36, values: (_u, ticks) => ticks.map(figure) })],
      series: [{}, { stroke: colour('--accent'), width: 2, fill: fade('--accent'), points: { show: false } }],
      hooks: { setCursor: [({ cursor, data }) => say(name, cursor.idx == null ? data[1].at(-1) : data[1][cursor.idx])] },
    }, stepData(name), box)
  }
  function stepData(name) {
    const known = [...steps.values()].sort((a, b) => a.step - b.step)
    return [known.map((step) => step.step), known.map((step) => step[name] ?? null)]
  }
  function say(name, value) {
    const output = document.getElementById(`value-${name}`)
    if (output) output.textContent = figure(value)
  }

  /** Without a pointer over the plot, its legend tells of the newest day. */
  function newest(u) {
    u.setLegend({ idx: u.data[0].length - 1 })
  }
  function votesPlot(box) {
    const bars = uPlot.paths.bars({ size: [0.6, 28], align: 0 })
    const series = (label, name) => ({ label, stroke: colour(name), fill: colour(name), width: 0, paths: bars, points: { show: false }, value: (_u, value) => (value == null ? '–' : Math.abs(value)) })
    const day = 86400
    const days = votes.map((one) => Date.parse(one.day) / 1000)
    return new uPlot({
      width: box.clientWidth, height: 190, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      cursor: { y: false, points: { show: false } },
      scales: { x: { time: true, range: (_u, low, high) => [Math.min(low, high - 13 * day) - day * 0.7, high + day * 0.7] }, y: { range: (_u, low, high) => [Math.min(low, 0) * 1.15, Math.max(high, 1) * 1.15] } },
      axes: [axis({ size: 32, space: 70, incrs: [1, 2, 7, 14, 28, 90, 365].map((n) => n * day), values: (_u, ticks) => ticks.map((at) => new Date(at * 1000).toLocaleDateString(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' })) }), axis({ size: 32, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], values: (_u, ticks) => ticks.map((tick) => Math.abs(tick)) })],
      series: [{ label: 'Day', value: (_u, at) => (at == null ? '–' : new Date(at * 1000).toLocaleDateString(undefined, { timeZone: 'UTC' })) }, series('Up', '--good'), series('Down', '--bad')],
      hooks: { ready: [newest], setCursor: [(u) => { if (u.cursor.idx == null || u.cursor.left < 0) newest(u) }] },
    }, [days, votes.map((one) => one.up), votes.map((one) => -one.down)], box)
  }

  /** Draws what has a place and is not drawn yet; forgets what lost its place. */
  function draw() {
    for (const [box, plot] of plots) {
      if (box.isConnected) continue
      plot.destroy()
      plots.delete(box)
    }
    for (const box of main.querySelectorAll('.plot')) {
      if (plots.has(box)) continue
      if (box.id === 'plot-votes') { if (votes.length > 0) plots.set(box, votesPlot(box)) }
      else plots.set(box, runPlot(box, box.dataset.series))
    }
  }
  function redraw() {
    for (const plot of plots.values()) plot.destroy()
    plots.clear()
    draw()
  }
  function update() {
    for (const [box, plot] of plots) if (box.dataset.series) {
      plot.setData(stepData(box.dataset.series))
      say(box.dataset.series, plot.data[1].at(-1))
    }
    const last = [...steps.values()].at(-1)
    const bar = document.getElementById('run-bar')
    if (!last || !bar) return
    bar.max = last.of
    bar.value = last.step
    const left = last.etaSeconds == null ? '' : `, about ${duration(last.etaSeconds)} left`
    document.getElementById('run-line').textContent = `Step ${last.step} of ${last.of}${left}`
  }
  function duration(seconds) {
    const whole = Math.max(0, Math.round(seconds))
    return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ''}`
  }

  async function load() {
    const data = await (await fetch(main.dataset.data)).json()
    votes = data.votes
    take(data.steps)
    draw()
  }
  function take(fresh) {
    // A new run counts from one again.
    if (fresh.length > 0 && fresh[0].step < Math.max(0, ...steps.keys())) steps.clear()
    for (const step of fresh) steps.set(step.step, step)
    update()
  }
  const panel = () => htmx.trigger(document.body, 'learning')

  load()
  const stream = new EventSource(main.dataset.events)
  stream.addEventListener('steps', ({ data }) => {
    take(JSON.parse(data).steps)
    if (!document.getElementById('plots') && steps.size > 0) panel()
  })
  stream.addEventListener('say', ({ data }) => {
    const line = document.getElementById('run-line')
    const { text } = JSON.parse(data)
    if (line && text) line.textContent = text
  })
  stream.addEventListener('panel', panel)
  addEventListener('pagehide', () => stream.close())
  document.addEventListener('htmx:after:swap', () => { draw(); update() })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
  new ResizeObserver(() => {
    for (const [box, plot] of plots) if (box.clientWidth !== plot.width) plot.setSize({ width: box.clientWidth, height: plot.height })
  }).observe(main)
})()
