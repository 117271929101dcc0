import type { Connection } from './connection.ts'
import type { HostConfig } from './host-config.ts'

/** The connections that there are, and the sessions that they carry. */
export class Connections implements Iterable<Connection> {
  readonly #config: Pick<HostConfig, 'connectionsMax' | 'pendingConnectionsMax'>
  readonly #open = new Set<Connection>()
  /** The connections without a session, the oldest first. */
  readonly #pending = new Set<Connection>()
  readonly #bySession = new Map<string, Connection>()
  /** Those that have something to send. */
  #news: Connection[] = []

  constructor(config: Pick<HostConfig, 'connectionsMax' | 'pendingConnectionsMax'>) {
    this.#config = config
  }

  get size(): number {
    return this.#open.size
  }

  /** How many carry a session. */
  get sessions(): number {
    return this.#bySession.size
  }

  /** Whether there is room for one more. */
  get hasRoom(): boolean {
    const { connectionsMax, pendingConnectionsMax } = this.#config
    return this.size < connectionsMax && this.#pending.size < pendingConnectionsMax
  }

  /** Makes room for one more, if it can: the oldest connection that has sent nothing gives way. */
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

  /** The connection that carries a session; undefined while the session waits for one. */
  of(session: string): Connection | undefined {
    return this.#bySession.get(session)
  }

  /** The connection carries the session from now on; another one that did is closed. */
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

  /** The connection has something to send. Said once, until it has nothing more. */
  note(connection: Connection): void {
    this.#news.push(connection)
  }

  /** Has each connection send what may leave now: what somebody waits for first, since every send takes a while. */
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
