import type { Checker, Observation, Surroundings } from '../observation.ts'
import type { Violate } from './sources.ts'

/** A handler is given the body that was submitted, from the queue that it was submitted to. */
export class BodiesArrive implements Checker {
  readonly rule = 'PROMISE-4'
  /** What an id was submitted with; more than one where another submission was refused, or came when the first was forgotten. */
  readonly #submitted = new Map<string, { queue: string; bodies: Set<string> }>()

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    if (observation.type === 'submitting') {
      const { id, queue, body } = observation
      const known = this.#submitted.get(id)
      if (known) known.bodies.add(body)
      else this.#submitted.set(id, { queue, bodies: new Set([body]) })
    } else if (observation.type === 'handlerStarted') {
      const { id, node, queue, body } = observation
      const submitted = this.#submitted.get(id)
      if (!submitted) return
      const about = { ids: [id], nodes: [node] }
      if (!submitted.bodies.has(body)) violate(`${node} was given another body of task ${id} than was submitted`, about)
      if (submitted.queue !== queue)
        violate(`${node} was given task ${id} of ${submitted.queue} as one of ${queue}`, about)
    }
  }
}
