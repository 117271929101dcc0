import type { Session, Task } from './entities.ts'
import type { PhaseRecord, SessionRecord, TaskRecord } from './events.ts'
import { bodyOf, resultOf, watchersOf } from './task.ts'

/**
 * Tasks and sessions completely as plain data. Compaction writes them so that they outlive the events that made them.
 */

export function recordOf(task: Task): TaskRecord {
  const { owner } = task.acceptance
  return {
    id: task.id,
    queue: task.queue.name,
    ...(owner === undefined ? {} : { owner }),
    options: task.options,
    body: bodyOf(task),
    bytes: task.bytes,
    contentType: task.acceptance.contentType,
    digest: task.digest,
    seq: task.seq,
    acceptedAtMs: task.acceptance.atMs,
    started: task.started,
    attempts: task.attempts,
    releases: task.past.releases,
    history: [...task.past.history],
    watchers: watchersOf(task).map((session) => session.id),
    progress: task.past.progress,
    phase: phaseRecordOf(task),
  }
}

function phaseRecordOf(task: Task): PhaseRecord {
  const { phase, lease } = task
  switch (phase.state) {
    case 'leased':
      return {
        state: phase.state,
        session: phase.session.id,
        lease,
        expiresAtMs: phase.expiresAtMs,
        ...(phase.endsAtMs < Number.POSITIVE_INFINITY ? { endsAtMs: phase.endsAtMs } : {}),
      }
    case 'succeeded': {
      const { state, contentType, forgetAtMs } = phase
      return { state, result: resultOf(task), bytes: task.resultBytes, contentType, forgetAtMs }
    }
    default:
      return { ...phase }
  }
}

export function sessionRecordOf(session: Session): SessionRecord {
  const { id, roles, owner, credit, subscriptions, lastLease, begins, begun, silence, expiries, restUntilMs } = session
  const record: SessionRecord = { id, roles: [...roles], credit, queues: subscriptions.map(({ queue }) => queue.name) }
  if (owner !== undefined) record.owner = owner
  if (lastLease > 0) record.lastLease = lastLease
  if (begins) record.begins = true
  if (begun > 0) record.begun = begun
  if (silence !== 'none') record.silence = silence
  if (silence === 'resting') record.restUntilMs = restUntilMs
  if (expiries > 0) record.expiries = expiries
  if (session.phase === 'disconnected') record.graceEndsAtMs = session.graceEndsAtMs
  return record
}
