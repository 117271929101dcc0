import { DEFAULT_HOST_CONFIG, type HostConfig } from '@sluice/broker/core'
import type { Limits } from '@sluice/protocol'
import { meanOf } from '../distribution.ts'
import type { RandomStream } from '../random.ts'
import type { JournalProfile, NetworkProfile } from '../scenario.ts'
import { maybe, present } from './draws.ts'

/** The settings of the broker's host, except for its heartbeat. `queues`: the queues that have tasks. */
export function hostingOf(random: RandomStream, queues: readonly string[]): Partial<HostConfig> {
  const frameBytesMax = random.pick([4096, 16_384])
  const isNarrow = random.chance(0.25)
  const sendBufferBytesHigh = random.integer(300, 6000)
  const limits = maybe(random, 0.15, () => limitsOf(random, frameBytesMax))
  const drawn = present<Partial<HostConfig>>({
    limits: limits && { ...limits, ...rareLimitsOf(random, queues) },
    helloTimeoutMs: maybe(random, 0.2, () => random.integer(300, 3000)),
    sendBufferBytesHigh: isNarrow ? sendBufferBytesHigh : undefined,
    // One body more than fits is always sent.
    sendBufferBytesMax: isNarrow ? sendBufferBytesHigh + random.integer(12_000, 24_000) : undefined,
    bodyCacheBytesMax: maybe(random, 0.3, () => random.integer(1, 2000)),
    stagedBytesMax: maybe(random, 0.2, () => random.pick([1, 300, 3000])),
    lazyFlushMs: maybe(random, 0.4, () => random.pick([1, 10, 500, 2000])),
    compactEveryMs: maybe(random, 0.5, () => random.pick([50, 200])),
    compactBytesMin: maybe(random, 0.5, () => 1),
    drainRetryAfterMs: maybe(random, 0.3, () => random.integer(20, 3000)),
  })
  return fitting(random, drawn)
}

export function limitsOf(random: RandomStream, frameBytesMax: number): Limits {
  return {
    ...DEFAULT_HOST_CONFIG.limits,
    frameBytesMax,
    bodyBytesMax: frameBytesMax >> 2,
    // The answer that refuses all of them must fit a frame.
    batchItemsMax: random.integer(2, 20),
    frameMessagesMax: random.integer(4, 50),
    messageLengthMax: 100,
    stackLengthMax: 100,
    progressBytesMax: 50,
    creditMax: random.integer(2, 20),
  }
}

function rareLimitsOf(random: RandomStream, queues: readonly string[]): Partial<Limits> {
  return present<Partial<Limits>>({
    // With fewer levels a client leaves progress out.
    depthMax: maybe(random, 0.3, () => random.integer(9, 12)),
    // A session's id counts as a name.
    nameLengthMax: maybe(random, 0.3, () => random.integer(40, 60)),
    tokenLengthMax: maybe(random, 0.3, () => 1),
    sessionQueuesMax: maybe(random, 0.3, () => queues.length),
  })
}

/** A broker does not start if one frame could fill the unsent bytes. So a low bound goes with small frames. */
function fitting(random: RandomStream, hosting: Partial<HostConfig>): Partial<HostConfig> {
  const { limits, sendBufferBytesMax } = hosting
  if (sendBufferBytesMax === undefined) return hosting
  const frameBytesMax = random.integer(4096, sendBufferBytesMax >> 1)
  return { ...hosting, limits: limits ? withFrame(limits, frameBytesMax) : limitsOf(random, frameBytesMax) }
}

/** The limits with frames of at most this many bytes, if they allow larger ones. */
function withFrame(limits: Limits, frameBytesMax: number): Limits {
  if (limits.frameBytesMax <= frameBytesMax) return limits
  return { ...limits, frameBytesMax, bodyBytesMax: Math.min(limits.bodyBytesMax, frameBytesMax >> 2) }
}

/**
 * A client gives up a broker that it has not heard for two and a half heartbeats. If one frame takes longer than
 * that, it reconnects for ever and asks for the same again.
 */
export function heartbeatOf(
  random: RandomStream,
  network: NetworkProfile,
  journal: JournalProfile,
): Partial<HostConfig> {
  if (network.bytesPerSecond !== undefined || random.chance(0.3)) return {}
  const isSlow = [network.delayMs, journal.appendMs, journal.readMs].some((distribution) => meanOf(distribution) >= 5)
  return { heartbeatMs: random.pick(isSlow ? [1000, 3000] : [300, 1000]) }
}
