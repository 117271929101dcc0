import type { Start } from '@sluice/protocol'
import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import { attemptsAllowed, type TaskView } from './chronicle.ts'
import type { Sources } from './sources.ts'

/** After this many lost attempts in a row, a task runs alone. */
const LOST_IN_A_ROW = 2

/** A task that may have crashed its worker is delivered as `announced` or `alone`. Any other task is not. */
export class Suspects implements Checker {
  readonly rule = 'LEASE-8'
  readonly #sources: Sources
  /** The start mode that each delivery was given, by lease, until its grant is durable. */
  readonly #told = new Map<number, Start | undefined>()
  /** The start mode that it must have, by lease, until it is delivered. */
  readonly #due = new Map<number, { id: string; start: Start | undefined }>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle } = this.#sources
    const steps = chronicle.see(observation)
    if (observation.type === 'recovered') this.#told.clear()
    if (chronicle.isRetold) this.#due.clear()
    else
      for (const { fact, before } of steps)
        if (fact.type === 'leaseGranted' && before) {
          this.#due.set(fact.lease, { id: before.id, start: startOf(before) })
          this.#judge(fact.lease, violate)
        }
    if (observation.type === 'sentByBroker' && observation.message.type === 'deliver')
      for (const lease of observation.message.leases) {
        this.#told.set(lease, observation.message.start)
        this.#judge(lease, violate)
      }
  }

  #judge(lease: number, violate: Violate): void {
    const due = this.#due.get(lease)
    if (!due || !this.#told.has(lease)) return
    const told = this.#told.get(lease)
    this.#due.delete(lease)
    this.#told.delete(lease)
    if (told !== due.start)
      violate(`task ${due.id} was delivered to be started ${told ?? 'as any'}, not ${due.start ?? 'as any'}`, {
        ids: [due.id],
      })
  }
}

/** The start mode that the attempt granted now must have. */
function startOf(task: TaskView): Start | undefined {
  const isLast = task.attempts + 1 >= attemptsAllowed(task)
  const lost = task.history.length - 1 - task.history.findLastIndex(({ how }) => how === 'failed')
  if (lost >= LOST_IN_A_ROW || (lost > 0 && isLast)) return 'alone'
  return lost > 0 || isLast || task.releases > 0 ? 'announced' : undefined
}
