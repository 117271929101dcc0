import type { HostConfig } from '@sluice/broker/core'
import type { BrokerMessage, ClientMessage } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { HEADER_BYTES } from './frames-under-way.ts'
import { boundsOf, isStranger } from './population.ts'
import type { Sources } from './sources.ts'

/**
 * Frames, lists and bodies keep within the limits that the broker has announced. A connection whose peer does not
 * read gets no deliveries past `sendBufferBytesHigh`, and is closed as soon as more than `sendBufferBytesMax` wait
 * for it. At most what left at that same time comes on top.
 */
export class ConnectionBounds implements Checker {
  readonly rule = 'MSG-17'
  readonly #host: HostConfig
  /** When a connection was first seen to hold more than it may. */
  readonly #overfull = new Map<number, number>()
  /** What a connection held after everything that it was given at its last time, and at least before any of that. */
  readonly #unsent = new Map<number, { atMs: number; before: number; after: number; wasFull: boolean }>()

  constructor({ scenario }: Sources) {
    this.#host = boundsOf(scenario).host
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    switch (observation.type) {
      case 'frame':
        this.#frame(observation, violate)
        break
      case 'sentByBroker':
        if (observation.message.type === 'deliver') this.#delivered(observation, violate)
        this.#message(observation.node, observation.message, violate)
        break
      case 'sentToBroker':
        if (!isStranger(observation.node)) this.#message(observation.node, observation.message, violate)
        break
      case 'disconnected':
        this.#overfull.delete(observation.connection)
        this.#unsent.delete(observation.connection)
        break
      default:
    }
  }

  #frame({ atMs, node, connection, by, bytes, messages, buffered }: ObservationOf<'frame'>, violate: Violate): void {
    const { limits, sendBufferBytesMax } = this.#host
    if (by === 'node' && isStranger(node)) return
    const about = { nodes: [node] }
    const whose = by === 'broker' ? `the broker sent ${node}` : `${node} sent the broker`
    if (bytes > limits.frameBytesMax) violate(`${whose} a frame of ${bytes} bytes, past ${limits.frameBytesMax}`, about)
    if (messages > limits.frameMessagesMax)
      violate(`${whose} a frame of ${messages} messages, past ${limits.frameMessagesMax}`, about)
    if (by !== 'broker') return
    const earlier = this.#unsent.get(connection)
    const before = buffered - bytes - HEADER_BYTES
    if (earlier?.atMs === atMs) {
      // Reading between two frames of one time makes room. The broker sees that when the first has left.
      earlier.before = Math.min(earlier.before, before)
      earlier.after = buffered
    } else {
      const wasFull = (earlier?.after ?? 0) > this.#host.sendBufferBytesHigh
      this.#unsent.set(connection, { atMs, before, after: buffered, wasFull })
    }
    const sinceMs = this.#overfull.get(connection)
    if (sinceMs !== undefined && sinceMs < atMs) {
      violate(
        `the broker went on sending to ${node}, for which more than ${sendBufferBytesMax} bytes waited`,
        about,
        'HOST-11',
      )
      this.#overfull.delete(connection)
    } else if (buffered > sendBufferBytesMax && sinceMs === undefined) this.#overfull.set(connection, atMs)
  }

  /** The connection was full when it was last sent something, and has not been read from since. */
  #delivered({ node, connection }: ObservationOf<'sentByBroker'>, violate: Violate): void {
    const { before = 0, wasFull = false } = this.#unsent.get(connection) ?? {}
    if (wasFull && before > this.#host.sendBufferBytesHigh)
      violate(`the broker delivered to ${node}, for which ${before} bytes waited`, { nodes: [node] }, 'HOST-10')
  }

  #message(node: string, message: ClientMessage | BrokerMessage, violate: Violate): void {
    const { batchItemsMax, bodyBytesMax } = this.#host.limits
    const about = { nodes: [node] }
    const items = itemsOf(message)
    if (items > batchItemsMax) violate(`a ${message.type} of ${node} has ${items} items, past ${batchItemsMax}`, about)
    if (!('bodies' in message)) return
    for (const bytes of message.bodies.lengths)
      if (bytes > bodyBytesMax)
        violate(`a ${message.type} of ${node} has a body of ${bytes} bytes, past ${bodyBytesMax}`, about)
  }
}

function itemsOf(message: ClientMessage | BrokerMessage): number {
  switch (message.type) {
    case 'submit':
    case 'deliver':
    case 'cancel':
    case 'query':
    case 'watch':
      return message.ids.length
    case 'complete':
    case 'heartbeat':
    case 'release':
      return message.leases.length
    case 'fail':
      return message.failures.length
    case 'succeeded':
      return message.bodies.count
    case 'ended':
    case 'progress':
      return message.tasks.length
    default:
      return 0
  }
}
