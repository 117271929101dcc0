import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'

/** What the last look at a connection saw. */
interface Seen {
  readonly socket: Socket
  bytesRead: number
  isAmidMessage: boolean
  /** Whether a whole message has arrived since then. */
  hasSpoken: boolean
}

/** Equals no byte count: a connection that was not read from could give no sign of life. */
const NOT_READ = -1

/** Finds connections that are dead, or that hold a message which does not end. */
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
   * Pings every connection. Drops a connection that has sent no byte since the last look, or that has not finished a
   * message which had begun before it. An unfinished message occupies memory.
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
        // Any byte is a sign of life, because a pong waits behind everything that was sent before it.
      } else if (bytesRead === seen.bytesRead || (wasAmidMessage && seen.isAmidMessage)) {
        webSocket.terminate()
        continue
      } else seen.bytesRead = bytesRead
      webSocket.ping()
    }
  }
}

/**
 * There is no public API for this. The fields are those of ws 8: the current part of a frame, and the kind of a message
 * whose last fragment is still to come.
 */
function isAmidMessage(webSocket: WebSocket): boolean {
  const { _receiver: receiver } = webSocket as {
    _receiver?: { _state: number; _fragmented: number; _bufferedBytes: number }
  }
  return receiver !== undefined && (receiver._state > 0 || receiver._fragmented > 0 || receiver._bufferedBytes > 0)
}
