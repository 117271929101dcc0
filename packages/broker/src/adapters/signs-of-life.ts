import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'

/** Of one connection what was seen of it when it was last looked at. */
interface Seen {
  readonly socket: Socket
  bytesRead: number
  isAmidMessage: boolean
  /** Whether a message has come in whole since. */
  hasSpoken: boolean
}

/** Never a number of bytes: whoever was not read from has given no sign and cannot have. */
const NOT_READ = -1

/** Tells which connections are dead, or hold a message that does not come to its end. */
export class SignsOfLife {
  readonly #seen = new Map<WebSocket, Seen>()

  watch(webSocket: WebSocket, socket: Socket): void {
    const seen = { socket, bytesRead: NOT_READ, isAmidMessage: false, hasSpoken: false }
    this.#seen.set(webSocket, seen)
    webSocket.on('message', () => {
      seen.hasSpoken = true
    })
    webSocket.on('close', () => this.#seen.delete(webSocket))
  }

  /**
   * Pings every connection, and drops those that have not sent a byte since the last time, or have not finished in all that
   * time a message that had begun before it: it takes up memory until then.
   */
  look(): void {
    for (const [webSocket, seen] of this.#seen) {
      const { bytesRead } = seen.socket
      const wasAmidMessage = seen.isAmidMessage && !seen.hasSpoken
      seen.isAmidMessage = isAmidMessage(webSocket)
      seen.hasSpoken = false
      if (webSocket.isPaused) {
        seen.bytesRead = NOT_READ
        seen.isAmidMessage = false
        // Any byte is a sign of life: a pong has to wait behind all that was sent before it.
      } else if (bytesRead === seen.bytesRead || (wasAmidMessage && seen.isAmidMessage)) {
        webSocket.terminate()
        continue
      } else seen.bytesRead = bytesRead
      webSocket.ping()
    }
  }
}

/** Nothing public tells; the fields are those of ws 8: in which part of a frame it is, and the kind of a message whose last fragment is to come. */
function isAmidMessage(webSocket: WebSocket): boolean {
  const { _receiver: receiver } = webSocket as {
    _receiver?: { _state: number; _fragmented: number; _bufferedBytes: number }
  }
  return receiver !== undefined && (receiver._state > 0 || receiver._fragmented > 0 || receiver._bufferedBytes > 0)
}
