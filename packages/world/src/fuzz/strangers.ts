import type { RandomStream } from '../random.ts'
import type { Misdeed, Scenario, WorkerGroup } from '../scenario.ts'

const MISDEEDS: readonly Misdeed[] = [
  'speaksOtherVersions',
  'forgetsHello',
  'repeatsHello',
  'saysNonsense',
  'actsAsWorker',
  'passesLimits',
  'opensSessions',
  'repeatsIds',
  'namesQueues',
  'asksForAnything',
]

/** Others speak to the broker as well and keep none of its rules. */
export function visited(random: RandomStream, scenario: Scenario): Scenario {
  const misdeeds = MISDEEDS.filter(() => random.chance(0.4))
  return {
    ...scenario,
    strangers: [
      {
        count: random.integer(1, 2),
        everyMs: scenario.durationMs / random.integer(5, 30),
        misdeeds: misdeeds.length > 0 ? misdeeds : MISDEEDS,
      },
    ],
  }
}

/** Workers that name what they settle twice. */
export function doubled(_: RandomStream, scenario: Scenario): Scenario {
  const [first, ...others] = scenario.workers as [WorkerGroup, ...WorkerGroup[]]
  const lying = others.map((group) => ({
    ...group,
    falsehoods: [...(group.falsehoods ?? []), 'repeatsItems' as const],
  }))
  return { ...scenario, workers: [first, ...lying] }
}

/** Now and then fewer sessions or queues than are wanted. A refused client comes back. */
export function scarce(random: RandomStream, scenario: Scenario): Scenario {
  const { producers, workers } = scenario
  const clients = [...producers, ...workers].reduce((count, group) => count + group.count, 0)
  const queues = new Set(workers.flatMap((group) => group.queues)).size
  const misdeeds: Misdeed[] = ['opensSessions', 'namesQueues']
  return {
    ...scenario,
    engine: {
      ...scenario.engine,
      // A session that nobody resumes counts until its grace window ends.
      graceMs: Math.min(scenario.engine?.graceMs ?? 2000, 2000),
      sessionsMax: 2 * clients,
      queuesMax: queues,
    },
    strangers: [{ count: 2, everyMs: scenario.durationMs / random.integer(20, 40), misdeeds }],
  }
}
