import { type Effect, type Session, type Task, watchersOf } from '@sluice/engine'
import type { Connection } from './connection.ts'
import type { Connections } from './connections.ts'
import { namesFor } from './task-names.ts'

/** Turns the engine's effects into messages for connections. */
export class Rendering {
  readonly #connections: Connections
  /** Called for each task that has its outcome. */
  readonly #onOutcome: (task: Task) => void

  constructor(connections: Connections, onOutcome: (task: Task) => void) {
    this.#connections = connections
    this.#onOutcome = onOutcome
  }

  render(effect: Effect): void {
    switch (effect.type) {
      case 'deliver': {
        const outbound = this.#connections.of(effect.session)?.outbound
        if (outbound === undefined) return
        outbound.deliver(effect.tasks, effect.lease, effect.start, effect.durable ?? false)
        // The broker delivers nothing more until the peer has read.
        if (outbound.isFull) outbound.stall()
        return
      }
      case 'outcomes':
        this.#tellOutcomes(effect.tasks)
        return
      case 'outcome':
        this.#connections.of(effect.session.id)?.outbound.tellOutcome(effect.task, undefined)
        return
      case 'revoke':
        this.#connections.of(effect.session)?.outbound.revoke(effect.lease, effect.reason)
        return
      case 'progress':
        for (const session of watchersOf(effect.task)) {
          const outbound = this.#connections.of(session.id)?.outbound
          for (const name of namesFor(effect.task, session)) outbound?.tellProgress(effect.task, name)
        }
        return
      case 'refused':
        return
    }
  }

  #tellOutcomes(tasks: readonly Task[]): void {
    let session: Session | undefined
    let connection: Connection | undefined
    for (const task of tasks) {
      const { submission, watchers } = task
      if (watchers === null && submission !== null && submission.connection === submission.session.connections) {
        // The usual case: the submitter is still connected, and no other session watches the task.
        if (session !== submission.session) {
          session = submission.session
          connection = this.#connections.of(session.id)
        }
        connection?.outbound.tellOutcome(task, submission)
      } else {
        for (const watcher of watchersOf(task))
          for (const name of namesFor(task, watcher)) this.#connections.of(watcher.id)?.outbound.tellOutcome(task, name)
      }
      this.#onOutcome(task)
    }
  }
}
