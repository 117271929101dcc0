import type { Phase } from './entities.ts'
import type { PhaseRecord, SessionRecord, TaskRecord } from './events.ts'
import { historyOf } from './history.ts'
import { addUnfinished, addWatches } from './owners.ts'
import { noteDispatchable, queueNamed } from './queues.ts'
import { disconnectSession, refresh, sessionFor, setCredit, setSilence } from './sessions.ts'
import type { State } from './state.ts'
import { createTask, isFinished, READY, setBodyRef, setResultRef } from './task.ts'
import { enter, setPast, setWatchers } from './tasks.ts'

/** What `evolve` does with restated tasks and sessions. Only `evolve` may call these functions. */

/**
 * A task that is held keeps its state and takes the new references to its body and result. Any other task is made
 * from the record.
 */
export function restate(state: State, record: TaskRecord): void {
  const known = state.tasks.get(record.id)
  if (known) {
    setBodyRef(known, record.body)
    if (record.phase.state === 'succeeded') setResultRef(known, record.phase.result, record.phase.bytes)
    // The oldest task in the table must be the one whose body was stored first.
    state.tasks.renew(known)
    return
  }
  const { id, seq, bytes, digest, contentType, owner, acceptedAtMs: atMs } = record
  const queue = queueNamed(state, record.queue, owner)
  const options = state.options.share(record.options)
  const task = createTask(id, seq, queue, options, { atMs, contentType, owner }, null, record.body, bytes, digest)
  task.started = record.started
  task.attempts = record.attempts
  const { releases, progress } = record
  const history = historyOf(record.history)
  if (releases > 0 || history.length > 0 || progress !== undefined)
    setPast(state, task, { releases, history, progress })
  const watchers = record.watchers.map((id) => sessionFor(state, id))
  setWatchers(state, task, watchers)
  state.tasks.add(task)
  // The event of its acceptance may have been discarded.
  state.nextSeq = Math.max(state.nextSeq, task.seq + 1)
  task.queue.isUnordered = true
  if (record.phase.state === 'leased') task.lease = record.phase.lease
  if (record.phase.state === 'succeeded') setResultRef(task, record.phase.result, record.phase.bytes)
  const phase = phaseOf(state, record.phase)
  enter(state, task, phase)
  if (!isFinished(task)) addUnfinished(state, owner, 1)
  if (phase.state === 'leased') refresh(state, phase.session)
  noteDispatchable(state, task.queue)
}

function phaseOf(state: State, phase: PhaseRecord): Phase {
  switch (phase.state) {
    case 'ready':
      return phase.behind === 0 ? READY : phase
    case 'leased':
      return {
        state: 'leased',
        session: sessionFor(state, phase.session),
        expiresAtMs: phase.expiresAtMs,
        endsAtMs: phase.endsAtMs ?? Number.POSITIVE_INFINITY,
      }
    case 'succeeded':
      return { state: 'succeeded', contentType: phase.contentType, forgetAtMs: phase.forgetAtMs }
    case 'dead':
      return { ...phase, error: phase.error }
    default:
      return phase
  }
}

export function restateSession(state: State, record: SessionRecord): void {
  const session = sessionFor(state, record.id)
  session.roles = record.roles
  // Tasks that were restated before it may have named the session, and nobody knew whose it is.
  addWatches(state, session, -session.watches)
  session.owner = record.owner
  addWatches(state, session, session.watches)
  session.lastLease = record.lastLease ?? session.lastLease
  session.begins = record.begins === true
  session.begun = record.begun ?? 0
  session.expiries = record.expiries ?? 0
  if (record.graceEndsAtMs !== undefined) disconnectSession(state, session, record.graceEndsAtMs)
  setSilence(state, session, record.silence ?? 'none', record.restUntilMs)
  setCredit(state, session, record.credit, record.queues)
}
