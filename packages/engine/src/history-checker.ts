import { check, same } from './check.ts'
import type { Task } from './entities.ts'
import type { Event, EventOf } from './events.ts'
import { freeCredit, type State } from './state.ts'
import { attemptsMax } from './task.ts'

/** Checks what must hold for the whole history of events. Pass it every event in order, with the state before it. */
export class HistoryChecker {
  #lastLease = 0
  #lastSeq = 0
  readonly #outcomes = new Set<string>()

  see(event: Event, before: State): void {
    switch (event.type) {
      case 'tasksAccepted':
        for (const id of event.ids) {
          check(!before.tasks.has(id), () => `task ${id} is accepted twice`)
          this.#outcomes.delete(id)
        }
        check(event.seq > this.#lastSeq, () => `task number ${event.seq} comes after ${this.#lastSeq}`)
        this.#lastSeq = event.seq + event.ids.length - 1
        return
      case 'taskRedriven':
        this.#outcomes.delete(event.id)
        return
      case 'tasksSucceeded':
        for (const seq of event.tasks) this.#ends(before.tasks.numbered(seq)?.id ?? '')
        return
      case 'taskDied':
        checkLoss(before, event, event.attempt?.how)
        this.#ends(event.id)
        return
      case 'taskCancelled':
        checkRevoked(before, event, true)
        this.#ends(event.id)
        return
      case 'attemptFailed':
        checkLoss(before, event, event.attempt.how)
        return
      case 'leaseReleased': {
        checkRevoked(before, event, event.lost === 'lease_expired')
        if (event.lost) check(!isBegun(before, event.id), () => `task ${event.id} was begun and is not charged`)
        return
      }
      case 'leasesBegun': {
        const { begins = false, begun = 0, lastLease = 0 } = before.sessions.get(event.session) ?? {}
        check(
          begins && event.lease > begun && event.lease <= lastLease,
          () => `${event.session} begins lease ${event.lease}, and had begun ${begun} of ${lastLease}`,
        )
        return
      }
      case 'leasesGranted': {
        check(event.lease > this.#lastLease, () => `lease ${event.lease} comes after ${this.#lastLease}`)
        this.#lastLease = event.lease + event.tasks.length - 1
        const session = before.sessions.get(event.session)
        check(
          session?.phase === 'connected' && session.silence === 'none' && freeCredit(session) >= event.tasks.length,
          () => `leases are granted past the credit of ${event.session}`,
        )
        for (const seq of event.tasks) {
          const task = before.tasks.numbered(seq)
          const max = task ? attemptsMax(task) : 0
          check(task !== undefined && task.attempts < max, () => `task number ${seq} is tried more than ${max} times`)
          if (task) same([event.start, event.durable === true], startOf(task), `how task ${task.id} is to be started`)
        }
        return
      }
      default:
        return
    }
  }

  #ends(id: string): void {
    check(!this.#outcomes.has(id), () => `task ${id} has two outcomes`)
    this.#outcomes.add(id)
  }
}

/** How an attempt must be granted. This depends on whether it is the last one and on how the previous ones ended. */
function startOf(task: Task): [string | undefined, boolean] {
  const isLast = task.attempts === attemptsMax(task) - 1
  const [last, secondLast] = task.past.history.slice(-2).reverse()
  const isLost = last !== undefined && last.how !== 'failed'
  const isLostTwice = isLost && secondLast !== undefined && secondLast.how !== 'failed'
  const isAlone = isLostTwice || (isLost && isLast)
  const isAnnounced = isLost || isLast || task.past.releases > 0
  return [isAlone ? 'alone' : isAnnounced ? 'announced' : undefined, isLast || task.options.ttlMs > 0]
}

/** An attempt that had not begun counts only after too many returns. A session whose lease expired must be told. */
function checkLoss(before: State, event: EventOf<'attemptFailed' | 'taskDied'>, how: string | undefined): void {
  checkRevoked(before, event, how === 'lease_expired')
  if (how !== 'lease_expired' && how !== 'session_lost') return
  const releases = before.tasks.get(event.id)?.past.releases ?? 0
  check(
    isBegun(before, event.id) || releases >= before.config.releasesMax,
    () => `task ${event.id} was never begun and is charged`,
  )
}

function isBegun(before: State, id: string): boolean {
  const task = before.tasks.get(id)
  if (task?.phase.state !== 'leased') return false
  const { begins, begun } = task.phase.session
  return !begins || task.lease <= begun
}

function checkRevoked(
  before: State,
  { type, id, revoked }: EventOf<'attemptFailed' | 'leaseReleased' | 'taskDied' | 'taskCancelled'>,
  isTold: boolean,
): void {
  const task = before.tasks.get(id)
  const holder = task?.phase.state === 'leased' ? { session: task.phase.session.id, lease: task.lease } : undefined
  same(revoked, isTold ? holder : undefined, `who is told that ${id} is not its any more (${type})`)
}
