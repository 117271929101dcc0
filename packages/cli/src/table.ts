import { styleText } from 'node:util'
import { cutMiddle, cutTo, printable, widthOf } from './cells.ts'

export interface Column<R> {
  title: string
  /** Undefined is shown as a dash. */
  of: (row: R) => string | number | undefined
  /**
   * How to cut cells if the rows are too wide for the terminal: `middle` cuts a name in the middle, `end` a text at its
   * end.
   */
  cut?: 'middle' | 'end'
  /** If cutting is not enough, whole columns are left out: the one with the highest number first. */
  drop?: number
  /** Colours a formatted cell. */
  paint?: (text: string, row: R) => string
}

const GAP = '  '
/** A name or text is not cut further while a column can be left out. */
const CUT_WIDTH_MIN = 12

const digits = new Intl.NumberFormat('en')

/** A column with its cells. */
interface Laid<R> {
  column: Column<R>
  cells: string[]
  numeric: boolean
  width: number
}

/** Rows under headings, with numbers aligned right. No line is wider than `width` cells. */
export function tableLines<R>(columns: readonly Column<R>[], rows: readonly R[], width: number): string[] {
  const laid = columns.map((column) => lay(column, rows))
  leaveOut(laid, width)
  narrow(laid, width, CUT_WIDTH_MIN)
  narrow(laid, width, 1)
  return [
    lineOf(laid, width, ({ column, numeric, width }) => {
      const padding = ' '.repeat(Math.max(0, width - column.title.length))
      const title = styleText('dim', cutTo(column.title, width))
      return numeric ? padding + title : title + padding
    }),
    ...rows.map((row, at) =>
      lineOf(laid, width, ({ column, cells, numeric, width }) => {
        const text = (column.cut === 'middle' ? cutMiddle : cutTo)(cells[at] as string, width)
        const padding = ' '.repeat(width - widthOf(text))
        const painted = column.paint?.(text, row) ?? text
        return numeric ? padding + painted : painted + padding
      }),
    ),
  ]
}

function lay<R>(column: Column<R>, rows: readonly R[]): Laid<R> {
  const cells = rows.map((row) => cellOf(column.of(row)))
  const numeric = rows.length > 0 && rows.every((row) => typeof column.of(row) !== 'string')
  return { column, cells, numeric, width: Math.max(column.title.length, ...cells.map(widthOf)) }
}

/** Leaves out columns until the others fit. Columns that may be cut count with their narrowest readable width. */
function leaveOut<R>(laid: Laid<R>[], width: number): void {
  const least = ({ column, width }: Laid<R>) => (column.cut === undefined ? width : Math.min(width, CUT_WIDTH_MIN))
  while (totalOf(laid, least) > width) {
    const next = laid.reduce((most, one) => ((one.column.drop ?? 0) > (most?.column.drop ?? 0) ? one : most))
    if (next.column.drop === undefined) return
    laid.splice(laid.indexOf(next), 1)
  }
}

/** Cuts the cells that may be cut, the widest first, to at least `min` cells. */
function narrow<R>(laid: Laid<R>[], width: number, min: number): void {
  for (let over = totalOf(laid, (one) => one.width) - width; over > 0; over -= 1) {
    let widest: Laid<R> | undefined
    for (const one of laid)
      if (one.column.cut !== undefined && one.width > min && one.width >= (widest?.width ?? 0)) widest = one
    if (widest === undefined) return
    widest.width -= 1
  }
}

function totalOf<R>(laid: readonly Laid<R>[], cellsOf: (one: Laid<R>) => number): number {
  return laid.reduce((sum, one) => sum + cellsOf(one), 0) + GAP.length * (laid.length - 1)
}

function lineOf<R>(laid: readonly Laid<R>[], width: number, cell: (one: Laid<R>) => string): string {
  const line = laid.map(cell).join(GAP).trimEnd()
  // A terminal narrower than an id: a cut line is better than a line that wraps.
  return widthOf(line) > width ? cutTo(printable(line), width) : line
}

function cellOf(value: string | number | undefined): string {
  if (value === undefined) return '–'
  return typeof value === 'number' ? digits.format(value) : printable(value)
}
