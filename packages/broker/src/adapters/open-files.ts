import { readdirSync, readFileSync } from 'node:fs'

/** Files that the journal, its threads and the program may come to open. */
const SPARE = 24

/**
 * For how many connections the system lets this process open files now, some spare ones aside; infinite where it does not say.
 * The system drops what is past that unsaid, and the journal would find no file to open.
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
