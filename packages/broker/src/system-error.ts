const NO_ROOM = 'the disk is full, or a quota is used up: free some space'
const NOT_ALLOWED = 'this user may not do that: change owner or mode (chown, chmod)'
const TOO_MANY_FILES = 'the process has as many files open as it may: raise the limit (ulimit -n, LimitNOFILE=)'

const ADVICE: Readonly<Record<string, string>> = {
  EACCES: NOT_ALLOWED,
  EPERM: NOT_ALLOWED,
  EROFS: 'the file system is mounted read-only',
  ENOSPC: NO_ROOM,
  EDQUOT: NO_ROOM,
  EMFILE: TOO_MANY_FILES,
  ENFILE: TOO_MANY_FILES,
}

/**
 * What a system error means and what to do, as the end of a sentence: ` (…)`. Empty if the error's own message must do.
 */
export function adviceOn(code: string | undefined): string {
  const advice = ADVICE[code ?? '']
  return advice === undefined ? '' : ` (${advice})`
}
