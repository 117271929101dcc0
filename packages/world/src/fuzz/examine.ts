import { checkers } from '../checkers/index.ts'
import { FactReader } from '../journal/facts.ts'
import type { Violation } from '../observation.ts'
import type { Report } from '../report.ts'
import { type RunOptions, runWorld } from '../world.ts'
import { Coverage, type Situation } from './coverage.ts'
import { type Experiment, shrink } from './shrink.ts'
import { Story } from './story.ts'

/** A run, and what it tested. */
export interface Examination {
  report: Report
  situations: Partial<Record<Situation, number>>
  /** Of the engine, as they went to the journal. */
  events: number
}

/** Runs an experiment with all checkers. */
export async function examine(
  { seed, scenario }: Experiment,
  { onObservation, untilViolated = false }: Pick<RunOptions, 'onObservation' | 'untilViolated'> = {},
): Promise<Examination> {
  const coverage = new Coverage()
  const report = await runWorld(scenario, seed, {
    checkers: checkers(scenario),
    untilViolated,
    // Who looks on sees the charts as well. It changes neither the run nor its hash.
    watchesTransitions: onObservation !== undefined,
    onObservation: (observation) => {
      coverage.see(observation)
      onObservation?.(observation)
    },
  })
  return { report, situations: coverage.situations, events: coverage.events }
}

/** How many tasks represent all if a violation is about none in particular. */
const WITNESSES_MAX = 3

/**
 * The violation. If it names neither task nor node, it gets the tasks that something happened to last, from a queue
 * that it mentions if there is one.
 */
export async function populated(violation: Violation, { seed, scenario }: Experiment): Promise<Violation> {
  const { ids = [], nodes = [] } = violation.about
  if (ids.length + nodes.length > 0) return violation
  const reader = new FactReader()
  const queues = new Map<string, string>()
  // The last task that something happened to comes last here.
  const touched = new Set<string>()
  await runWorld(scenario, seed, {
    onObservation: (seen) => {
      if (seen.type !== 'appending' || seen.atMs > violation.atMs) return
      for (const fact of reader.read(seen.events)) {
        if (!('id' in fact)) continue
        if (fact.type === 'taskAccepted') queues.set(fact.id, fact.queue)
        touched.delete(fact.id)
        touched.add(fact.id)
      }
    },
  })
  const recent = [...touched].toReversed()
  const meant = recent.filter((id) => violation.message.includes(queues.get(id) ?? '\0'))
  return { ...violation, about: { ids: (meant.length > 0 ? meant : recent).slice(0, WITNESSES_MAX) } }
}

export interface Explanation {
  /** The smallest experiment found that violates the same rule. */
  minimised: Experiment
  violation: Violation
  /** What happened in it, at most a page. */
  story: string[]
  /** Experiments that were tried. */
  runs: number
}

/**
 * Makes an experiment that violates `rule` as small as possible until `isOver` is true, and tells its story.
 * Undefined if it does not violate the rule.
 */
export async function explain(
  first: Experiment,
  rule: string,
  isOver: () => boolean,
): Promise<Explanation | undefined> {
  let runs = 0
  const violationOf = async (experiment: Experiment): Promise<Violation | undefined> => {
    runs += 1
    const { seed, scenario } = experiment
    const { violations } = await runWorld(scenario, seed, { checkers: checkers(scenario) })
    return violations.find((violation) => violation.rule === rule)
  }
  const { faults } = await runWorld(first.scenario, first.seed)
  const minimised = await shrink(
    first,
    faults,
    async (experiment) => (await violationOf(experiment)) !== undefined,
    isOver,
  )
  const violation = await violationOf(minimised)
  if (violation === undefined) return undefined
  const story = new Story(await populated(violation, minimised))
  await runWorld(minimised.scenario, minimised.seed, { onObservation: (observation) => story.see(observation) })
  return { minimised, violation, story: story.lines(), runs }
}
