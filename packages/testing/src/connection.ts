import type { Transport } from '@sluice/broker/core'
import type { Socket } from '@sluice/client'

type Frame = string | Uint8Array

/** What the broker's end hears. */
export interface BrokerEnd {
  receive(frame: Frame): void
  closed(): void
}

/** The code of a connection that was lost without a close. */
const LOST = 1006

/** One connection without a network: each end hears what the other has sent in a later turn, in order. */
export class Connection {
  readonly socket: Socket
  readonly #later: (fn: () => void) => void
  #brokerEnd: BrokerEnd | undefined
  #isClosed = false
  /** What the broker does not read for now. */
  #unread: Frame[] | undefined

  /** @param accept gives the transport to the broker; undefined where nothing listens */
  constructor(later: (fn: () => void) => void, accept: (transport: Transport) => BrokerEnd | undefined) {
    this.#later = later
    this.socket = {
      bufferedBytes: 0,
      send: (data) => this.#toBroker(data),
      close: (code = 1000, reason = '') => this.end(code, reason),
      onopen: () => {},
      onmessage: () => {},
      onclose: () => {},
    }
    later(() => {
      if (this.#isClosed) return
      this.#brokerEnd = accept(this.#transport())
      if (this.#isClosed) return
      if (this.#brokerEnd === undefined) this.end(LOST, 'no broker')
      else this.socket.onopen()
    })
  }

  /** Both ends hear that the connection is closed. */
  end(code = LOST, reason = ''): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#later(() => {
      this.#brokerEnd?.closed()
      this.socket.onclose({ code, reason })
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  #transport(): Transport {
    return {
      bufferedBytes: 0,
      send: (frame) => {
        if (this.#isClosed) return
        // The broker may write its next frame in the same place.
        const sent = typeof frame === 'string' ? frame : frame.slice()
        this.#later(() => this.socket.onmessage(sent))
      },
      close: (code, reason) => this.end(code, reason),
      terminate: () => this.end(),
      pause: () => {
        this.#unread ??= []
      },
      resume: () => {
        const unread = this.#unread ?? []
        this.#unread = undefined
        for (const frame of unread) this.#read(frame)
      },
    }
  }

  #toBroker(frame: Frame): void {
    if (this.#isClosed) return
    const sent = typeof frame === 'string' ? frame : frame.slice()
    this.#later(() => this.#read(sent))
  }

  #read(frame: Frame): void {
    if (this.#unread) this.#unread.push(frame)
    else this.#brokerEnd?.receive(frame)
  }
}
