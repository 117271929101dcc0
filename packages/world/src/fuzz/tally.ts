import { FAULT_TYPES, type FaultType } from '../fault.ts'
import { SITUATIONS, type Situation } from './coverage.ts'
import type { Examination } from './examine.ts'

/** How often something happened, and in how many runs. */
export interface Met {
  times: number
  runs: number
}

/** The sum over many runs. */
export class Tally {
  runs = 0
  violating = 0
  simulatedMs = 0
  observations = 0
  events = 0
  readonly tasks = { submitted: 0, accepted: 0, succeeded: 0, dead: 0, cancelled: 0 }
  readonly faults = new Map<FaultType, Met>(FAULT_TYPES.map((type) => [type, { times: 0, runs: 0 }]))
  readonly situations = new Map<Situation, Met>(
    Object.keys(SITUATIONS).map((name) => [name as Situation, { times: 0, runs: 0 }]),
  )
  /** Violations by rule. */
  readonly rules = new Map<string, Met>()

  add({ report, situations, events }: Examination): void {
    this.runs += 1
    this.simulatedMs += report.simulatedMs
    this.observations += report.observations
    this.events += events
    for (const name of Object.keys(this.tasks) as (keyof Examination['report']['tasks'])[])
      this.tasks[name] += report.tasks[name]
    const faults = new Map<FaultType, number>()
    for (const { fault } of report.faults) faults.set(fault.type, (faults.get(fault.type) ?? 0) + 1)
    for (const [type, times] of faults) note(this.faults, type, times)
    for (const [name, times] of Object.entries(situations)) note(this.situations, name as Situation, times)
    if (report.violations.length > 0) this.violating += 1
    const rules = new Map<string, number>()
    for (const { rule } of report.violations) rules.set(rule, (rules.get(rule) ?? 0) + 1)
    for (const [rule, times] of rules) note(this.rules, rule, times)
  }

  /** Faults and situations that no run met. What they would have shown is unknown. */
  get unmet(): string[] {
    return [...this.faults, ...this.situations].filter(([, { times }]) => times === 0).map(([name]) => name)
  }
}

function note<K>(met: Map<K, Met>, key: K, times: number): void {
  const { times: before, runs } = met.get(key) ?? { times: 0, runs: 0 }
  met.set(key, { times: before + times, runs: runs + 1 })
}
