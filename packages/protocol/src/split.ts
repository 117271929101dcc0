import type { Message } from './messages.ts'

/** How many items a message lists, and the bytes of their bodies: the least that its frame contains. */
export function sizeOf(message: Message): { items: number; bodyBytes: number } {
  switch (message.type) {
    case 'submit':
    case 'deliver':
    case 'complete':
    case 'succeeded':
      return { items: message.bodies.count, bodyBytes: message.bodies.bytesMin }
    case 'ended':
    case 'progress':
    case 'status':
      return { items: message.tasks.length, bodyBytes: 0 }
    case 'fail':
      return { items: message.failures.length, bodyBytes: 0 }
    case 'reportProgress':
      return { items: message.updates.length, bodyBytes: 0 }
    case 'revoke':
    case 'heartbeat':
    case 'release':
      return { items: message.leases.length, bodyBytes: 0 }
    case 'unwatch':
    case 'watch':
    case 'query':
    case 'cancel':
      return { items: message.ids.length, bodyBytes: 0 }
    default:
      return { items: 0, bodyBytes: 0 }
  }
}

/**
 * Two messages that together mean the same as `message`, each with half of its list. `null` if the message cannot be
 * divided, because its answer refers to items by index or it has only one item.
 */
export function splitList(message: Message): [Message, Message] | null {
  switch (message.type) {
    case 'deliver': {
      const middle = message.ids.length >> 1
      if (middle === 0) return null
      const { ids, leases, attempts, bodies, ...common } = message
      const part = (from: number, to: number): Message => ({
        ...common,
        ids: ids.slice(from, to),
        leases: leases.slice(from, to),
        ...(attempts === undefined ? {} : { attempts: attempts.slice(from, to) }),
        bodies: bodies.slice(from, to),
      })
      return [part(0, middle), part(middle, ids.length)]
    }
    case 'succeeded': {
      const { bodies } = message
      const middle = bodies.count >> 1
      if (middle === 0) return null
      const part = (from: number, to: number): Message =>
        'ids' in message
          ? { ...message, ids: message.ids.slice(from, to), bodies: bodies.slice(from, to) }
          : { ...message, indexes: message.indexes.slice(from, to), bodies: bodies.slice(from, to) }
      return [part(0, middle), part(middle, bodies.count)]
    }
    case 'ended':
    case 'progress': {
      const middle = message.tasks.length >> 1
      if (middle === 0) return null
      const { tasks } = message
      return [
        { ...message, tasks: tasks.slice(0, middle) } as Message,
        { ...message, tasks: tasks.slice(middle) } as Message,
      ]
    }
    case 'status': {
      const middle = message.tasks.length >> 1
      if (middle === 0) return null
      const first = { ...message, tasks: message.tasks.slice(0, middle), more: true }
      return [first, { ...message, tasks: message.tasks.slice(middle) }]
    }
    case 'reportProgress': {
      const middle = message.updates.length >> 1
      if (middle === 0) return null
      return [
        { ...message, updates: message.updates.slice(0, middle) },
        { ...message, updates: message.updates.slice(middle) },
      ]
    }
    case 'revoke': {
      const middle = message.leases.length >> 1
      if (middle === 0) return null
      return [
        { ...message, leases: message.leases.slice(0, middle) },
        { ...message, leases: message.leases.slice(middle) },
      ]
    }
    case 'unwatch': {
      const middle = message.ids.length >> 1
      if (middle === 0) return null
      return [
        { ...message, ids: message.ids.slice(0, middle) },
        { ...message, ids: message.ids.slice(middle) },
      ]
    }
    default:
      return null
  }
}
