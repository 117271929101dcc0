import './known-language.ts'
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import './plot.css'
import { clockText } from '../view/words.ts'

export type Dash = 'solid' | 'dashed' | 'dotted'

export interface PlotLine {
  label: string
  /** One for each instant. NaN leaves a gap. */
  values: Float64Array
  /** A variable of theme.css, such as `--accent`. */
  colour: string
  /** Besides the colour, so that lines are told apart without it. Default: a solid line. */
  dash?: Dash
}

export interface PlotProps {
  title: string
  /** What the numbers are, in a few words. */
  about: string
  /** In ms, ascending. */
  times: Float64Array
  lines: readonly PlotLine[]
  /** A value with its unit. */
  text: (value: number) => string
  /** The same for the axis, where there is little room. Default: `text`. */
  tick?: (value: number) => string
  /** The top of the axis is at least this. */
  atLeast?: number
  /** The part of the time that is shown, in ms. */
  fromMs: number
  untilMs: number
}

const DASHES: Readonly<Record<Dash, number[]>> = { solid: [], dashed: [5, 3], dotted: [1.5, 2.5] }

const HEIGHT = 116
const AXIS_LEFT = 46
const AXIS_BOTTOM = 22
/** Instants that PageUp and PageDown skip. */
const PAGE = 10

/**
 * Lines over time, drawn like a printed figure. The numbers of an instant are read with the pointer, or with the arrow
 * keys when it has the focus; then they are announced.
 */
export function Plot({ title, about, times, lines, text, tick = text, atLeast = 0, fromMs, untilMs }: PlotProps) {
  const figure = useRef<HTMLElement>(null)
  const room = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const [at, setAt] = useState<number | undefined>(undefined)
  const [isKeyed, setKeyed] = useState(false)
  const id = useId()
  const first = firstAtLeast(times, fromMs)
  const data = useMemo(() => dataOf(times, lines, first), [times, lines, first])
  const count = data[0].length
  const latest = useRef({ fromMs, untilMs, atLeast, tick, lines, data })
  latest.current = { fromMs, untilMs, atLeast, tick, lines, data }

  useEffect(() => {
    const target = room.current as HTMLDivElement
    // uPlot draws once more after it is gone.
    const own = figure.current as HTMLElement
    const colourOf = (name: string): string => colourIn(own, name)
    const made = new uPlot(
      {
        width: Math.max(120, target.clientWidth),
        height: HEIGHT,
        padding: [8, 14, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6, width: 1.5 } },
        scales: {
          x: { time: false, range: () => [latest.current.fromMs, latest.current.untilMs] },
          y: { range: (_, __, max) => [0, niceTop(Math.max(latest.current.atLeast, max ?? 0))] },
        },
        axes: [
          axis(colourOf, {
            size: AXIS_BOTTOM,
            space: 52,
            grid: false,
            values: (ticks) => ticks.map(clockText),
            incrs: STEPS_MS,
          }),
          axis(colourOf, {
            size: AXIS_LEFT,
            space: 34,
            splits: (plotted) => {
              const top = plotted.scales.y?.max ?? 1
              return [0, top / 2, top]
            },
            grid: true,
            values: (ticks) => ticks.map((value) => latest.current.tick(value)),
          }),
        ],
        series: [
          {},
          ...lines.map(
            (_, index): uPlot.Series => ({
              stroke: () => colourOf(latest.current.lines[index]?.colour ?? '--ink'),
              width: 1.5,
              points: { show: false },
              spanGaps: false,
              dash: DASHES[lines[index]?.dash ?? 'solid'],
            }),
          ),
        ],
        hooks: {
          setCursor: [
            ({ cursor: { idx, left = -1 } }) => {
              setAt(left < 0 || idx === null || idx === undefined ? undefined : idx)
            },
          ],
        },
      },
      latest.current.data,
      target,
    )
    plot.current = made
    const fit = new ResizeObserver(() => {
      if (target.clientWidth > 0 && target.clientWidth !== made.width)
        made.setSize({ width: target.clientWidth, height: HEIGHT })
    })
    fit.observe(target)
    const redraw = (): void => made.redraw(false, true)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', redraw)
    const theme = new MutationObserver(redraw)
    theme.observe(document.documentElement, { attributes: true })
    return () => {
      theme.disconnect()
      dark.removeEventListener('change', redraw)
      fit.disconnect()
      made.destroy()
    }
  }, [lines.length])

  useEffect(() => {
    plot.current?.setData(data)
  }, [data, fromMs, untilMs])

  const point = (index: number): void => {
    const made = plot.current
    if (made === undefined || count === 0) return
    const bounded = Math.max(0, Math.min(count - 1, index))
    made.setCursor({ left: made.valToPos(data[0][bounded] as number, 'x'), top: 10 })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const from = at ?? count - 1
    const to = {
      ArrowLeft: from - 1,
      ArrowRight: from + 1,
      PageUp: from - PAGE,
      PageDown: from + PAGE,
      Home: 0,
      End: count - 1,
    }[event.key]
    if (event.key === 'Escape') plot.current?.setCursor({ left: -10, top: -10 })
    else if (to === undefined) return
    else point(to)
    setKeyed(true)
    event.preventDefault()
  }

  const index = at ?? count - 1
  const values = lines.map(({ label, colour, dash = 'solid' }, line) => {
    const value = (data[line + 1] as (number | null)[])[index]
    return { label, colour, dash, text: value === null || value === undefined ? '–' : text(value) }
  })
  const instant = count === 0 ? 'nothing yet' : clockText(data[0][index] as number)
  const spoken = `${instant}: ${values.map((one) => `${one.label} ${one.text}`).join(', ')}`
  return (
    <figure class="plot" ref={figure}>
      <figcaption id={id}>
        <span class="plot-title">{title}</span> <span class="plot-about">{about}</span>
      </figcaption>
      <div
        class="plot-room"
        ref={room}
        role="slider"
        tabIndex={0}
        aria-labelledby={id}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, count - 1)}
        aria-valuenow={Math.max(0, index)}
        aria-valuetext={instant}
        onKeyDown={onKeyDown}
        onBlur={() => {
          setKeyed(false)
          plot.current?.setCursor({ left: -10, top: -10 })
        }}
      />
      <ul class="plot-values">
        {values.map((one) => (
          <li key={one.label}>
            <svg class="plot-mark" viewBox="0 0 18 8" aria-hidden="true" style={{ color: `var(${one.colour})` }}>
              <line
                x1="1"
                y1="4"
                x2="17"
                y2="4"
                stroke="currentColor"
                stroke-width="2"
                stroke-dasharray={DASHES[one.dash].join(' ')}
              />
            </svg>
            <span class="plot-label">{one.label}</span> <b>{one.text}</b>
          </li>
        ))}
        <li class="plot-instant" hidden={at === undefined}>
          at {instant}
        </li>
      </ul>
      <p class="unseen" aria-live="polite">
        {isKeyed ? spoken : ''}
      </p>
    </figure>
  )
}

/** Steps of the axis of time: 1, 2, 5, 10, 15, 30 s and so on. */
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400].map(
  (s) => s * 1000,
)

type AxisOptions = Pick<uPlot.Axis, 'incrs' | 'splits'> & {
  size: number
  /** The least px between two ticks. */
  space: number
  /** Whether lines go across the drawing from it. */
  grid: boolean
  values: (ticks: number[]) => string[]
}

function axis(colourOf: (name: string) => string, { size, space, grid, values, ...rest }: AxisOptions): uPlot.Axis {
  return {
    stroke: () => colourOf('--muted'),
    font: '11px system-ui, sans-serif',
    size,
    space,
    gap: 5,
    values: (_, ticks) => values(ticks),
    grid: { show: grid, stroke: () => colourOf('--line'), width: 1, dash: [1, 3] },
    ticks: { show: !grid, stroke: () => colourOf('--line'), width: 1, size: 4 },
    border: { show: !grid, stroke: () => colourOf('--line'), width: 1 },
    ...rest,
  }
}

/** What the canvas needs: a colour in words that every canvas knows. */
function colourIn(element: HTMLElement, name: string): string {
  element.style.setProperty('--asked', `var(${name})`)
  return getComputedStyle(element, '::before').color
}

function dataOf(times: Float64Array, lines: readonly PlotLine[], first: number): [number[], ...(number | null)[][]] {
  return [
    [...times.subarray(first)],
    ...lines.map(({ values }) =>
      Array.from(values.subarray(first), (value) => (Number.isFinite(value) ? value : null)),
    ),
  ]
}

function firstAtLeast(times: Float64Array, ms: number): number {
  const at = times.findIndex((time) => time >= ms)
  return at === -1 ? times.length : at
}

/** 1, 2, 3, 4, 6 or 8 times a power of ten, at or above the value, so that half of it is round as well. */
function niceTop(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 3, 4, 6, 8, 10].find((factor) => factor * power >= value) ?? 10) * power
}
