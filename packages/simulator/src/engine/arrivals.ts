import type { Observation } from '@sluice/world'
import type { Seen } from '../view/fold.ts'

type Wire = Extract<Observation, { type: 'sentToBroker' | 'sentByBroker' | 'heardByBroker' | 'heardByNode' }>

/** Finds for each message that is sent the moment at which it is heard, and leaves bodies out. */
export class Arrivals {
  /** What is on its way, by connection and direction. */
  readonly #ways = new Map<string, { message: object; sent: Seen | undefined }[]>()

  /** The observation as it is kept. */
  seen(observation: Observation): Seen {
    if (observation.type === 'submitting') return { ...observation, body: '' }
    if (observation.type === 'handlerStarted') return { ...observation, body: '' }
    if (!isWire(observation)) return { ...observation }
    const sent: Seen = { ...observation, message: withoutBodies(observation.message) } as Seen
    this.#pass(observation, sent)
    return sent
  }

  /** An observation of a world that runs again, and as what it was kept, unless that was forgotten. */
  again(observation: Observation, kept: Seen | undefined): void {
    if (isWire(observation)) this.#pass(observation, kept)
  }

  #pass(observation: Wire, sent: Seen | undefined): void {
    const { type, connection, message, atMs } = observation
    const isUp = type === 'sentToBroker' || type === 'heardByBroker'
    const key = `${connection} ${isUp ? 'up' : 'down'}`
    let way = this.#ways.get(key)
    if (way === undefined) {
      way = []
      this.#ways.set(key, way)
    }
    if (type === 'sentToBroker' || type === 'sentByBroker') {
      way.push({ message, sent })
      return
    }
    // What came before it and was never heard is lost.
    const at = way.findIndex((one) => one.message === message)
    if (at === -1) return
    const found = way[at]?.sent
    if (found !== undefined) found.arrivesAtMs = atMs
    way.splice(0, at + 1)
  }
}

export function isWire(observation: Observation): observation is Wire {
  return 'message' in observation
}

function withoutBodies<T extends object>(message: T): T {
  if (!('bodies' in message)) return message
  const { bodies: _, ...rest } = message as T & { bodies: unknown }
  return rest as T
}
