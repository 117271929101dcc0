import { defaultPlatform, type Platform, type Socket } from '@sluice/client'
import { useSyncExternalStore } from 'react'

/** What the tabs of the app tell each other. */
type Message = { type: 'ask' } | { type: 'is'; isCut: boolean }

const ABNORMAL = 1006
const REASON = 'the network is cut by the switch on this page'

/**
 * A network that a person can cut: open connections to the broker break off, and new ones fail. It is cut in all open tabs
 * of the app, because any of them may be the one that sends. A reload of the last one ends it.
 */
class NetworkSwitch {
  readonly #sockets = new Set<() => void>()
  readonly #listeners = new Set<() => void>()
  readonly #channel = new BroadcastChannel('photo-app network')
  #isCut = false

  readonly platform: Platform = { ...defaultPlatform, connect: (url, options) => this.#connect(url, options) }

  constructor() {
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.type === 'is') this.#set(data.isCut)
      else if (this.#isCut) this.#channel.postMessage({ type: 'is', isCut: true } satisfies Message)
    }
    this.#channel.postMessage({ type: 'ask' } satisfies Message)
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly getSnapshot = (): boolean => this.#isCut

  set(isCut: boolean): void {
    this.#set(isCut)
    this.#channel.postMessage({ type: 'is', isCut } satisfies Message)
  }

  #set(isCut: boolean): void {
    if (isCut === this.#isCut) return
    this.#isCut = isCut
    if (isCut) for (const breakOff of [...this.#sockets]) breakOff()
    for (const listener of this.#listeners) listener()
  }

  #connect(url: string, options: { protocol: string }): Socket {
    return this.#isCut ? this.#failing() : this.#breakable(defaultPlatform.connect(url, options))
  }

  #failing(): Socket {
    const socket: Socket = {
      send: () => {},
      close: () => {},
      bufferedBytes: 0,
      onopen: () => {},
      onmessage: () => {},
      onclose: () => {},
    }
    defaultPlatform.setTimer(() => socket.onclose({ code: ABNORMAL, reason: REASON }), 0)
    return socket
  }

  #breakable(real: Socket): Socket {
    const socket: Socket = {
      send: (data) => real.send(data),
      close: (code, reason) => real.close(code, reason),
      get bufferedBytes() {
        return real.bufferedBytes
      },
      onopen: () => {},
      onmessage: () => {},
      onclose: () => {},
    }
    real.onopen = () => socket.onopen()
    real.onmessage = (data) => socket.onmessage(data)
    const ended = (event: { code: number; reason: string }): void => {
      if (this.#sockets.delete(breakOff)) socket.onclose(event)
    }
    const breakOff = (): void => {
      real.onopen = () => real.close()
      real.onmessage = () => {}
      ended({ code: ABNORMAL, reason: REASON })
      real.close()
    }
    real.onclose = ended
    this.#sockets.add(breakOff)
    return socket
  }
}

export const network = new NetworkSwitch()

export const useIsCut = (): boolean => useSyncExternalStore(network.subscribe, network.getSnapshot)

function subscribeOnline(listener: () => void): () => void {
  window.addEventListener('online', listener)
  window.addEventListener('offline', listener)
  return () => {
    window.removeEventListener('online', listener)
    window.removeEventListener('offline', listener)
  }
}

/** Whether the browser believes that the device has a network. */
export const useIsOnline = (): boolean => useSyncExternalStore(subscribeOnline, () => navigator.onLine)
