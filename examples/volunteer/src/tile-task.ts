import { defineTask } from '@sluice/client'
import { checkedPicture, type Picture, tileCount } from './picture.ts'

/** One tile. Tiles are numbered row by row, from 0. */
export interface TileInput extends Picture {
  tile: number
}

/** What a handler reports while it renders. */
export interface TileProgress {
  /** The name of the tab. */
  by: string
  /** The share that is done, 0 – 1. */
  done: number
}

/** What submitters and workers agree on. The result is a PNG whose author is the name of the tab. */
export const renderTile = defineTask<TileInput, Uint8Array>({
  queue: 'volunteer.tiles',
  options: {
    // A tab that dies without a word is noticed after ten seconds.
    leaseMs: 10_000,
    timeLimitMs: 120_000,
    retry: { kind: 'exponential', attemptsMax: 5, delayMs: 200 },
  },
})

/** @returns the tile, or undefined if this is none that a tab would render */
export function checkedTile(value: unknown): TileInput | undefined {
  const picture = checkedPicture(value)
  const { tile } = (value ?? {}) as { tile?: unknown }
  if (picture === undefined || typeof tile !== 'number' || !Number.isInteger(tile)) return undefined
  return tile >= 0 && tile < tileCount(picture) ? { ...picture, tile } : undefined
}

/** @returns the report, or undefined if it is none */
export function checkedProgress(value: unknown): TileProgress | undefined {
  const { by, done } = (value ?? {}) as Partial<Record<keyof TileProgress, unknown>>
  return typeof by === 'string' && typeof done === 'number' && done >= 0 && done <= 1 ? { by, done } : undefined
}
