import type { Seen } from './fold.ts'

/** Something at which a person wants to stop. */
export type Condition =
  | { type: 'event' }
  | { type: 'message' }
  | { type: 'transition' }
  /** The next thing that happens to this part, or in it. */
  | { type: 'part'; name: string }
  | { type: 'task'; id: string }
  /** A queue is full: the broker refuses a submission with `busy`. */
  | { type: 'busy' }
  | { type: 'taskDied' }
  | { type: 'leaseLost' }
  | { type: 'nodeStopped' }

/** What has happened, for a person who waited for it. */
export const CONDITION_WORDS: Readonly<Partial<Record<Condition['type'], string>>> = {
  busy: 'the broker has said “busy”',
  taskDied: 'a task is given up',
  leaseLost: 'a lease is lost',
  nodeStopped: 'a program has stopped',
}

const MESSAGES: ReadonlySet<string> = new Set(['sentToBroker', 'sentByBroker', 'heardByBroker', 'heardByNode'])

/** Whether this is what the person waits for. */
export function meets(condition: Condition, seen: Seen): boolean {
  switch (condition.type) {
    case 'event':
      return true
    case 'message':
      return MESSAGES.has(seen.type)
    case 'transition':
      return seen.type === 'transition'
    case 'part':
      return 'node' in seen && seen.node === condition.name
    case 'task':
      return concerns(seen, condition.id)
    case 'busy':
      return seen.type === 'sentByBroker' && isBusy(seen.message)
    case 'taskDied':
      return seen.type === 'transition' && seen.machine === 'task' && seen.to === 'dead'
    case 'leaseLost':
      return seen.type === 'appending' && seen.events.some((event) => 'revoked' in event || 'lost' in event)
    case 'nodeStopped':
      return seen.type === 'nodeStopped'
  }
}

/** Whether the observation is about this task. */
export function concerns(seen: Seen, id: string): boolean {
  if ('id' in seen && seen.id === id) return true
  if (!('message' in seen)) return false
  const { message } = seen
  return 'ids' in message && (message.ids as readonly string[]).includes(id)
}

function isBusy(message: Extract<Seen, { type: 'sentByBroker' }>['message']): boolean {
  return message.type === 'submitted' && message.refused.some(({ error }) => error.code === 'busy')
}
