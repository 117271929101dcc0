import { deliveredItems } from '../message-items.ts'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { attemptsAllowed, type Step } from './chronicle.ts'
import type { Sources } from './sources.ts'

/**
 * The delivery of a last allowed attempt, or of a task with a time-to-live, leaves when its grant is durable. So no
 * handler starts a task's last allowed attempt while another lease has it, or had it and was begun, whatever crashes.
 */
export class DurableGrants implements Checker {
  readonly rule = 'LEASE-9'
  readonly #sources: Sources
  /** Under which leases handlers have started the last allowed attempt of a task, by its id. */
  readonly #begun = new Map<string, Set<number>>()

  /** The latest lease that was granted, and of each id the latest before its task was redriven or forgotten. */
  #latest = 0
  readonly #oldLeases = new Map<string, number>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle, runs } = this.#sources
    runs.see(observation)
    for (const step of chronicle.see(observation)) this.#note(step)
    if (observation.type === 'sentByBroker') this.#sent(observation, violate)
    else if (observation.type === 'handlerStarted') this.#started(observation, violate)
  }

  #note({ fact }: Step): void {
    if (fact.type === 'leaseGranted') this.#latest = Math.max(this.#latest, fact.lease)
    if (fact.type !== 'taskRedriven' && fact.type !== 'taskForgotten') return
    if (!this.#sources.chronicle.isRetold) this.#oldLeases.set(fact.id, this.#latest)
    // The task, or the next one with its id, has all attempts again.
    this.#begun.delete(fact.id)
  }

  #sent({ node, message }: ObservationOf<'sentByBroker'>, violate: Violate): void {
    const { chronicle } = this.#sources
    if (message.type !== 'deliver') return
    for (const { id, lease, attempt } of deliveredItems(message)) {
      const task = chronicle.tasks.get(id)
      if (!task || chronicle.leases.has(lease)) continue
      if (task.options.ttlMs > 0 || attempt >= attemptsAllowed(task))
        violate(`attempt ${attempt} of task ${id} was delivered to ${node}, and a crash would forget its grant`, {
          ids: [id],
          nodes: [node],
        })
    }
  }

  #started({ node, id, attempt, run }: ObservationOf<'handlerStarted'>, violate: Violate): void {
    const { chronicle, runs } = this.#sources
    const task = chronicle.tasks.get(id)
    const lease = runs.leaseOf(run)
    // A delivery of the life before may be begun when the task has been redriven, or accepted as a new one.
    if (lease !== undefined && lease <= (this.#oldLeases.get(id) ?? 0)) return
    if (!task || lease === undefined || attempt < attemptsAllowed(task) || chronicle.damaged.has(id)) return
    // The lease was handed back, or lost before the broker could hear that it was begun: not counted.
    const isUncounted = (one: number): boolean => chronicle.leases.get(one)?.end === 'leaseReleased'
    if (isUncounted(lease)) return
    const begun = this.#begun.get(id) ?? new Set()
    this.#begun.set(id, begun)
    for (const other of begun) {
      if (other === lease || isUncounted(other)) continue
      violate(`${node} starts attempt ${attempt} of task ${id}, its last, which was made under lease ${other}`, {
        ids: [id],
        nodes: [node],
      })
    }
    begun.add(lease)
  }
}
