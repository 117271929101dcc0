import { OutboxError, type OutboxErrorCode } from '@sluice/client/outbox'
import { type IDBPTransaction, wrap } from 'idb'
import { DeadlineError, failureOf } from './failure.ts'
import { type Database, type Migration, type OutboxSchema, STORES } from './schema.ts'

export type StoreState = 'ok' | OutboxErrorCode

export interface ConnectionOptions {
  /** The name of the database. */
  name: string
  factory: () => IDBFactory | undefined
  migrations: readonly Migration[]
  /** For opening, and for each transaction. */
  deadlineMs: number
  setTimer: (fn: () => void, ms: number) => () => void
  onState: (state: StoreState) => void
}

export type Mode = 'readonly' | 'readwrite'
export type Transaction<M extends Mode> = IDBPTransaction<OutboxSchema, typeof STORES, M>

type Stores = readonly (typeof STORES)[number][]

/** An attempt to open the database. A browser has no way to take one back. */
interface Opening {
  database: Promise<Database>
  /** Another tab keeps an older version open. */
  isBlocked: boolean
  /** Nobody waits for it any more. What it opens is closed at once. */
  isAbandoned: boolean
}

/** After so many failed calls in a row, a call is one attempt: trying twice each time has stopped to help. */
const FAILED_CALLS_MAX = 3

/**
 * The one connection of this tab to the database. It is opened when it is needed, closed when another tab wants to
 * upgrade, and opened again after the browser has ended it.
 */
export class Connection {
  readonly #options: ConnectionOptions
  #database: Database | undefined
  #opening: Opening | undefined
  #isClosed = false
  #failedCalls = 0
  #state: StoreState = 'ok'

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  /**
   * Runs `work` in one transaction over all object stores. Resolves when it is complete. If the connection is lost, it
   * is opened again, and `work` runs once more; so `work` must do the same when what it did before has been stored.
   * @param stores those that `work` uses, by default all. A transaction waits only for those with an object store in common
   * @throws OutboxError; unless it was `store_timeout` or `store_failed`, nothing was stored
   */
  async run<M extends Mode, T>(
    mode: M,
    durability: IDBTransactionDurability,
    work: (transaction: Transaction<M>) => Promise<T>,
    stores: Stores = STORES,
  ): Promise<T> {
    const attempts = this.#failedCalls < FAILED_CALLS_MAX ? 2 : 1
    for (let attempt = 1; ; attempt += 1) {
      let during: 'opening' | 'transaction' = 'opening'
      let database: Database | undefined
      try {
        database = await this.#opened()
        during = 'transaction'
        const value = await this.#attempt(database, mode, durability, work, stores)
        this.#failedCalls = 0
        this.#tell('ok')
        return value
      } catch (thrown) {
        if (this.#isClosed) throw closedError()
        const { error, isLost } = failureOf(thrown, during)
        if (isLost && database !== undefined) this.#drop(database)
        if (isLost && attempt < attempts) continue
        this.#failedCalls += 1
        this.#tell(error.code)
        throw error
      }
    }
  }

  close(): void {
    this.#isClosed = true
    if (this.#database !== undefined) this.#drop(this.#database)
  }

  async #opened(): Promise<Database> {
    if (this.#isClosed) throw closedError()
    if (this.#database !== undefined) return this.#database
    this.#opening ??= this.#open()
    const opening = this.#opening
    return this.#inTime(opening.database, () => {
      // It stays the attempt of later calls: a second one would wait behind it, and would not be told why.
      if (opening.isBlocked) return blockedError()
      opening.isAbandoned = true
      if (this.#opening === opening) this.#opening = undefined
      return new DeadlineError(`the storage of this site did not open within ${this.#options.deadlineMs} ms`)
    })
  }

  #open(): Opening {
    const opening: Opening = { database: Promise.resolve() as never, isBlocked: false, isAbandoned: false }
    opening.database = this.#request(opening).finally(() => {
      if (this.#opening === opening) this.#opening = undefined
    })
    // The callers that wait for it hear of the failure. There may be none left.
    opening.database.catch(() => {})
    return opening
  }

  async #request(opening: Opening): Promise<Database> {
    const { name, factory, migrations } = this.#options
    const indexedDb = factory()
    if (indexedDb === undefined) throw new OutboxError('store_unavailable', 'this browser has no IndexedDB here')
    const request = indexedDb.open(name, migrations.length)
    let failure: unknown
    request.onupgradeneeded = ({ oldVersion }) => {
      // A database that is not wanted any more may still be upgraded: that is done as a whole or not at all.
      void migrate(request, oldVersion, migrations).catch((error: unknown) => {
        failure = error
        request.transaction?.abort()
      })
    }
    request.onblocked = () => {
      opening.isBlocked = true
      if (!opening.isAbandoned) this.#tell('store_blocked')
    }
    let database: Database
    try {
      database = (await wrap(request)) as unknown as Database
    } catch (error) {
      if (failure === undefined) throw error
      throw new OutboxError('store_failed', `the storage could not be upgraded: ${String(failure)}`, { cause: failure })
    }
    if (this.#isClosed || opening.isAbandoned) {
      database.close()
      throw closedError()
    }
    database.onversionchange = () => this.#drop(database)
    database.onclose = () => this.#drop(database)
    this.#database = database
    return database
  }

  async #attempt<M extends Mode, T>(
    database: Database,
    mode: M,
    durability: IDBTransactionDurability,
    work: (transaction: Transaction<M>) => Promise<T>,
    stores: Stores,
  ): Promise<T> {
    const transaction = database.transaction(stores as typeof STORES, mode, { durability }) as Transaction<M>
    try {
      const both = Promise.all([work(transaction), transaction.done])
      const [value] = await this.#inTime(both, () => {
        const { deadlineMs } = this.#options
        return new DeadlineError(`the storage of this site did not answer within ${deadlineMs} ms`)
      })
      return value
    } catch (thrown) {
      // `work` fails first, and often says less than the transaction.
      const why = transaction.error
      abort(transaction)
      throw why ?? thrown
    }
  }

  /** Ends the use of a database. Transactions that have begun go on. */
  #drop(database: Database): void {
    database.close()
    if (this.#database === database) this.#database = undefined
  }

  #inTime<T>(promise: Promise<T>, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.setTimer(() => reject(late()), this.#options.deadlineMs)
      promise.then(resolve, reject).finally(cancel)
    })
  }

  #tell(state: StoreState): void {
    if (this.#state === state || this.#isClosed) return
    this.#state = state
    this.#options.onState(state)
  }
}

async function migrate(request: IDBOpenDBRequest, oldVersion: number, migrations: readonly Migration[]): Promise<void> {
  const database = wrap(request.result) as unknown as Database
  const upgrade = wrap(request.transaction!) as unknown as Parameters<Migration>[1]
  upgrade.done.catch(() => {})
  for (const step of migrations.slice(oldVersion)) await step(database, upgrade)
}

function abort(transaction: Transaction<Mode>): void {
  try {
    transaction.abort()
  } catch {
    // It has ended by itself.
  }
}

const closedError = () => new OutboxError('closed', 'the store is closed')

const blockedError = () =>
  new OutboxError('store_blocked', 'another tab keeps an old version of the storage open: close the other tabs')
