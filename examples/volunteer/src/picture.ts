import { isTaskId } from '@sluice/protocol'
import { placeOf } from './places.ts'

/** A picture that tabs render together: a place, cut into tiles. */
export interface Picture {
  /** A UUIDv7 that names this rendering. The ids of its tiles are made from it. */
  run: string
  /** The id of a place. */
  place: string
  columns: number
  rows: number
  /** Pixels along each side of a tile. */
  tilePx: number
}

/** The limits keep a stranger's task from occupying a tab for long. */
const COLUMNS_MAX = 32
const ROWS_MAX = 20
const TILE_PX_MAX = 256

/** @returns the picture, or undefined if this is none that a tab would render */
export function checkedPicture(value: unknown): Picture | undefined {
  const { run, place, columns, rows, tilePx } = (value ?? {}) as Partial<Record<keyof Picture, unknown>>
  if (typeof run !== 'string' || !isTaskId(run) || typeof place !== 'string' || placeOf(place) === undefined)
    return undefined
  if (!isWhole(columns, COLUMNS_MAX) || !isWhole(rows, ROWS_MAX) || !isWhole(tilePx, TILE_PX_MAX)) return undefined
  return { run, place, columns, rows, tilePx }
}

function isWhole(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max
}

export const tileCount = ({ columns, rows }: Picture): number => columns * rows

/**
 * The id of a tile's task: the run's, with the tile's number in the 12 bits behind the version. So every tab, in any
 * browser, knows the tasks of a picture from its run.
 */
export function tileId({ run }: Picture, tile: number): string {
  return `${run.slice(0, 15)}${tile.toString(16).padStart(3, '0')}${run.slice(18)}`
}
