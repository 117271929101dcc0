import { MEANINGS, textOf, type Unit } from '../measures/units.ts'
import type { MeasuresView, SeriesName } from '../view/series.ts'
import { clockText } from '../view/words.ts'

/** More rows are thinned out. All of them are in the file of the export. */
const ROWS_MAX = 150

const COLUMNS = Object.entries(MEANINGS) as [SeriesName, { name: string; unit: Unit }][]

/** The numbers of the figures, the newest first. */
export function MeasuresTable({ measures, fromMs }: { measures: MeasuresView; fromMs: number }) {
  const { times, series } = measures
  const rows = [...times.keys()].filter((row) => (times[row] as number) >= fromMs)
  const every = Math.ceil(rows.length / ROWS_MAX)
  const shown = rows.toReversed().filter((_, at) => at % every === 0)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard.
    <section class="scrolls" tabIndex={0} aria-label="Table of measures">
      <table class="numbers">
        <caption>{every > 1 ? `Every ${every}th row, the newest first.` : 'The newest row first.'}</caption>
        <thead>
          <tr>
            <th scope="col">time</th>
            {COLUMNS.map(([key, { name }]) => (
              <th key={key} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row}>
              <th scope="row">{clockText(times[row] as number)}</th>
              {COLUMNS.map(([key, { unit }]) => (
                <td key={key}>{textOf(unit)(series[key][row] as number)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
