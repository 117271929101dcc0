import type { BrokerMessage, ClientMessage, Submit } from '@sluice/protocol'
import { deliveredItems, type OutcomeItem, outcomeItems, progressedIds } from '../message-items.ts'
import type { Observation } from '../observation.ts'

/** A delivery as it was told. */
export interface ToldLease {
  readonly lease: number
  readonly id: string
  readonly attempt: number
  readonly node: string
  readonly connection: number
  readonly session: string
  /** The program on the other side has received it. */
  isHeard: boolean
}

type Request = Extract<ClientMessage, { ref: number }>

/** One connection between a node and the broker, as far as both ends have spoken. */
export interface ConnectionView {
  readonly node: string
  readonly connection: number
  /** Set once welcomed. */
  session: string | undefined
  isOpenAtNode: boolean
  isOpenAtBroker: boolean
  /** Messages that the broker has heard and that ask for an answer, by ref. */
  readonly requests: Map<number, Request>
}

/**
 * Keeps track of messages: sessions of connections, leases as they were told, and the questions that answers belong
 * to.
 */
export class Wire {
  readonly connections = new Map<number, ConnectionView>()
  readonly leases = new Map<number, ToldLease>()
  /** The connection on which a session was last welcomed. */
  readonly bySession = new Map<string, ConnectionView>()
  #seen: Observation | undefined

  /** The same observation may be shown again. It counts once. */
  see(observation: Observation): void {
    if (this.#seen === observation) return
    this.#seen = observation
    switch (observation.type) {
      case 'nodeStarted':
        this.#startedAnew(observation.node)
        break
      case 'connected':
        this.connectionOf(observation)
        break
      case 'disconnected': {
        const view = this.connectionOf(observation)
        if (observation.side === 'node') view.isOpenAtNode = false
        else view.isOpenAtBroker = false
        this.#forgetClosed(view)
        break
      }
      case 'heardByBroker': {
        const { message } = observation
        if ('ref' in message && message.type !== 'ping' && message.type !== 'pong')
          this.connectionOf(observation).requests.set(message.ref, message)
        break
      }
      case 'sentByBroker':
        this.#sent(observation)
        break
      case 'heardByNode':
        if (observation.message.type === 'deliver')
          for (const lease of observation.message.leases) {
            const told = this.leases.get(lease)
            if (told) told.isHeard = true
          }
        break
      default:
    }
  }

  connectionOf({ node, connection }: { node: string; connection: number }): ConnectionView {
    let view = this.connections.get(connection)
    if (!view) {
      view = {
        node,
        connection,
        session: undefined,
        isOpenAtNode: true,
        isOpenAtBroker: true,
        requests: new Map(),
      }
      this.connections.set(connection, view)
    }
    return view
  }

  /** The question of an answer that the broker sends. */
  requestOf(told: { node: string; connection: number; message: BrokerMessage }): Request | undefined {
    const { message } = told
    if (!('ref' in message) || message.ref === undefined) return undefined
    return this.connectionOf(told).requests.get(message.ref)
  }

  /** The outcomes that a message of the broker tells. */
  outcomesIn(told: { node: string; connection: number; message: BrokerMessage }): OutcomeItem[] {
    return outcomeItems(told.message, (ref) => this.#submissionOf(told, ref))
  }

  /** The tasks whose progress it tells. */
  progressIn(told: { node: string; connection: number; message: BrokerMessage }): string[] {
    return told.message.type === 'progress' ? progressedIds(told.message, (ref) => this.#submissionOf(told, ref)) : []
  }

  /** No end of an earlier life is open, even if that life was over before it heard that the connection was lost. */
  #startedAnew(node: string): void {
    for (const view of this.connections.values()) {
      if (node === 'broker') view.isOpenAtBroker = false
      else if (node === view.node) view.isOpenAtNode = false
      this.#forgetClosed(view)
    }
  }

  #forgetClosed({ connection, isOpenAtNode, isOpenAtBroker }: ConnectionView): void {
    if (!isOpenAtNode && !isOpenAtBroker) this.connections.delete(connection)
  }

  #submissionOf(told: { node: string; connection: number }, ref: number): Submit | undefined {
    const request = this.connectionOf(told).requests.get(ref)
    return request?.type === 'submit' ? request : undefined
  }

  #sent(told: Extract<Observation, { type: 'sentByBroker' }>): void {
    const { node, connection, message } = told
    const view = this.connectionOf(told)
    if (message.type === 'welcome') {
      view.session = message.session
      this.bySession.set(message.session, view)
    } else if (message.type === 'deliver') {
      for (const { id, lease, attempt } of deliveredItems(message)) {
        this.leases.set(lease, {
          lease,
          id,
          attempt,
          node,
          connection,
          session: view.session ?? '',
          isHeard: false,
        })
      }
    }
  }
}

/** The tasks of a submission that its answer does not refuse. */
export function acceptedOf({ ids }: Submit, refused: readonly { index: number }[]): string[] {
  const indices = new Set(refused.map(({ index }) => index))
  return ids.filter((_, index) => !indices.has(index))
}
