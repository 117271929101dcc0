import { type Engine, startEngine } from '../engine/engine.ts'
import type { Plan, Shown } from '../engine/run.ts'

/** Two worlds that are shown at the same instant, as one engine. The first one is the engine's own. */
export interface PairedEngine extends Engine {
  /** What the second world shows where the first one shows this. */
  beside(shown: Shown): Shown | undefined
  /** The plan of the second run. */
  readonly otherPlan: Plan
  /** What the second world runs from the next `open` on. */
  setOther(plan: Plan): void
}

/** What is done to one world is done to the other one as well. */
export function pairedEngine(
  otherPlan: Plan,
  first: Engine = startEngine(),
  second: Engine = startEngine(),
): PairedEngine {
  const beside = new WeakMap<Shown, Shown>()
  let secondPlan = otherPlan
  return {
    ...first,
    get otherPlan() {
      return secondPlan
    },
    setOther: (plan) => {
      secondPlan = plan
    },
    beside: (shown) => beside.get(shown),
    open: async (plan) => {
      await Promise.all([first.open(plan), second.open(secondPlan)])
    },
    show: async (atMs, pause) => {
      const [one, other] = await Promise.all([first.show(atMs, pause), second.show(atMs, pause)])
      // The world that is behind, or that has met a condition earlier, is waited for.
      const bothMs = Math.min(one.atMs, other.atMs)
      const [shown, next] = await Promise.all([
        one.atMs === bothMs ? one : first.show(bothMs),
        other.atMs === bothMs ? other : second.show(bothMs),
      ])
      const met = (one.atMs === bothMs ? one.met : undefined) ?? (other.atMs === bothMs ? other.met : undefined)
      const together = {
        ...shown,
        headMs: Math.min(shown.headMs, next.headMs),
        hasEnded: shown.hasEnded && next.hasEnded,
        met,
      }
      beside.set(together, next)
      return together
    },
    next: async (afterMs, condition) => {
      const found = await Promise.all([first.next(afterMs, condition), second.next(afterMs, condition)])
      const times = found.filter((atMs) => atMs !== undefined)
      return times.length === 0 ? undefined : Math.min(...times)
    },
    change: async (atMs, change) => {
      const [plan, other] = await Promise.all([first.change(atMs, change), second.change(atMs, change)])
      secondPlan = other
      return plan
    },
    end: () => {
      first.end()
      second.end()
    },
  }
}
