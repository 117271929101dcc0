/**
 * Tries the claims of all lessons, or of those whose names are given, on the seeds 1 to 100 (`--seeds N`: 1 to N) and
 * prints the range of each figure. It ends with exit code 1 if a claim does not hold.
 */
import { parseArgs } from 'node:util'
import { lessons } from '../../src/lessons/index.ts'
import type { Figures } from '../../src/lessons/lesson.ts'
import { show } from './trial.ts'

function range(label: string, all: readonly Figures[]): void {
  for (const name of Object.keys(all[0] ?? {})) {
    const values = all.map((figures) => figures[name] as number).sort((a, b) => a - b)
    const [min = 0, median = 0, max = 0] = [values[0], values[values.length >> 1], values.at(-1)]
    console.log(`    ${label}, ${name}: ${[min, max].map(short).join(' to ')}, median ${short(median)}`)
  }
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)))
}

const { values, positionals: wanted } = parseArgs({
  options: { seeds: { type: 'string', default: '100' } },
  allowPositionals: true,
})
const seeds = Number(values.seeds)
for (const lesson of lessons.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const shown = []
  for (let seed = 1; seed <= seeds; seed += 1) shown.push(await show(lesson, seed))
  const failed = shown.filter(({ runs, changed }) => !lesson.claim.holds(runs, changed)).map(({ seed }) => seed)
  const verdict = failed.length === 0 ? `holds on ${seeds} seeds` : `does not hold on the seeds ${failed.join(', ')}`
  console.log(`${lesson.number} ${lesson.title}: ${verdict}`)
  for (const [at, { label }] of lesson.runs.entries())
    range(
      label,
      shown.map(({ runs }) => runs[at] as Figures),
    )
  for (const [at, { label }] of lesson.change.runs.entries())
    range(
      `changed: ${label}`,
      shown.map(({ changed }) => changed[at] as Figures),
    )
  if (failed.length > 0) process.exitCode = 1
}
