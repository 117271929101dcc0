import { stripVTControlCharacters, styleText } from 'node:util'

export interface Column<R> {
  title: string
  /** Undefined shows as a dash. */
  of: (row: R) => string | number | undefined
  /** Where the row is too wide for the terminal, columns that may be cut are, from the right. */
  cut?: boolean
  /** Colours a cell that is written already. */
  paint?: (text: string, row: R) => string
}

const GAP = '  '
const CUT_WIDTH_MIN = 8

const digits = new Intl.NumberFormat('en')

/** Text that a task or a worker brought cannot move the cursor or colour the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
}

export function cutTo(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

/** Rows under headings, numbers to the right, no line wider than `width`. */
export function tableLines<R>(columns: readonly Column<R>[], rows: readonly R[], width: number): string[] {
  const cells = rows.map((row) => columns.map((column) => cellOf(column.of(row))))
  const numeric = columns.map((column) => rows.length > 0 && rows.every((row) => typeof column.of(row) !== 'string'))
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...cells.map((row) => (row[at] as string).length)),
  )
  let over = widths.reduce((sum, one) => sum + one, 0) + GAP.length * (columns.length - 1) - width
  for (let at = columns.length - 1; at >= 0 && over > 0; at--) {
    if (columns[at]?.cut !== true) continue
    const narrower = Math.max(CUT_WIDTH_MIN, (widths[at] as number) - over)
    over -= Math.max(0, (widths[at] as number) - narrower)
    widths[at] = Math.min(widths[at] as number, narrower)
  }
  const line = (texts: readonly string[], paint: (text: string, at: number) => string) =>
    texts
      .map((text, at) => {
        const cut = cutTo(text, widths[at] as number)
        const padding = ' '.repeat((widths[at] as number) - cut.length)
        const last = at === texts.length - 1 && !numeric[at]
        return numeric[at] ? padding + paint(cut, at) : paint(cut, at) + (last ? '' : padding)
      })
      .join(GAP)
      .trimEnd()
  const titles = columns.map(({ title }) => title)
  return [
    line(titles, (text) => styleText('dim', text)),
    ...cells.map((row, index) => line(row, (text, at) => columns[at]?.paint?.(text, rows[index] as R) ?? text)),
  ]
}

function cellOf(value: string | number | undefined): string {
  if (value === undefined) return '–'
  return typeof value === 'number' ? digits.format(value) : printable(value)
}
