import type { ClientMessage } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import type { LeaseView } from './chronicle.ts'
import { isHonest } from './population.ts'
import type { Sources } from './sources.ts'

/** After this many batches, the end of a lease that needed no write of its own has been written with another one. */
const BATCHES_OF_GRACE = 3

/** A settlement is accepted once, under the live lease of the session that holds it, and under no other. */
export class FencedLeases implements Checker {
  readonly rule = 'LEASE-3'
  readonly #sources: Sources
  readonly #settled = new Set<number>()
  /** Of these, the ones that were handed back. A crash may undo that; then they are handed back again. */
  readonly #handedBack = new Set<number>()
  /** What workers have settled, by connection. They settle again only on a new one. */
  readonly #said = new Map<number, Set<number>>()
  /** What was sent under a ref, by connection and ref, and the leases for which each node has had an answer. */
  readonly #asked = new Map<string, readonly number[]>()
  readonly #answeredOf = new Map<string, Set<number>>()
  /**
   * Leases that were refused though they were live as far as was written. Their end may be on its way to the journal.
   */
  #doubtful: { lease: LeaseView; node: string; batches: number }[] = []

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle, wire } = this.#sources
    chronicle.see(observation)
    wire.see(observation)
    if (chronicle.isRetold) {
      // If even durable data is lost, lease numbers may start again.
      this.#settled.clear()
      this.#answeredOf.clear()
      this.#said.clear()
    }
    if (chronicle.isRetold || observation.type === 'recovered') this.#doubtful = []
    if (observation.type === 'recovered') {
      for (const lease of this.#handedBack) this.#settled.delete(lease)
      this.#handedBack.clear()
    }
    if (observation.type === 'appended' && this.#doubtful.length > 0) this.#resolve(violate)
    if (observation.type === 'sentToBroker') this.#say(observation, violate)
    if (observation.type === 'heardByNode') this.#hear(observation)
    if (observation.type === 'nodeStopped') this.#answeredOf.delete(observation.node)
    if (observation.type === 'sentByBroker' && observation.message.type === 'settled') {
      const request = wire.requestOf(observation)
      const leases = request ? settledBy(request) : undefined
      if (request && leases) this.#answered(observation, request, leases, violate)
    }
  }

  #say({ node, connection, message }: ObservationOf<'sentToBroker'>, violate: Violate): void {
    const leases = settledBy(message)
    if (!leases || !isHonest(this.#sources.scenario, node)) return
    let said = this.#said.get(connection)
    if (!said) {
      said = new Set()
      this.#said.set(connection, said)
    }
    if ('ref' in message && message.ref !== undefined) this.#asked.set(`${connection} ${message.ref}`, leases)
    const answered = this.#answeredOf.get(node)
    for (const lease of leases) {
      if (answered?.has(lease))
        violate(`${node} settled lease ${lease} again after it had its answer`, { nodes: [node] }, 'CLIENT-5')
      if (said.has(lease))
        violate(`${node} settled lease ${lease} twice on one connection`, { nodes: [node] }, 'CLIENT-5')
      said.add(lease)
    }
  }

  #hear({ node, connection, message }: ObservationOf<'heardByNode'>): void {
    if (message.type !== 'settled') return
    let answered = this.#answeredOf.get(node)
    if (!answered) {
      answered = new Set()
      this.#answeredOf.set(node, answered)
    }
    for (const lease of this.#asked.get(`${connection} ${message.ref}`) ?? []) answered.add(lease)
  }

  #answered(
    observation: ObservationOf<'sentByBroker'>,
    request: ClientMessage,
    leases: readonly number[],
    violate: Violate,
  ): void {
    if (observation.message.type !== 'settled') return
    const { chronicle, wire } = this.#sources
    const { node } = observation
    const { session } = wire.connectionOf(observation)
    const refused = new Map(observation.message.refused.map(({ index, error }) => [index, error.code]))
    leases.forEach((number, index) => {
      const lease = chronicle.leases.get(number)
      const about = { ids: lease ? [lease.id] : [], nodes: [node] }
      const code = refused.get(index)
      if (code !== undefined) {
        if (code === 'lease_lost' && lease && lease.end === undefined && lease.session === session) {
          if (wire.leases.get(number)?.isHeard) this.#doubtful.push({ lease, node, batches: 0 })
        }
        return
      }
      if (this.#settled.has(number)) violate(`lease ${number} of ${node} was settled twice`, about)
      this.#settled.add(number)
      if (request.type === 'release') this.#handedBack.add(number)
      if (!lease) {
        const told = wire.leases.get(number)
        if (!told) violate(`${node} settled lease ${number}, which nobody was ever given`, about)
        return
      }
      if (chronicle.damaged.has(lease.id)) return
      if (lease.session !== session)
        violate(`${node} settled lease ${number} of task ${lease.id}, which another session holds`, about)
      else if (lease.end !== undefined && !fits(request, lease))
        violate(`${node} settled lease ${number} of task ${lease.id} after ${reasonOf(lease)} had ended it`, about)
    })
  }

  #resolve(violate: Violate): void {
    for (const doubtful of this.#doubtful) doubtful.batches += 1
    for (const { lease, node, batches } of this.#doubtful) {
      if (batches < BATCHES_OF_GRACE || lease.end !== undefined) continue
      violate(`${node} holds lease ${lease.lease} of task ${lease.id} and was refused its settlement`, {
        ids: [lease.id],
        nodes: [node],
      })
    }
    this.#doubtful = this.#doubtful.filter(({ lease, batches }) => batches < BATCHES_OF_GRACE && !lease.end)
  }
}

function settledBy(request: ClientMessage): readonly number[] | undefined {
  switch (request.type) {
    case 'complete':
      return request.leases
    case 'fail':
      return request.failures.map(({ lease }) => lease)
    case 'release':
      return request.leases
    default:
      return undefined
  }
}

/** Whether this message can have ended the lease in the way in which it ended. */
function fits({ type }: ClientMessage, { end, how }: LeaseView): boolean {
  if (type === 'complete') return end === 'taskSucceeded'
  if (type === 'release' && end === 'leaseReleased') return true
  return (end === 'attemptFailed' || end === 'taskDied') && how === 'failed'
}

function reasonOf({ end, how }: LeaseView): string {
  return how && how !== 'failed' ? how : (end as string)
}
