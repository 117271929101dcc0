import { DEFAULT_LIMITS, type Limits } from '@sluice/protocol'
import { frameBytesFor, frameBytesForProgress } from './frame-room.ts'

/** Bounds and periods of the host. Those of queues are in the engine's configuration. */
export interface HostConfig {
  limits: Limits
  /** Connections, including those without a hello. Default 20,000. */
  connectionsMax: number
  /** Connections that have not sent hello. Default 1,000. */
  pendingConnectionsMax: number
  /** The time from the opening of a connection to its hello. Default 10,000. */
  helloTimeoutMs: number
  /** How often a real socket is pinged. One that sends no byte meanwhile is dropped at the next ping. Default 25,000. */
  pingEveryMs: number
  /** The time in which a client must send a whole HTTP request, and in which it must read its answer. Default 30,000. */
  requestTimeoutMs: number
  /** How often a worker lists its leases. Default 5,000. */
  heartbeatMs: number
  /** A connection with more unsent bytes gets no deliveries. Default 1 MiB. */
  sendBufferBytesHigh: number
  /** A connection with more unsent bytes is closed with `slow_reader`. Default 16 MiB. */
  sendBufferBytesMax: number
  /** Bytes of bodies kept in memory besides the journal. Default 64 MiB. */
  bodyCacheBytesMax: number
  /** Staged bytes at which reading pauses until the journal has caught up. Default 16 MiB. */
  stagedBytesMax: number
  /** The longest delay until events that need not be durable are written. Default 100. */
  lazyFlushMs: number
  /** How often compaction looks for batches to discard. Default 1,000. */
  compactEveryMs: number
  /** A smaller journal is never compacted by rewriting. Default 256 MiB. */
  compactBytesMin: number
  /** HTTP requests that wait for an outcome at the same time. Default 10,000. */
  waitersMax: number
  /** How long a leaving broker tells its clients to wait before they reconnect. Default 1,000. */
  drainRetryAfterMs: number
}

export const DEFAULT_HOST_CONFIG: Readonly<HostConfig> = Object.freeze({
  limits: DEFAULT_LIMITS,
  connectionsMax: 20_000,
  pendingConnectionsMax: 1000,
  helloTimeoutMs: 10_000,
  // Proxies cut connections that are silent for a minute, some after half a minute.
  pingEveryMs: 25_000,
  requestTimeoutMs: 30_000,
  heartbeatMs: 5000,
  sendBufferBytesHigh: 1024 ** 2,
  sendBufferBytesMax: 16 * 1024 ** 2,
  bodyCacheBytesMax: 64 * 1024 ** 2,
  stagedBytesMax: 16 * 1024 ** 2,
  lazyFlushMs: 100,
  compactEveryMs: 1000,
  compactBytesMin: 256 * 1024 ** 2,
  waitersMax: 10_000,
  drainRetryAfterMs: 1000,
})

/**
 * Settings that cannot work alone or together, one sentence each. Empty if all can. `batchBytesMax` is the bound of a
 * journal batch.
 */
export function contradictionsIn(config: HostConfig, batchBytesMax: number): string[] {
  // The other half is for what compaction carries forward.
  const stagedAndFrameBytesMax = Math.floor(batchBytesMax / 2)
  const { limits, ...bounds } = config
  const { stagedBytesMax, sendBufferBytesHigh, sendBufferBytesMax } = bounds
  const { frameBytesMax, bodyBytesMax, nameLengthMax, progressBytesMax } = limits
  const bodyFrameBytes = frameBytesFor(bodyBytesMax, nameLengthMax, nameLengthMax)
  const problems = Object.entries({ ...bounds, ...limits })
    .filter(([, value]) => !Number.isSafeInteger(value) || value < 1)
    .map(([name, value]) => `${name} must be a whole number of at least 1, not ${String(value)}`)
  if (stagedBytesMax + frameBytesMax > stagedAndFrameBytesMax) {
    problems.push(
      `stagedBytesMax (${stagedBytesMax}) and frameBytesMax (${frameBytesMax}) must be at most ${stagedAndFrameBytesMax} bytes together: they share a batch of the journal`,
    )
  }
  if (bodyBytesMax * 2 > frameBytesMax) {
    problems.push(
      `bodyBytesMax (${bodyBytesMax}) must be at most half of frameBytesMax (${frameBytesMax}): a frame has a header too`,
    )
  } else if (bodyFrameBytes > frameBytesMax) {
    problems.push(
      `frameBytesMax (${frameBytesMax}) must be at least ${bodyFrameBytes} for a body of bodyBytesMax (${bodyBytesMax}) with names of nameLengthMax (${nameLengthMax})`,
    )
  }
  if (frameBytesForProgress(progressBytesMax) > frameBytesMax) {
    problems.push(`progressBytesMax (${progressBytesMax}) must be at most half of frameBytesMax (${frameBytesMax})`)
  }
  if (sendBufferBytesHigh > sendBufferBytesMax)
    problems.push(
      `sendBufferBytesHigh (${sendBufferBytesHigh}) must be at most sendBufferBytesMax (${sendBufferBytesMax})`,
    )
  if (frameBytesMax * 2 > sendBufferBytesMax) {
    problems.push(
      `frameBytesMax (${frameBytesMax}) must be at most half of sendBufferBytesMax (${sendBufferBytesMax}): else one answer could be what closes a connection`,
    )
  }
  return problems
}
