import { DEFAULT_HOST_CONFIG } from '@sluice/broker/core'
import { longestOf } from '../checkers/population.ts'
import { type Distribution, meanOf } from '../distribution.ts'
import type { Scenario } from '../scenario.ts'

/** Bytes of a task in a frame besides its body, about. */
const ITEM_BYTES = 200
/** A ping leaves a heartbeat after the last word, and its answer may wait for one frame: silence is judged after two and a half. */
const PERIODS_FOR_A_FRAME = 1.5
/** Longer ones are not worth the worst of all draws: what falls silent is to be noticed long before the end. */
const HEARTBEAT_MS_MAX = 10_000
/** A delivery and a renewal are on their way within a third of the lease, and only few words take so much longer than the others. */
const DELAYS_OF_A_LEASE = 10

/** The scenario with leases and heartbeats long enough for its network to keep them. */
export function patient(scenario: Scenario): Scenario {
  return withPatientHeartbeat(withPatientLeases(scenario))
}

/** A lease that the network cannot renew in time expires each time, and its session rests: the work is not promised to end. */
function withPatientLeases(scenario: Scenario): Scenario {
  const leaseMsMin = Math.ceil(DELAYS_OF_A_LEASE * meanOf(scenario.network.delayMs))
  const producers = scenario.producers.map((group) => ({
    ...group,
    tasks: group.tasks.map((mix) =>
      mix.options?.leaseMs === undefined || mix.options.leaseMs >= leaseMsMin
        ? mix
        : { ...mix, options: { ...mix.options, leaseMs: leaseMsMin } },
    ),
  }))
  return { ...scenario, producers }
}

/**
 * The scenario, and where little may be on the way at once, with a heartbeat so long that clients wait for a frame that says all
 * that a program has to say, as one does that comes back: where it takes longer they reconnect for ever and ask for the same
 * again, which is not promised to end.
 */
function withPatientHeartbeat(scenario: Scenario): Scenario {
  const { network, hosting } = scenario
  if (network.windowBytes === undefined) return scenario
  const heartbeatMsMin = Math.min(
    HEARTBEAT_MS_MAX,
    Math.ceil(frameMs(scenario, network.windowBytes) / PERIODS_FOR_A_FRAME),
  )
  const heartbeatMs = hosting?.heartbeatMs ?? DEFAULT_HOST_CONFIG.heartbeatMs
  return heartbeatMs >= heartbeatMsMin
    ? scenario
    : { ...scenario, hosting: { ...hosting, heartbeatMs: heartbeatMsMin } }
}

/** How long the largest frame may take, with the way of the ping before it. */
function frameMs({ producers, workers, hosting, network, journal }: Scenario, windowBytes: number): number {
  const { frameBytesMax } = hosting?.limits ?? DEFAULT_HOST_CONFIG.limits
  const bytes: Distribution[] = [
    ...producers.flatMap(({ tasks }) => tasks.map(({ bodyBytes }) => bodyBytes)),
    ...workers.flatMap(({ service }) => Object.values(service).flatMap(({ resultBytes }) => resultBytes ?? [])),
  ]
  const items = Math.max(
    ...producers.map(({ tasksMax = 0 }) => tasksMax),
    ...workers.map(({ concurrency, prefetch = concurrency }) => concurrency + prefetch),
  )
  const frameBytes = Math.min(frameBytesMax, items * (ITEM_BYTES + Math.max(0, ...bytes.map(longestOf))))
  const windows = Math.ceil(frameBytes / windowBytes)
  // What fits a window is no slower than any other word.
  return windows > 1 ? (windows + 1) * longestOf(network.delayMs) + longestOf(journal.appendMs) : 0
}
