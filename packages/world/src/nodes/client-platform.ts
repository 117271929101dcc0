import type { Platform } from '@sluice/client'
import type { OnTransition } from '@sluice/machines/states'
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
    onTransition: transitionsOf(context, process),
  }
}

/** Observes what the charts of a program do, if anybody watches. */
export function transitionsOf(context: Context, process: Process): OnTransition | undefined {
  if (!context.areTransitionsWatched) return undefined
  return (transition) => process.observe({ type: 'transition', node: process.node, ...transition })
}

/** The only address that exists. */
export const BROKER_URL = 'ws://broker'
