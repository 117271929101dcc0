import type { Platform } from '@sluice/client'
import type { Context } from '../context.ts'
import type { Network, Tampering } from '../network/network.ts'
import type { Process } from './process.ts'

/** The platform of a client or a worker in this world. */
export function clientPlatform(
  context: Context,
  network: Network,
  process: Process,
  { tampering, drawsAlike = false }: { tampering?: Tampering | undefined; drawsAlike?: boolean } = {},
): Platform {
  const life = `${process.node} life ${process.incarnation}`
  const random = context.random.stream(`${life} random`)
  const secrets = context.random.stream(`${life} ids`)
  return {
    now: () => process.now(),
    setTimer: (fn, ms) => process.setProgramTimer(fn, ms),
    // All nodes draw alike: this shows what would happen without jitter.
    random: () => (drawsAlike ? 0.5 : random.next()),
    randomBytes: (count) => secrets.bytes(count),
    epochMs: () => process.epochMs(),
    connect: () => network.connect(process, tampering),
  }
}

/** The only address that exists. */
export const BROKER_URL = 'ws://broker'
