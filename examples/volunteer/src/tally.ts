import type { TileState } from './picture-outbox.ts'

export interface Tally {
  total: number
  waiting: number
  running: number
  done: number
  failed: number
  /** The tabs that have rendered tiles, most first. */
  tabs: { name: string; tiles: number; isBusy: boolean }[]
  /** Tiles in the last minute, as far as this page has seen it. */
  perMinute: number | undefined
}

const MINUTE_MS = 60_000
/** Fewer seconds tell nothing about a minute. */
const OBSERVED_MS_MIN = 3000

/** Counts the tiles of one picture. */
export class TileCount {
  readonly #tiles: TileState[]
  readonly #now: () => number
  readonly #renderedMs: number[] = []
  #sinceMs: number | undefined

  /** @param now a clock in ms */
  constructor(total: number, now: () => number) {
    this.#tiles = Array.from({ length: total }, () => ({ state: 'waiting' }) as const)
    this.#now = now
  }

  set(tile: number, state: TileState): void {
    this.#tiles[tile] = state
    if (state.state === 'running') this.#sinceMs ??= this.#now()
  }

  stateOf(tile: number): TileState | undefined {
    return this.#tiles[tile]
  }

  /** A tile was rendered just now. */
  rendered(): void {
    this.#renderedMs.push(this.#now())
  }

  /** Whether all pixels are there. */
  get isDrawn(): boolean {
    return this.#tiles.every(({ state }) => state === 'done')
  }

  get tally(): Tally {
    const count = (wanted: TileState['state']) => this.#tiles.filter(({ state }) => state === wanted).length
    return {
      total: this.#tiles.length,
      waiting: count('waiting'),
      running: count('running'),
      done: count('done') + count('arriving'),
      failed: count('failed'),
      tabs: this.#tabs(),
      perMinute: this.#perMinute(),
    }
  }

  #tabs(): Tally['tabs'] {
    const tabs = new Map<string, Tally['tabs'][number]>()
    for (const tile of this.#tiles) {
      if (tile.state !== 'done' && tile.state !== 'running') continue
      const tab = tabs.get(tile.by) ?? { name: tile.by, tiles: 0, isBusy: false }
      if (tile.state === 'done') tab.tiles += 1
      else tab.isBusy = true
      tabs.set(tile.by, tab)
    }
    return [...tabs.values()].sort((a, b) => b.tiles - a.tiles || a.name.localeCompare(b.name))
  }

  #perMinute(): number | undefined {
    if (this.#sinceMs === undefined) return undefined
    const nowMs = this.#now()
    const observedMs = Math.min(MINUTE_MS, nowMs - this.#sinceMs)
    if (observedMs < OBSERVED_MS_MIN) return undefined
    const recent = this.#renderedMs.filter((atMs) => atMs > nowMs - MINUTE_MS).length
    return Math.round((recent * MINUTE_MS) / observedMs)
  }
}
