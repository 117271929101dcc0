import type { Plan } from '../engine/run.ts'

let waiting: Plan | undefined

/** The play room shows this run when it is entered next. The address to go to is `#/`. */
export function handOver(plan: Plan): void {
  waiting = plan
}

/** The run that another room has handed over, once. */
export function takeOver(): Plan | undefined {
  const plan = waiting
  waiting = undefined
  return plan
}
