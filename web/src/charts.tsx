import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { clock } from './format.ts'
import { useStore } from './hooks.ts'
import { shownScheme } from './scheme.ts'

export interface TimeChartProps {
  /** What the line is: `Parked`. */
  name: string
  /** Epoch milliseconds, ascending. */
  times: readonly number[]
  values: readonly (number | null)[]
  format: (value: number) => string
  /** Of the scale; without it, what the values need. */
  top?: number
  height: number
  /** Counts stay until the next one: they are drawn as steps. */
  steps?: boolean
  small?: boolean
}

/** One line over time. Painted for those who see it, told in a sentence and as a table for those who do not. */
export function TimeChart(props: TimeChartProps) {
  const { name, times, values, format, height, small = false } = props
  const [pointed, point] = useState<number | null>(null)
  const last = times.length - 1
  const place = pointed !== null && pointed <= last ? pointed : last
  const at = times[place]
  const value = values[place]
  return (
    <figure class={small ? 'chart chart-small' : 'chart'}>
      <figcaption class="chart-caption">
        <span>{name}</span>
        <span class="chart-value">
          {value === null || value === undefined ? '–' : format(value)}
          <span class="chart-at">{at === undefined ? '' : pointed === null ? 'now' : clock.at(at, Date.now())}</span>
        </span>
      </figcaption>
      <div role="img" aria-label={summaryOf(props)} class="chart-room" style={{ '--height': `${height}px` }}>
        {times.length > 1 ? (
          <Canvas {...props} onPoint={point} />
        ) : (
          <p class="chart-none">Not enough time has passed to draw a line.</p>
        )}
      </div>
      {times.length > 1 && <Table {...props} times={times} values={values} />}
    </figure>
  )
}

function summaryOf({ name, times, values, format }: TimeChartProps): string {
  let least = -1
  let most = -1
  values.forEach((value, i) => {
    if (value === null) return
    if (least === -1 || value < (values[least] as number)) least = i
    if (most === -1 || value > (values[most] as number)) most = i
  })
  if (least === -1) return `${name}: nothing to draw yet.`
  const when = (i: number) => clock.at(times[i] as number, Date.now())
  const tell = (i: number) => `${format(values[i] as number)} at ${when(i)}`
  const last = values.findLastIndex((value) => value !== null)
  return `${name} from ${when(0)}: least ${tell(least)}, most ${tell(most)}, last ${tell(last)}.`
}

const MOST_ROWS = 48

function Table({ name, times, values, format }: TimeChartProps) {
  const [open, setOpen] = useState(false)
  const step = Math.ceil(times.length / MOST_ROWS)
  const rows = open
    ? times.map((at, i) => ({ at, value: values[i] ?? null })).filter((_, i) => (times.length - 1 - i) % step === 0)
    : []
  return (
    <details class="chart-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span class="sr-only">{name} </span>
        as a table
      </summary>
      {open && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        <section class="scroll" tabIndex={0} aria-label={`${name} as a table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col" class="number">
                  {name}
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.reverse().map(({ at, value }) => (
                <tr key={at}>
                  <td>{clock.at(at, Date.now())}</td>
                  <td class="number">{value === null ? '–' : format(value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  )
}

function Canvas(props: TimeChartProps & { onPoint: (place: number | null) => void }) {
  const { times, values } = props
  const scheme = useStore(shownScheme)
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const data = useMemo<uPlot.AlignedData>(() => [[...times], [...values]], [times, values])

  // Colours are painted into the canvas, so another scheme is another plot.
  useEffect(() => {
    const element = place.current as HTMLDivElement
    const made = new uPlot(optionsOf(props, element), data, element)
    plot.current = made
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: props.height }))
    resized.observe(element)
    return () => {
      resized.disconnect()
      plot.current = null
      made.destroy()
    }
  }, [scheme, props.height, props.top, props.steps, props.small])

  useEffect(() => plot.current?.setData(data), [data])
  return <div ref={place} class="chart-canvas" />
}

function optionsOf(
  { format, top, height, steps, small, onPoint }: TimeChartProps & { onPoint: (place: number | null) => void },
  element: HTMLElement,
): uPlot.Options {
  const colour = (name: string) => resolved(element, name)
  const text = {
    stroke: colour('--ink-soft'),
    font: `12px ${getComputedStyle(element).fontFamily}`,
    ticks: { show: false },
  }
  const grid = { stroke: colour('--line'), width: 1 }
  const paths = steps ? uPlot.paths.stepped?.({ align: 1 }) : uPlot.paths.linear?.()
  return {
    width: Math.max(element.clientWidth, 1),
    height,
    ms: 1,
    padding: [8, small ? 28 : 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: true }, y: { range: (_, __, most) => [0, top ?? niceTop(most, steps === true)] } },
    axes: [
      { ...text, grid: { show: false }, space: 70, size: 28, values: (_, times) => times.map(markOf(times)) },
      {
        ...text,
        grid,
        space: small ? 28 : 40,
        size: roomFor(format),
        ...(steps && { incrs: WHOLE }),
        values: (_, splits) => splits.map((n) => format(n)),
      },
    ],
    series: [
      {},
      {
        stroke: colour('--chart'),
        fill: colour('--chart-fill'),
        width: 1.75,
        points: { show: false },
        ...(paths && { paths }),
      },
    ],
    hooks: { setCursor: [(made) => onPoint(made.cursor.idx ?? null)] },
  }
}

/** As wide as the widest text of the scale, which is not known before it is drawn. */
const roomFor = (format: (value: number) => string) => (_: uPlot, splits: string[] | null) =>
  14 + 7.5 * Math.max(2, ...(splits ?? [format(0)]).map(({ length }) => length))

/** Marks of a scale of counts: no half cars. */
const WHOLE = [0, 1, 2, 3, 4, 5, 6].flatMap((power) => [1, 2, 5].map((n) => n * 10 ** power))

const markOf = (times: readonly number[]) => ((times[1] ?? 0) - (times[0] ?? 0) < 60_000 ? clock.second : clock.minute)

/** Room above the line, and none of a scale of nothing. */
const niceTop = (most: number | null, whole: boolean): number => Math.max(whole ? 4 : 1, (most ?? 0) * 1.12)

/** A custom property as the canvas understands it: `light-dark()` is settled only where it is a colour. */
function resolved(element: HTMLElement, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
