/** Line charts as SVG text: few points, two panels, readable on white and on dark pages. */

export interface Series {
  name: string
  colour: string
  /** One value for each of the chart's `at`; null leaves a gap. */
  values: (number | null)[]
}

export interface Panel {
  title: string
  series: Series[]
}

export interface Chart {
  title: string
  /** What the horizontal axis is. */
  axis: string
  /** Where the points stand, evenly spaced: they name settings, not distances. */
  at: string[]
  panels: Panel[]
}

const WIDTH = 380
const HEIGHT = 250
const LEFT = 62
const RIGHT = 16
const TOP = 64
const BOTTOM = 56
const LINES = 4
const INK = '#57606a'

/** The chart as the text of an SVG file. */
export function svgOf({ title, axis, at, panels }: Chart): string {
  const height = TOP + HEIGHT + BOTTOM
  const width = panels.length * (LEFT + WIDTH + RIGHT)
  const drawn = panels.map((panel, index) => panelOf(panel, at, axis, index * (LEFT + WIDTH + RIGHT) + LEFT))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<g font-family="system-ui, sans-serif" font-size="12" fill="${INK}">`,
    text(width / 2, 20, title, 'middle', 'font-size="15" font-weight="600"'),
    ...drawn.flat(),
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

function panelOf({ title, series }: Panel, at: string[], axis: string, left: number): string[] {
  const top = niceTop(Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0))))
  const x = (index: number) => left + (WIDTH * (index + 0.5)) / at.length
  const y = (value: number) => TOP + HEIGHT * (1 - value / top)
  const grid = Array.from({ length: LINES + 1 }, (_, line) => (top * line) / LINES).flatMap((value) => [
    `<line x1="${left}" x2="${left + WIDTH}" y1="${y(value)}" y2="${y(value)}" stroke="#d0d7de"/>`,
    text(left - 6, y(value) + 4, value.toLocaleString('en'), 'end'),
  ])
  return [
    text(left, TOP - 12, title, 'start', 'font-weight="600"'),
    ...legend(series, left + WIDTH),
    ...grid,
    ...at.map((label, index) => text(x(index), TOP + HEIGHT + 18, label, 'middle')),
    text(left + WIDTH / 2, TOP + HEIGHT + 40, axis, 'middle'),
    ...series.flatMap((one) => lineOf(one, x, y)),
  ]
}

function legend(series: Series[], right: number): string[] {
  return series.flatMap(({ name, colour }, index) => {
    const x = right - (series.length - index) * 70
    return [`<circle cx="${x}" cy="${TOP - 16}" r="4" fill="${colour}"/>`, text(x + 9, TOP - 12, name, 'start')]
  })
}

function lineOf({ colour, values }: Series, x: (index: number) => number, y: (value: number) => number): string[] {
  const points = values.flatMap((value, index) => (value === null ? [] : [{ x: round(x(index)), y: round(y(value)) }]))
  const path = points.map((point) => `${point.x},${point.y}`).join(' ')
  const dots = points.map((point) => `<circle cx="${point.x}" cy="${point.y}" r="3.5" fill="${colour}"/>`)
  return [`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`, ...dots]
}

/** The next of 1, 2, 4, 5, 8 times a power of ten: the grid then has round numbers. */
export function niceTop(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 4, 5, 8, 10].find((step) => step * power >= value) ?? 10) * power
}

const round = (value: number) => Math.round(value * 10) / 10

function text(x: number, y: number, content: string, anchor: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" ${more}>${escaped(content)}</text>`
}

const escaped = (content: string) =>
  content.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;' })[sign] ?? '&gt;')
