import type { ComponentChildren } from 'preact'
import { useId, useRef } from 'preact/hooks'
import { useWidth } from '../ui/use-width.ts'
import { areasBetween, instantTicks, type Point, pathOf, ticksOf, valueText } from './scale.ts'
import './figure.css'

export interface Line {
  label: string
  /** Its place among the colours and dashes, from 0. */
  look: number
  points: readonly Point[]
  /** From low to high at each x. */
  band?: readonly { x: number; low: number; high: number }[]
}

export interface Mark {
  from: number
  until: number
  words: string
}

interface FigureProps {
  title: string
  unit: string
  /** What it shows, in a sentence, for somebody who does not see it. */
  summary: string
  lines: readonly Line[]
  x: { from: number; until: number; label: string; ticks?: readonly number[]; text?: (value: number) => string }
  /** The y axis goes to here at least. */
  yMax?: number
  yText?: (value: number) => string
  /** The area between the first two lines is filled. */
  isDifference?: boolean
  marks?: readonly Mark[]
  /** Instants with a name. */
  notes?: readonly { x: number; words: string }[]
  playhead?: number
  /** Points are drawn besides the lines. */
  hasDots?: boolean
  /** Lines are named at their ends, where there is room. */
  hasNames?: boolean
  height?: number
  table: { head: readonly string[]; rows: readonly (readonly string[])[] }
  children?: ComponentChildren
}

const LEFT = 44
const BOTTOM = 34
const TOP = 10
const NAMES_WIDTH = 118
/** What is written beside an instant needs so much room. */
const NOTE_WIDTH = 140
/** The least distance between two names at the right edge. */
const NAME_HEIGHT = 15

function secondsText(ms: number): string {
  return valueText(ms / 1000)
}

/** A figure: a title with its unit, lines, and the same numbers as a table. */
export function Figure(props: FigureProps) {
  const { title, unit, summary, lines, table, children } = props
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box, 520)
  const id = useId()
  return (
    <figure class="fig" aria-labelledby={id}>
      <figcaption id={id}>
        <b>{title}</b> <span class="fig-unit">{unit}</span>
        {children}
      </figcaption>
      <div class="fig-box" ref={box}>
        <Drawing {...props} width={width} />
      </div>
      <p class="fig-summary visually-hidden">{summary}</p>
      <details class="fig-table">
        <summary>
          As a table<span class="visually-hidden">: {title}</span>
        </summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
        <section class="table-scroll" tabIndex={0} aria-label={`Table: ${title}`}>
          <table>
            <thead>
              <tr>
                {table.head.map((cell) => (
                  <th key={cell} scope="col">
                    {cell}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.rows.map((row) => (
                <tr key={row[0]}>
                  {row.map((cell, at) =>
                    at === 0 ? (
                      <th key={table.head[at]} scope="row">
                        {cell}
                      </th>
                    ) : (
                      <td key={table.head[at]}>{cell}</td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
      {lines.length === 0 && <p class="fig-empty">Nothing to draw yet.</p>}
    </figure>
  )
}

function Drawing({
  lines,
  x,
  yMax = 0,
  yText = valueText,
  isDifference = false,
  marks = [],
  notes = [],
  playhead,
  hasDots = false,
  hasNames = false,
  height = 190,
  width,
}: FigureProps & { width: number }) {
  const isNamed = hasNames && width > 460
  const right = width - (isNamed ? NAMES_WIDTH : 12)
  const bottom = height - BOTTOM
  const values = lines.flatMap(({ points, band = [] }) => [
    ...points.map(([, y]) => y),
    ...band.map(({ high }) => high),
  ])
  const ticks = ticksOf(Math.max(yMax, ...values.filter((value) => Number.isFinite(value))))
  const top = ticks.at(-1) as number
  const xOf = (value: number): number => LEFT + ((value - x.from) / (x.until - x.from)) * (right - LEFT)
  const yOf = (value: number): number => bottom - (value / top) * (bottom - TOP)
  const placed = lines.map(({ points }) => points.map(([px, py]): Point => [xOf(px), yOf(py)]))
  const xTicks = x.ticks ?? instantTicks(x.from, x.until, Math.max(3, Math.floor((right - LEFT) / 60)))
  const [first, second] = placed
  return (
    <svg class="fig-drawing" viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
      {marks.map(({ from, until, words }) => (
        <g key={`${from} ${words}`} class="fig-mark">
          <rect x={xOf(from)} y={TOP} width={Math.max(1.5, xOf(until) - xOf(from))} height={bottom - TOP} />
          <title>{words}</title>
        </g>
      ))}
      {ticks.map((tick) => (
        <g key={tick} class={tick === 0 ? 'fig-base' : 'fig-grid'}>
          <line x1={LEFT} x2={right} y1={yOf(tick)} y2={yOf(tick)} />
          <text x={LEFT - 7} y={yOf(tick) + 4} text-anchor="end">
            {yText(tick)}
          </text>
        </g>
      ))}
      {xTicks.map((tick) => (
        <g key={tick} class="fig-x">
          <line x1={xOf(tick)} x2={xOf(tick)} y1={bottom} y2={bottom + 4} />
          <text x={xOf(tick)} y={bottom + 17} text-anchor="middle">
            {(x.text ?? secondsText)(tick)}
          </text>
        </g>
      ))}
      <text class="fig-x-label" x={right} y={height - 3} text-anchor="end">
        {x.label}
      </text>
      {isDifference &&
        first !== undefined &&
        second !== undefined &&
        areasBetween(first, second).map(({ isFirstHigher, points }) => (
          <path
            key={`${points[0]}`}
            // Up is less on a screen.
            class={`fig-between between-${isFirstHigher ? 1 : 0}`}
            d={`${pathOf(points)}Z`}
          />
        ))}
      {lines.map(
        ({ label, look, band }) =>
          band !== undefined && (
            <path
              key={`band ${label}`}
              class={`fig-band look-of-${look}`}
              d={bandPath(band.map((one) => ({ x: xOf(one.x), low: yOf(one.low), high: yOf(one.high) })))}
            />
          ),
      )}
      {lines.map(({ label, look }, at) => (
        <path key={label} class={`fig-line look-of-${look}`} d={pathOf(placed[at] as Point[])} />
      ))}
      {hasDots &&
        lines.flatMap(({ label, look }, at) =>
          (placed[at] as Point[])
            .filter(([, py]) => !Number.isNaN(py))
            .map(([px, py]) => <Dot key={`${label} ${px}`} look={look} x={px} y={py} />),
        )}
      {notes.map(({ x: at, words }) => (
        <g key={words} class="fig-note">
          <line x1={xOf(at)} x2={xOf(at)} y1={TOP - 6} y2={bottom} />
          <text
            {...(xOf(at) + NOTE_WIDTH > right ? { x: xOf(at) - 7, 'text-anchor': 'end' } : { x: xOf(at) + 7 })}
            y={TOP + (bottom - TOP) / 2}
          >
            {words}
          </text>
        </g>
      ))}
      {playhead !== undefined && (
        <line class="fig-playhead" x1={xOf(playhead)} x2={xOf(playhead)} y1={TOP - 4} y2={bottom} />
      )}
      {isNamed && <Names lines={lines} placed={placed} x={right + 8} />}
    </svg>
  )
}

/** The second line's points are squares. */
function Dot({ look, x, y }: { look: number; x: number; y: number }) {
  return look === 0 ? (
    <circle class="fig-dot look-of-0" cx={x} cy={y} r={3.2} />
  ) : (
    <rect class={`fig-dot look-of-${look}`} x={x - 3} y={y - 3} width={6} height={6} />
  )
}

function Names({ lines, placed, x }: { lines: readonly Line[]; placed: readonly (readonly Point[])[]; x: number }) {
  const ends = lines
    .flatMap(({ label, look }, at) => {
      const last = placed[at]?.findLast(([, py]) => !Number.isNaN(py))
      return last === undefined ? [] : [{ label, look, x: Math.min(x, last[0] + 9), y: last[1] }]
    })
    .sort((a, b) => a.y - b.y)
  for (let at = 1; at < ends.length; at += 1) {
    const [before, own] = [ends[at - 1] as { y: number }, ends[at] as { y: number }]
    own.y = Math.max(own.y, before.y + NAME_HEIGHT)
  }
  return (
    <>
      {ends.map(({ label, look, x: beside, y }) => (
        <text key={label} class={`fig-name look-of-${look}`} x={beside} y={y + 4}>
          {label}
        </text>
      ))}
    </>
  )
}

function bandPath(band: readonly { x: number; low: number; high: number }[]): string {
  if (band.length === 0) return ''
  const above = band.map(({ x, high }): Point => [x, high])
  const below = band.map(({ x, low }): Point => [x, low]).toReversed()
  return `${pathOf([...above, ...below])}Z`
}

/** Names the looks of lines, for figures that share them. */
export function Key({ labels }: { labels: readonly string[] }) {
  return (
    <ul class="fig-key" aria-label="Lines">
      {labels.map((label, look) => (
        <li key={label}>
          <svg viewBox="0 0 28 12" width="28" height="12" aria-hidden="true">
            <path class={`fig-line look-of-${look}`} d="M1 6H27" />
          </svg>
          {label}
        </li>
      ))}
    </ul>
  )
}
