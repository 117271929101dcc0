import type { Observation } from '../observation.ts'
import type { NetworkProfile } from '../scenario.ts'
import { longestOf } from './population.ts'

/** The approximate bytes of a frame on the wire besides its content. */
export const HEADER_BYTES = 4

/** One frame, and how many of its messages have not been heard. */
interface Frame {
  readonly bytes: number
  messages: number
}

/** What was handed to the sockets of each connection and has not been heard at the other end. */
export class FramesUnderWay {
  readonly #network: NetworkProfile
  readonly #toNode = new Map<number, Frame[]>()
  readonly #toBroker = new Map<number, Frame[]>()

  constructor(network: NetworkProfile) {
    this.#network = network
  }

  see(observation: Observation): void {
    switch (observation.type) {
      case 'frame': {
        const { by, connection, bytes, messages } = observation
        const way = by === 'node' ? this.#toBroker : this.#toNode
        const frames = way.get(connection)
        if (frames) frames.push({ bytes, messages })
        else way.set(connection, [{ bytes, messages }])
        break
      }
      case 'heardByNode':
        heard(this.#toNode.get(observation.connection))
        break
      case 'heardByBroker':
        heard(this.#toBroker.get(observation.connection))
        break
      default:
    }
  }

  /** The connection carries nothing more. */
  forget(connection: number): void {
    this.#toNode.delete(connection)
    this.#toBroker.delete(connection)
  }

  /**
   * How long the frame that is being transmitted, and a ping before it, may take at most, in either direction, in ms.
   * Later frames do not count: once this one has arrived, it is heard. At most a window is transmitted within one
   * delay.
   */
  longestMs(connection: number): number {
    const { delayMs, windowBytes = Number.POSITIVE_INFINITY } = this.#network
    const passing = [this.#toNode, this.#toBroker].flatMap((way) => way.get(connection)?.[0] ?? [])
    const windows = passing.map(({ bytes }) => Math.ceil((bytes + HEADER_BYTES) / windowBytes))
    return (1 + Math.max(0, ...windows)) * longestOf(delayMs)
  }
}

function heard(frames: Frame[] | undefined): void {
  const first = frames?.[0]
  if (first === undefined) return
  first.messages -= 1
  if (first.messages <= 0) frames?.shift()
}
