import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import { Calm } from './calm.ts'
import type { Sources } from './sources.ts'

/**
 * A client judges silence after two and a half heartbeat periods. A client that still sends after this many has not.
 */
const PERIODS_MAX = 4
const SLACK_MS = 100

/** A client that hears nothing for some heartbeat periods stops sending on the same connection. */
export class Silence implements Checker {
  readonly rule = 'CLIENT-2'
  readonly #sources: Sources
  readonly #calm = new Calm()
  readonly #heartbeatMs = new Map<number, number>()
  /** When a node last heard something, by connection. */
  readonly #heardAtMs = new Map<number, number>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#calm.see(observation)
    if (observation.type === 'heardByNode') {
      const { connection, message, atMs } = observation
      if (message.type === 'welcome') this.#heartbeatMs.set(connection, message.heartbeatMs)
      this.#heardAtMs.set(connection, atMs)
    } else if (observation.type === 'disconnected') {
      if (observation.side === 'node') this.#heardAtMs.delete(observation.connection)
    } else if (observation.type === 'sentToBroker') {
      const { connection, node, atMs } = observation
      const heardAtMs = this.#heardAtMs.get(connection)
      const heartbeatMs = this.#heartbeatMs.get(connection)
      if (heardAtMs === undefined || heartbeatMs === undefined) return
      const silentMs = this.#calm.lastedMs(atMs, heardAtMs)
      // A link may take long for one frame, and nothing of it is heard until it is complete.
      if (this.#sources.scenario.network.bytesPerSecond !== undefined) return
      if (silentMs <= PERIODS_MAX * heartbeatMs + SLACK_MS) return
      this.#heardAtMs.delete(connection)
      violate(`${node} has heard nothing for ${silentMs} ms and still speaks to connection ${connection}`, {
        nodes: [node],
      })
    }
  }
}
