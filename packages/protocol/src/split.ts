import type { Message } from './messages.ts'

/** The items of the messages that can be large, for a first look at their size. */
export function itemsOf(message: Message): readonly { bytes?: Uint8Array }[] | readonly (number | string)[] {
  switch (message.type) {
    case 'submit':
    case 'deliver':
    case 'outcome':
    case 'progress':
    case 'status':
      return message.tasks as readonly { bytes?: Uint8Array }[]
    case 'complete':
      return message.results
    case 'fail':
      return message.failures as readonly { bytes?: Uint8Array }[]
    case 'reportProgress':
      return message.updates as readonly { bytes?: Uint8Array }[]
    case 'revoke':
    case 'heartbeat':
    case 'release':
      return message.leases
    case 'unwatch':
    case 'watch':
    case 'query':
    case 'cancel':
      return message.ids
    default:
      return []
  }
}

/**
 * Two messages that say together what `message` says, each with half of its list; `null` where it cannot be divided: its answer
 * counts its items, or one item is all there is.
 */
export function splitList(message: Message): [Message, Message] | null {
  switch (message.type) {
    case 'deliver':
    case 'outcome':
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
