import type { Platform, Socket } from '@sluice/client'
import { DEFAULT_LIMITS, decodeBrokerFrame, type Limits } from '@sluice/protocol'
import { nodePlatform } from '@sluice/worker-node'
import { machineMs } from '../clock.ts'

/** What a client was told, over all its connections. */
export interface Told {
  /** Connections that became sessions, or took one up again. */
  welcomes: number
  /** Of them, those that went on with the session of before. */
  resumptions: number
  /** The tasks whose leases were revoked as expired, one for each lease. */
  expired: string[]
  /** Why connections ended, each with its moment on the clock of the machine. */
  closes: string[]
}

/** Sessions beside the first one: each cost its client what the one before held. */
export function sessionsLost({ welcomes, resumptions }: Told): number {
  return Math.max(0, welcomes - resumptions - 1)
}

const leasesKept = 10_000

/** Listens in on a client of this process. */
export class Heard {
  readonly told: Told = { welcomes: 0, resumptions: 0, expired: [], closes: [] }
  /** What the client is to be created with. */
  readonly platform: Platform = {
    ...nodePlatform,
    connect: (url, options) => this.#listen(nodePlatform.connect(url, options)),
  }
  /** The last tasks that were delivered, by their leases. */
  readonly #leased = new Map<number, string>()
  #limits: Limits = DEFAULT_LIMITS

  /** The socket's owner sets its callbacks after this: what is heard is taken from between. */
  #listen(socket: Socket): Socket {
    const heard: Socket = {
      send: (data) => socket.send(data),
      close: (code, reason) => socket.close(code, reason),
      get bufferedBytes() {
        return socket.bufferedBytes
      },
      onopen: () => {},
      onmessage: () => {},
      onclose: () => {},
    }
    socket.onopen = () => heard.onopen()
    socket.onclose = (event) => {
      this.told.closes.push(`${Math.round(machineMs())} ms: ${event.code} ${event.reason}`)
      heard.onclose(event)
    }
    socket.onmessage = (data) => {
      this.#hear(data)
      heard.onmessage(data)
    }
    return heard
  }

  #hear(data: string | Uint8Array): void {
    const decoded = decodeBrokerFrame(data, this.#limits)
    if (!decoded.ok) throw new Error(`the broker sent what is no frame: ${decoded.error.message}`)
    for (const message of decoded.messages) {
      if (message.type === 'welcome') {
        this.#limits = message.limits
        this.told.welcomes++
        if (message.resumed) this.told.resumptions++
      } else if (message.type === 'deliver') {
        for (const [place, lease] of message.leases.entries()) this.#leased.set(lease, message.ids[place]!)
        for (const lease of this.#leased.keys()) {
          if (this.#leased.size <= leasesKept) break
          this.#leased.delete(lease)
        }
      } else if (message.type === 'revoke' && message.reason === 'expired')
        for (const lease of message.leases) this.told.expired.push(this.#leased.get(lease) ?? `lease ${lease}`)
    }
  }
}
