import type { Connection } from './connection.ts'
import type { HostConfig } from './host-config.ts'

/** All connections, and the sessions that they carry. */
export class Connections implements Iterable<Connection> {
  readonly #config: Pick<HostConfig, 'connectionsMax' | 'pendingConnectionsMax'>
  readonly #open = new Set<Connection>()
  /** Connections without a session, oldest first. */
  readonly #pending = new Set<Connection>()
  readonly #bySession = new Map<string, Connection>()
  /** Connections that have something to send. */
  #news: Connection[] = []

  constructor(config: Pick<HostConfig, 'connectionsMax' | 'pendingConnectionsMax'>) {
    this.#config = config
  }

  get size(): number {
    return this.#open.size
  }

  /** The number of connections that carry a session. */
  get sessions(): number {
    return this.#bySession.size
  }

  /** Whether there is room for one more connection. */
  get hasRoom(): boolean {
    const { connectionsMax, pendingConnectionsMax } = this.#config
    return this.size < connectionsMax && this.#pending.size < pendingConnectionsMax
  }

  /** Makes room for one more connection if possible, by closing the oldest one that has sent nothing. */
  makeRoom(): void {
    if (this.hasRoom) return
    for (const connection of this.#pending) {
      if (!connection.isSilent) continue
      connection.giveWay()
      return
    }
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#open.values()
  }

  add(connection: Connection): void {
    this.#open.add(connection)
    this.#pending.add(connection)
  }

  /** The connection that carries a session. Undefined while the session is disconnected. */
  of(session: string): Connection | undefined {
    return this.#bySession.get(session)
  }

  /** The connection carries the session from now on. Another one that carried it is closed. */
  carry(session: string, connection: Connection): void {
    this.#bySession
      .get(session)
      ?.end({ code: 'session_replaced', message: 'another connection took up this session' }, 4005)
    this.#bySession.set(session, connection)
    this.#pending.delete(connection)
  }

  remove(connection: Connection, session: string | undefined): void {
    this.#open.delete(connection)
    this.#pending.delete(connection)
    if (session !== undefined) this.#bySession.delete(session)
  }

  /** Notes that the connection has something to send. Repeats are ignored until it has nothing more. */
  note(connection: Connection): void {
    this.#news.push(connection)
  }

  /** Lets each connection send what may be sent now. Sending takes a while, so what somebody waits for goes first. */
  leave(): void {
    const news = this.#news
    if (news.length === 0) return
    this.#news = []
    const others = news.filter(({ outbound }) => !outbound.isAwaited)
    for (const connection of news) if (connection.outbound.isAwaited) this.#leave(connection)
    for (const connection of others) this.#leave(connection)
  }

  #leave(connection: Connection): void {
    if (connection.leave()) this.#news.push(connection)
  }
}
