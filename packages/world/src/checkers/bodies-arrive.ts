import type { Submit } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import type { Sources } from './sources.ts'
import { acceptedOf } from './wire.ts'

const text = new TextDecoder()

/**
 * A handler receives the body that was submitted, from the queue that it was submitted to. Different content under
 * the id of a held task is not accepted.
 */
export class BodiesArrive implements Checker {
  readonly rule = 'CREDIT-2'
  readonly #sources: Sources
  /**
   * The contents that an id was submitted with. There may be several if a submission was refused, or came after the
   * first was forgotten.
   */
  readonly #submitted = new Map<string, { queue: string; bodies: Set<string> }>()
  /** The content that was accepted under an id, and its number. */
  readonly #contents = new Map<string, { content: string; seq: number }>()
  /** The numbers of the tasks that were held when a submission was heard, by connection and ref. */
  readonly #held = new Map<string, ReadonlyMap<string, number>>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#sources.chronicle.see(observation)
    this.#sources.wire.see(observation)
    switch (observation.type) {
      case 'submitting': {
        const { id, queue, body } = observation
        const known = this.#submitted.get(id)
        if (known) known.bodies.add(body)
        else this.#submitted.set(id, { queue, bodies: new Set([body]) })
        break
      }
      case 'handlerStarted':
        this.#started(observation, violate)
        break
      case 'heardByBroker':
        if (observation.message.type === 'submit') this.#heard(observation.connection, observation.message)
        break
      case 'sentByBroker':
        if (observation.message.type === 'submitted') this.#answered(observation, violate)
        break
      default:
    }
  }

  #started({ id, node, queue, body }: ObservationOf<'handlerStarted'>, violate: Violate): void {
    const submitted = this.#submitted.get(id)
    if (!submitted) return
    const about = { ids: [id], nodes: [node] }
    if (!submitted.bodies.has(body)) violate(`${node} was given another body of task ${id} than was submitted`, about)
    if (submitted.queue !== queue)
      violate(`${node} was given task ${id} of ${submitted.queue} as one of ${queue}`, about)
  }

  #heard(connection: number, { ref, ids }: Submit): void {
    const held = new Map<string, number>()
    for (const id of ids) {
      const task = this.#sources.chronicle.tasks.get(id)
      if (task) held.set(id, task.seq)
    }
    this.#held.set(`${connection} ${ref}`, held)
  }

  #answered(observation: ObservationOf<'sentByBroker'>, violate: Violate): void {
    const { connection, node, message } = observation
    const request = this.#sources.wire.requestOf(observation)
    if (message.type !== 'submitted' || request?.type !== 'submit') return
    const held = this.#held.get(`${connection} ${message.ref}`)
    this.#held.delete(`${connection} ${message.ref}`)
    for (const id of acceptedOf(request, message.refused)) {
      const seq = this.#sources.chronicle.tasks.get(id)?.seq
      if (seq === undefined) continue
      const content = contentOf(request, id)
      const known = this.#contents.get(id)
      if (known?.seq !== seq) this.#contents.set(id, { content, seq })
      // The same task was held before the submission came and is still held.
      else if (known.content !== content && held?.get(id) === seq)
        violate(
          `${node} was told that task ${id} is accepted, which is held with another content`,
          {
            ids: [id],
            nodes: [node],
          },
          'SUBMIT-3',
        )
    }
  }
}

function contentOf({ queue, options, contentType, ids, bodies }: Submit, id: string): string {
  return `${JSON.stringify([queue, options ?? null, contentType ?? null])} ${text.decode(bodies.at(ids.indexOf(id)))}`
}
