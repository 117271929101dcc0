import { observed } from '../engine/observed.ts'
import type { Plan } from '../engine/run.ts'
import type { Figures } from '../lessons/lesson.ts'
import { LOOKS_AT, type Measured, measured } from './measured.ts'
import { caseOf, futureOf, type Remedy } from './no-return.ts'

/** Work for a Worker. It names what cannot be sent, such as functions. */
export interface Jobs {
  /** What a run amounts to up to this instant. */
  measure: { order: { plan: Plan; untilMs: number }; result: Measured }
  /** Whether the future with this seed from this instant on recovers. */
  fork: {
    order: { case: string; variant: number; remedy: Remedy; atMs: number; seed: number }
    result: { recovers: boolean; figures: Figures }
  }
  /** What a challenge measures with these values. */
  challenge: { order: { name: string; values: readonly number[]; seed: number }; result: Figures }
}

export type JobName = keyof Jobs
export type Order<Name extends JobName = JobName> = { [N in Name]: { name: N; order: Jobs[N]['order'] } }[Name]

const doers: { [Name in JobName]: (order: Jobs[Name]['order']) => Promise<Jobs[Name]['result']> } = {
  measure: async ({ plan, untilMs }) => measured(await observed(plan, LOOKS_AT, untilMs), plan.scenario, untilMs),
  fork: async ({ case: name, variant, remedy, atMs, seed }) => {
    const { looksAt, measure, recovers, untilMs } = caseOf(name)
    const plan = futureOf(caseOf(name), { variant, remedy, atMs, seed })
    const figures = measure(await observed(plan, looksAt, untilMs), plan.scenario)
    return { recovers: recovers(figures), figures }
  },
  challenge: async ({ name, values, seed }) => {
    // The other rooms need no challenges.
    const { attempt } = await import('../challenges-room/attempt.ts')
    return attempt(name, values, seed)
  },
}

/** Does the job. It rejects as the world does. */
export function doJob<Name extends JobName>(name: Name, order: Jobs[Name]['order']): Promise<Jobs[Name]['result']> {
  return doers[name](order)
}
