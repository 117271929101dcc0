import { DEFAULT_HOST_CONFIG } from '@sluice/broker/core'
import { longestOf } from '../checkers/population.ts'
import { type Distribution, meanOf } from '../distribution.ts'
import type { Scenario } from '../scenario.ts'

/** The approximate bytes of a task in a frame besides its body. */
const ITEM_BYTES = 200
/**
 * A ping leaves a heartbeat after the last message, and its answer may wait for one frame. Silence is judged after
 * two and a half.
 */
const PERIODS_FOR_A_FRAME = 1.5
/** Longer ones are not worth covering the worst of all draws: silence must be noticed long before the end. */
const HEARTBEAT_MS_MAX = 10_000
/**
 * A delivery and a renewal arrive within a third of the lease, and only few messages take so much longer than the
 * others.
 */
const DELAYS_OF_A_LEASE = 10

/** The scenario with leases and heartbeats that are long enough for its network. */
export function patient(scenario: Scenario): Scenario {
  return withPatientHeartbeat(withPatientLeases(scenario))
}

/**
 * If the network cannot renew a lease in time, it expires each time and its session rests. The work is then not
 * promised to end.
 */
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
 * The scenario. If few bytes may be on the way at once, its heartbeat is long enough for clients to wait for a frame
 * with everything that a program has to say, as after a reconnection. If such a frame takes longer, they reconnect
 * for ever and ask for the same again, which is not promised to end.
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

/** How long the largest frame may take, with the ping before it. */
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
  // What fits a window is as fast as any other message.
  return windows > 1 ? (windows + 1) * longestOf(network.delayMs) + longestOf(journal.appendMs) : 0
}
