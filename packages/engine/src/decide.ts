import type { Command, Env } from './commands.ts'
import { revokePrincipal } from './decide-access.ts'
import { checkpoint, dispatch, stall, start, tick } from './decide-broker.ts'
import { cancel, dropRecords, forget, redrive, submit, unwatch, watch } from './decide-producer.ts'
import { begin, close, disconnect, hear, open, resume, setCredit } from './decide-session.ts'
import { complete, fail, heartbeat, release, reportProgress } from './decide-worker.ts'
import type { Event } from './events.ts'
import { fitHistories } from './history-room.ts'
import type { State } from './state.ts'

/**
 * Turns a command into events. It reads the state and changes nothing. It draws every random number and time that the
 * events contain. The host passes each event to `evolve` and `effectsOf`, in order, before it decides the next
 * command. A refusal is an event with an error code; only a broken invariant throws.
 */
export function decide(state: State, command: Command, env: Env): Event[] {
  const events = decideWhole(state, command, env)
  return mayEndAttempts(command) ? fitHistories(state, events) : events
}

/** Whether the command may end attempts or report progress. */
function mayEndAttempts({ type }: Command): boolean {
  switch (type) {
    case 'fail':
    case 'release':
    case 'reportProgress':
    case 'resumeSession':
    case 'closeSession':
    case 'tick':
      return true
    default:
      return false
  }
}

function decideWhole(state: State, command: Command, env: Env): Event[] {
  switch (command.type) {
    case 'submit':
      return submit(state, command, env)
    case 'complete':
      return complete(state, command, env)
    case 'dispatch':
      return dispatch(state, command, env)
    case 'fail':
      return fail(state, command, env)
    case 'begin':
      return begin(state, command, env)
    case 'heard':
      return hear(state, command, env)
    case 'heartbeat':
      return heartbeat(state, command, env)
    case 'reportProgress':
      return reportProgress(state, command, env)
    case 'release':
      return release(state, command, env)
    case 'cancel':
      return cancel(state, command, env)
    case 'dropRecords':
      return dropRecords(state, command, env)
    case 'redrive':
      return redrive(state, command, env)
    case 'revokePrincipal':
      return revokePrincipal(state, command, env)
    case 'forget':
      return forget(state, command, env)
    case 'watch':
      return watch(state, command, env)
    case 'unwatch':
      return unwatch(state, command, env)
    case 'setCredit':
      return setCredit(state, command, env)
    case 'openSession':
      return open(state, command, env)
    case 'resumeSession':
      return resume(state, command, env)
    case 'disconnectSession':
      return disconnect(state, command, env)
    case 'closeSession':
      return close(state, command, env)
    case 'stall':
      return stall(state, command, env)
    case 'tick':
      return tick(state, env)
    case 'start':
      return start(state, env)
    case 'checkpoint':
      return checkpoint(state, command, env)
  }
}
