const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

/** What the machine says at the moment, whatever is in the file: PERM to NOMEM, READONLY to IOERR, FULL, CANTOPEN. */
const CIRCUMSTANCES: ReadonlySet<number> = new Set([3, SQLITE_BUSY, 6, 7, 8, 9, 10, 13, 14])

/** SQLite's primary result code, 0 for an error that is not SQLite's. */
function sqliteCode(error: unknown): number {
  return ((error as { errcode?: number } | undefined)?.errcode ?? 0) & 0xff
}

export function isSqlite(error: unknown): boolean {
  return sqliteCode(error) > 0
}

export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_BUSY
}

/** Whether SQLite itself says that the file is damaged, as it may do of a write. */
export function isCorrupt(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB
}

/** Whether reading failed for what is in the file: any error that its surroundings do not explain. */
export function isDamage(error: unknown): boolean {
  return !CIRCUMSTANCES.has(sqliteCode(error))
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
