import type { Figure } from './figure.ts'

const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 })
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** Four significant digits at least, and never fewer than the whole part has. */
export function formatNumber(value: number): string {
  return Math.abs(value) >= 1000 ? whole.format(value) : number.format(value)
}

/** The figures as an aligned table: figure, median, range, target, and whether it is met. */
export function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, unit, median, min, max, target, met }) => [
    name,
    `${formatNumber(median)} ${unit}`,
    `${formatNumber(min)} – ${formatNumber(max)}`,
    target ? `${target.comparison === 'at least' ? '≥' : '≤'} ${formatNumber(target.value)}` : '',
    met === null ? '' : met ? 'met' : 'MISSED',
  ])
  return formatRows(['figure', 'median', 'range', 'target', ''], rows)
}

/** Names and values below each other. */
export function formatConfiguration(configuration: Readonly<Record<string, string | number>>): string {
  const entries = Object.entries(configuration)
  const width = Math.max(...entries.map(([name]) => name.length))
  return entries.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n')
}

function formatRows(heading: string[], rows: string[][]): string {
  const lines = [heading, ...rows]
  const widths = heading.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 1 || column === 2 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
