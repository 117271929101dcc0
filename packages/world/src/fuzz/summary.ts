import { SITUATIONS } from './coverage.ts'
import { tableText } from './table.ts'
import type { Tally } from './tally.ts'

/** A span of virtual time as people say it. */
export function spanText(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 120) return `${seconds.toFixed(1)} s`
  const minutes = seconds / 60
  if (minutes < 120) return `${minutes.toFixed(1)} min`
  const hours = minutes / 60
  return hours < 72 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(1)} days`
}

/** The figures of a campaign: what it covered and what it found. */
export function summaryText(tally: Tally, tookMs: number): string {
  const { runs, simulatedMs, observations, events, tasks } = tally
  const count = (value: number): string => value.toLocaleString('en')
  const share = (part: number): string => `${((100 * part) / Math.max(1, runs)).toFixed(1)} %`
  const lines = [
    `${count(runs)} seeds, ${count(tally.violating)} with a violation`,
    `${spanText(simulatedMs)} simulated in ${spanText(tookMs)}: ${count(Math.round(simulatedMs / tookMs))} × real time, ${(runs / (tookMs / 1000)).toFixed(1)} seeds/s`,
    `${count(observations)} observations, ${count(events)} events of the engine`,
    `${count(tasks.submitted)} tasks submitted, ${count(tasks.accepted)} accepted: ${count(tasks.succeeded)} succeeded, ${count(tasks.dead)} dead, ${count(tasks.cancelled)} cancelled`,
    '',
    tableText(
      ['fault', 'times', 'of seeds'],
      [...tally.faults].map(([type, met]) => [type, met.times, share(met.runs)]),
    ),
    '',
    tableText(
      ['rule', 'what it needs', 'times', 'of seeds'],
      [...tally.situations].map(([name, met]) => [SITUATIONS[name], name, met.times, share(met.runs)]),
    ),
  ]
  if (tally.unmet.length > 0) lines.push('', `never met: ${tally.unmet.join(', ')}`)
  if (tally.rules.size > 0) {
    lines.push(
      '',
      tableText(
        ['violated', 'times', 'seeds'],
        [...tally.rules].map(([rule, met]) => [rule, met.times, met.runs]),
      ),
    )
  }
  return lines.join('\n')
}
