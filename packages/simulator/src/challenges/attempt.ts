import type { Scenario } from '@sluice/world'
import type { Figures } from '../lessons/lesson.ts'
import type { Challenge, Goal } from './challenge.ts'

/** The value of each knob as the challenge begins. */
export function startOf({ knobs, scenario }: Challenge): number[] {
  return knobs.map((knob) => knob.read(scenario))
}

/** What these values take of the budget. */
export function costOf({ knobs }: Challenge, values: readonly number[]): number {
  return knobs.reduce((sum, { cost, free }, at) => sum + Math.max(0, (values[at] ?? free) - free) * cost, 0)
}

/**
 * The scenario with these values.
 * @throws RangeError naming the knob that cannot have its value
 */
export function scenarioWith({ knobs, scenario }: Challenge, values: readonly number[]): Scenario {
  return knobs.reduce((changed, knob, at) => {
    const { label, min, max, step } = knob
    const value = values[at]
    if (value === undefined || !(value >= min && value <= max) || (value - min) % step !== 0)
      throw new RangeError(`${label} must be from ${min} to ${max} in steps of ${step}, not ${value}`)
    return knob.write(changed, value)
  }, scenario)
}

/** The goals that are not reached with every seed. */
export function goalsMissed({ goals }: Challenge, figures: readonly Figures[]): Goal[] {
  return goals.filter((goal) => !figures.every((one) => goal.holds(one)))
}
