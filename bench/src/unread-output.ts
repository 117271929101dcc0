/** 128 + SIGPIPE: whoever read the output has stopped reading, as in `pnpm bench | head`. */
const UNREAD = 141

/** Ends the process as Unix tools end where nobody reads what they print any more. */
export function endWhereUnread(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(UNREAD)
  })
}
