import { readdirSync, readFileSync } from 'node:fs'

/** Files that the journal, its threads and the program may still open. */
const SPARE = 24

/**
 * The number of connections for which this process can open files now, with some files kept spare. Infinite if the
 * system does not tell. Past that, the system drops connections without notice, and the journal could open no file.
 */
export function connectionsFor(limits = '/proc/self/limits', open = '/proc/self/fd'): number {
  try {
    const [, stated] = /^Max open files +(\d+)/m.exec(readFileSync(limits, 'utf8')) ?? []
    if (stated === undefined) return Number.POSITIVE_INFINITY
    return Math.max(1, Number(stated) - readdirSync(open).length - SPARE)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
