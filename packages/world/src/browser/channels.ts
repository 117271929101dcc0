import type { Channel } from '@sluice/client/outbox'
import type { Context } from '../context.ts'
import type { Process } from '../nodes/process.ts'
import type { RandomStream } from '../random.ts'

interface Member {
  readonly name: string
  readonly process: Process
  readonly isFrozen: () => boolean
  readonly channel: Channel
}

/** The channels of one origin. A message to a tab that is frozen waits for it, or is lost. */
export class DeviceChannels {
  readonly #context: Context
  readonly #chance: RandomStream
  readonly #members = new Set<Member>()

  constructor(context: Context, device: string) {
    this.#context = context
    this.#chance = context.random.stream(`${device} channels`)
  }

  join(name: string, process: Process, isFrozen: () => boolean): Channel {
    const member: Member = {
      name,
      process,
      isFrozen,
      channel: {
        post: (message) => this.#post(member, message),
        onmessage: () => {},
        close: () => this.#members.delete(member),
      },
    }
    this.#members.add(member)
    return member.channel
  }

  ended(process: Process): void {
    for (const member of this.#members) if (member.process === process) this.#members.delete(member)
  }

  #post(from: Member, message: unknown): void {
    for (const to of this.#members) {
      if (to === from || to.name !== from.name) continue
      if (to.isFrozen() && this.#chance.chance(0.5)) continue
      const copy = structuredClone(message)
      const hear = (): void => {
        if (this.#members.has(to)) to.channel.onmessage(copy)
      }
      this.#context.clock.setTimer(() => to.process.enter(hear), 0)
    }
  }
}
