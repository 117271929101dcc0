const GAP = '  '

/** Rows under headings. A column with only numbers is right-aligned. */
export function tableText(titles: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)))
  const widths = titles.map((title, at) => Math.max(title.length, ...cells.map((row) => row[at]?.length ?? 0)))
  const isNumeric = titles.map((_, at) => rows.length > 0 && rows.every((row) => typeof row[at] === 'number'))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (isNumeric[at] ? cell.padStart(widths[at] as number) : cell.padEnd(widths[at] as number)))
      .join(GAP)
      .trimEnd()
  return [titles, ...cells].map(line).join('\n')
}
