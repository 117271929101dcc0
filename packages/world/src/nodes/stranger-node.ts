import { type Socket, uuidv7Source } from '@sluice/client'
import { type Context, grained } from '../context.ts'
import type { Network } from '../network/network.ts'
import type { RandomStream } from '../random.ts'
import type { StrangerGroup } from '../scenario.ts'
import { conversationOf } from './misdeed.ts'
import { Node } from './node.ts'
import type { Process } from './process.ts'

/** Connections that it has at once. */
const CONNECTIONS_MAX = 6
/** How long it stays if nobody sends it away. */
const STAY_MS_MEAN = 3000

/**
 * A machine whose program speaks to the broker without one of its clients and keeps none of its rules. Hardly
 * anything that it sends is a task.
 */
export class StrangerNode extends Node {
  readonly #group: StrangerGroup
  readonly #chance: RandomStream
  readonly #sockets = new Set<Socket>()
  #isQuiet = false

  constructor(context: Context, network: Network, name: string, group: StrangerGroup) {
    super(context, network, name)
    this.#group = group
    this.#chance = context.random.stream(`${name} misdeeds`)
  }

  /** It wants nothing more. */
  quiet(): void {
    this.#isQuiet = true
    this.#closeAll()
  }

  protected run(process: Process): void {
    const nextId = uuidv7Source({ epochMs: () => process.epochMs(), randomBytes: (count) => this.#chance.bytes(count) })
    this.#later(process, nextId)
  }

  protected leave(): Promise<void> {
    this.quiet()
    return Promise.resolve()
  }

  #later(process: Process, nextId: () => string): void {
    process.setTimer(
      () => {
        if (this.#isQuiet) return
        if (this.#sockets.size < CONNECTIONS_MAX) this.#converse(process, nextId)
        this.#later(process, nextId)
      },
      grained(this.#chance.exponential(this.#group.everyMs)),
    )
  }

  #converse(process: Process, nextId: () => string): void {
    const chance = this.#chance
    const { misdeeds } = this.#group
    const { limits } = this.network
    const kind = chance.chance(0.5) ? 'text' : 'binary'
    const { first, welcomed } = conversationOf(chance.pick(misdeeds), { chance, limits, kind, nextId })
    const stayMs = grained(chance.exponential(STAY_MS_MEAN))
    const socket = this.network.connect(process)
    let hasHeard = false
    this.#sockets.add(socket)
    socket.onopen = () => {
      for (const frame of first) socket.send(frame)
      process.setTimer(() => socket.close(1000, 'stranger'), stayMs)
    }
    socket.onmessage = () => {
      if (hasHeard) return
      hasHeard = true
      for (const frame of welcomed) socket.send(frame)
    }
    socket.onclose = () => this.#sockets.delete(socket)
  }

  #closeAll(): void {
    for (const socket of this.#sockets) socket.close(1000, 'stranger')
  }
}
