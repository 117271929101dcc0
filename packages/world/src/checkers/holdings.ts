import type { HostConfig } from '@sluice/broker/core'
import type { Checker, Holdings as Held, Observation, Surroundings, Violate } from '../observation.ts'
import { Calm } from './calm.ts'
import { boundsOf } from './population.ts'
import type { Sources } from './sources.ts'

/** How late a timer of an undisturbed broker may be. */
const SLACK_MS = 300

/**
 * The host keeps its own bounds: connections, connections without a hello and how long these may take, requests that
 * wait for an outcome, and bodies in memory.
 */
export class Holdings implements Checker {
  readonly rule = 'HOST-6'
  readonly #sources: Sources
  readonly #host: HostConfig
  readonly #calm = new Calm()
  /** Open connections over which the broker has heard nothing yet, and since when. */
  readonly #silent = new Map<number, { node: string; atMs: number }>()

  constructor(sources: Sources) {
    this.#sources = sources
    this.#host = boundsOf(sources.scenario).host
  }

  see(observation: Observation, { held }: Surroundings, violate: Violate): void {
    this.#calm.see(observation)
    this.#sources.wire.see(observation)
    if (observation.type === 'connected')
      this.#silent.set(observation.connection, { node: observation.node, atMs: observation.atMs })
    else if (observation.type === 'heardByBroker') this.#silent.delete(observation.connection)
    if (held && (observation.type === 'heardByBroker' || observation.type === 'appending')) this.#judge(held, violate)
    if (this.#silent.size > 0) this.#judgeSilent(observation.atMs, violate)
  }

  #judge({ connections, pendingConnections, waiters, cachedBytes }: Held, violate: Violate): void {
    const { connectionsMax, pendingConnectionsMax, waitersMax, bodyCacheBytesMax } = this.#host
    const over = (count: number, max: number, what: string, rule: string): void => {
      if (count > max) violate(`the broker holds ${count} ${what}, at most ${max} are allowed`, {}, rule)
    }
    over(connections, connectionsMax, 'connections', 'HOST-6')
    over(pendingConnections, pendingConnectionsMax, 'connections that have not said hello', 'HOST-6')
    over(waiters, waitersMax, 'requests that wait for an outcome', 'HOST-12')
    over(cachedBytes, bodyCacheBytesMax, 'bytes of bodies in its cache', 'HOST-12')
  }

  #judgeSilent(nowMs: number, violate: Violate): void {
    const maxMs = this.#host.helloTimeoutMs + SLACK_MS
    for (const [connection, { node, atMs }] of this.#silent) {
      if (nowMs - atMs <= maxMs) break
      if (!this.#sources.wire.connections.get(connection)?.isOpenAtBroker) this.#silent.delete(connection)
      else if (this.#calm.lastedMs(nowMs, atMs) > maxMs) {
        this.#silent.delete(connection)
        violate(`the broker has heard nothing over connection ${connection} of ${node} and keeps it open`, {
          nodes: [node],
        })
      }
    }
  }
}
