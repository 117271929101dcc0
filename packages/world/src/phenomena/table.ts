import type { Bound, Figures } from './phenomenon.ts'
import { quantile } from './quantile.ts'
import { judge, meansOf, type Trial } from './trial.ts'

/** The results of a trial as a section of a Markdown page. */
export function sectionOf(trial: Trial): string {
  const { phenomenon, seeds } = trial
  const means = Object.entries(meansOf(trial))
  const names = Object.keys(means[0]?.[1] ?? {})
  const findings = judge(trial).map(({ expectation: { what, over, bound }, figures, holds }) => [
    what,
    wordsOf(bound),
    over === 'mean' ? 'means' : 'each seed',
    over === 'mean' ? numberOf(figures[0]) : spanOf(figures),
    holds ? 'yes' : 'NO',
  ])
  return [
    `## ${phenomenon.name}`,
    '',
    phenomenon.lesson,
    '',
    phenomenon.setting,
    '',
    ...tableOf(
      [`mean over ${seeds.length} seeds`, ...names.map((name) => phenomenon.figures[name] ?? name)],
      means.map(([variant, figures]) => [variant, ...names.map((name) => numberOf((figures as Figures)[name]))]),
    ),
    '',
    ...tableOf(['expected', 'bound', 'holds for', 'measured', 'holds'], findings),
    '',
  ].join('\n')
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

function wordsOf({ atLeast, atMost }: Bound): string {
  return [atLeast === undefined ? '' : `≥ ${atLeast}`, atMost === undefined ? '' : `≤ ${atMost}`]
    .filter(Boolean)
    .join(', ')
}

function spanOf(figures: readonly number[]): string {
  const [least, median, most] = [0, 0.5, 1].map((q) => numberOf(quantile(figures, q)))
  return least === most ? String(least) : `${least} to ${most}, median ${median}`
}

function numberOf(value = Number.NaN): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return value.toFixed(0)
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 3)
}
