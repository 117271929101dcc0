import type { BrowserClient, OutboxSnapshot } from '@sluice/client-browser'
import { checkedPicture, type Picture, tileCount, tileId } from './picture.ts'
import { authorOf } from './png.ts'
import { checkedProgress, renderTile } from './tile-task.ts'

type Item = OutboxSnapshot['items'][number]

/** A tile as this browser knows it. */
export type TileState =
  | { state: 'waiting' }
  /** `by`: the tab that renders it. `done`: the share that is done, 0 – 1. */
  | { state: 'running'; by: string; done: number }
  /** It is rendered, and its pixels are being read. */
  | { state: 'arriving' }
  | { state: 'done'; by: string }
  | { state: 'failed'; reason: string }

export interface PictureListener {
  /** Another picture is the newest one. Its tiles follow. */
  onPicture(picture: Picture): void
  onTile(tile: number, state: TileState): void
  /** A tile's pixels. `isNew`: it was rendered while this page looked on. */
  onPixels(picture: Picture, tile: number, png: Uint8Array, isNew: boolean): Promise<void>
}

/** Results that are read at the same time. */
const READS_MAX = 6

const WAITING: TileState = { state: 'waiting' }

/**
 * The pictures in the outbox of this browser. Each tile is a submission whose label says what it is, so every tab, and
 * the same tab after a reload, finds the newest picture and its tiles there.
 */
export class PictureOutbox {
  readonly #client: BrowserClient
  readonly #listener: PictureListener
  readonly #nextRun: () => string
  readonly #states = new Map<number, Item['state']>()
  #picture: Picture | undefined
  #reads: (() => Promise<void>)[] = []
  #reading = 0

  /** @param nextRun makes a UUIDv7 */
  constructor(client: BrowserClient, nextRun: () => string, listener: PictureListener) {
    this.#client = client
    this.#nextRun = nextRun
    this.#listener = listener
    client.view.subscribe(() => this.#look(client.view.getSnapshot()))
  }

  /** The newest picture of this browser. */
  get picture(): Picture | undefined {
    return this.#picture
  }

  /**
   * Submits all tiles of a place. If this browser has unfinished tiles of the same picture, nothing is submitted, even if
   * two tabs ask at once. Unfinished tiles of another picture are cancelled.
   */
  start(wanted: Omit<Picture, 'run'>): Promise<void> {
    return oneAtATime(async () => {
      const pending = await this.#client.list({ states: ['saved', 'accepted'], limit: 1000 })
      const isSame = ({ label }: { label?: unknown }): boolean => {
        const picture = checkedPicture(label)
        return picture !== undefined && hasShape(picture, wanted)
      }
      if (pending.some(isSame)) return
      await this.#submit({ ...wanted, run: this.#nextRun() })
      // One that ends at this moment needs no cancelling.
      await Promise.allSettled(pending.map(({ id }) => this.#client.handle(id).cancel()))
    })
  }

  /** Follows a picture that another browser has submitted. The ids are the same, so the broker gets no new task. */
  follow(picture: Picture): Promise<void> {
    return this.#submit(picture)
  }

  async #submit(picture: Picture): Promise<void> {
    const tiles = Array.from({ length: tileCount(picture) }, (_, tile) => tile)
    const { run, place, columns, rows, tilePx } = picture
    await Promise.all(
      tiles.map((tile) => {
        // The order of the fields is part of the content, which has to be the same in every browser.
        const input = { run, place, columns, rows, tilePx, tile }
        return this.#client.submit(renderTile, input, {
          id: tileId(picture, tile),
          intent: `tile ${tile} of ${place}, ${run}`,
          label: input,
        })
      }),
    )
  }

  #look({ items }: OutboxSnapshot): void {
    const newest = items.reduce<Item | undefined>(
      (best, item) => (best && best.seq > item.seq ? best : item),
      undefined,
    )
    const picture = checkedPicture(newest?.label)
    if (picture === undefined) return
    if (picture.run !== this.#picture?.run) {
      this.#picture = picture
      this.#states.clear()
      this.#reads = []
      this.#listener.onPicture(picture)
    }
    for (const item of items) {
      const { run, tile } = (item.label ?? {}) as { run?: unknown; tile?: unknown }
      if (run === picture.run && typeof tile === 'number') this.#show(picture, tile, item)
    }
  }

  #show(picture: Picture, tile: number, item: Item): void {
    const before = this.#states.get(tile)
    if (before === 'done') return
    this.#states.set(tile, item.state)
    switch (item.state) {
      case 'done':
        this.#listener.onTile(tile, { state: 'arriving' })
        this.#read(picture, tile, item.id, before !== undefined)
        return
      case 'failed':
      case 'parked':
        this.#listener.onTile(tile, { state: 'failed', reason: item.error?.message ?? 'it was refused' })
        return
      case 'cancelled':
      case 'cancelling':
        this.#listener.onTile(tile, { state: 'failed', reason: 'it was cancelled' })
        return
      default: {
        const progress = checkedProgress(item.progress)
        this.#listener.onTile(tile, progress === undefined ? WAITING : { state: 'running', ...progress })
      }
    }
  }

  #read(picture: Picture, tile: number, id: string, isNew: boolean): void {
    this.#reads.push(async () => {
      const png = await this.#client.handle<Uint8Array>(id).result()
      if (picture.run !== this.#picture?.run || !(png instanceof Uint8Array)) return
      await this.#listener.onPixels(picture, tile, png, isNew)
      if (picture.run !== this.#picture?.run) return
      this.#listener.onTile(tile, { state: 'done', by: authorOf(png) ?? 'a tab' })
    })
    this.#readNext()
  }

  #readNext(): void {
    if (this.#reading >= READS_MAX) return
    const next = this.#reads.shift()
    if (next === undefined) return
    this.#reading += 1
    next()
      .catch((error: unknown) => console.warn('a tile cannot be read', error))
      .finally(() => {
        this.#reading -= 1
        this.#readNext()
      })
  }
}

function hasShape(picture: Picture, wanted: Omit<Picture, 'run'>): boolean {
  return (['place', 'columns', 'rows', 'tilePx'] as const).every((key) => picture[key] === wanted[key])
}

/** Among the tabs of this browser, where it has locks. */
function oneAtATime(run: () => Promise<void>): Promise<void> {
  const { locks } = navigator as { locks?: LockManager }
  return locks === undefined ? run() : locks.request('volunteer start', run)
}
