import type { Arrivals, Change, Scenario, TimedChange } from '@sluice/world'

/** The scenario as hands have changed it up to an instant: what a person sees in the settings of a part. */
export function scenarioAt(scenario: Scenario, changes: readonly TimedChange[], atMs: number): Scenario {
  return changes.filter((planned) => planned.atMs <= atMs).reduce((now, { change }) => changed(now, change), scenario)
}

function changed(scenario: Scenario, change: Change): Scenario {
  const { producers, workers, network, journal } = scenario
  switch (change.type) {
    case 'arrivals':
      return { ...scenario, producers: replaced(producers, change.group, { arrivals: change.arrivals }) }
    case 'producers':
      return { ...scenario, producers: replaced(producers, change.group, { count: change.count }) }
    case 'workers':
      return { ...scenario, workers: replaced(workers, change.group, { count: change.count }) }
    case 'concurrency':
      return { ...scenario, workers: replaced(workers, change.group, { concurrency: change.concurrency }) }
    case 'service': {
      const service = workers[change.group]?.service
      const before = service?.[change.queue] ?? service?.['*']
      if (before === undefined) return scenario
      const after = { ...service, [change.queue]: { ...before, ...change.service } }
      return { ...scenario, workers: replaced(workers, change.group, { service: after }) }
    }
    case 'delay':
      return { ...scenario, network: { ...network, delayMs: change.delayMs } }
    case 'append':
      return { ...scenario, journal: { ...journal, appendMs: change.appendMs } }
    default:
      return scenario
  }
}

function replaced<T>(groups: readonly T[], at: number, fields: Partial<T>): readonly T[] {
  return groups.map((group, place) => (place === at ? { ...group, ...fields } : group))
}

/** Tasks a second of one producer, where that is one number. */
export function rateOf(arrivals: Arrivals): number | undefined {
  return arrivals.kind === 'steady' || arrivals.kind === 'poisson' ? arrivals.rate : undefined
}
