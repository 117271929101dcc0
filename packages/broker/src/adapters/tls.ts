import { readFileSync, statSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import { createSecureContext } from 'node:tls'
import type { HostLog } from '../core/platform.ts'

/** Files of a certificate with its chain, and of its private key, both in PEM. */
export interface TlsFiles {
  cert: string
  key: string
  /** How often the files are looked at, in ms: a renewed certificate counts for connections from then on. Default 5,000. */
  lookEveryMs?: number
}

const LOOK_EVERY_MS = 5000

/**
 * What the files hold.
 * @throws RangeError naming the file where one cannot be read, or where they do not belong together
 */
export function readTls({ cert, key }: TlsFiles): SecureContextOptions {
  const options = { cert: read('tlsCert', cert), key: read('tlsKey', key) }
  try {
    createSecureContext(options)
  } catch (thrown) {
    throw new RangeError(`tlsCert ${cert} and tlsKey ${key} do not work together: ${(thrown as Error).message}`)
  }
  return options
}

/** Calls `onChange` with what the files hold when one of them has changed. Returns what ends it. */
export function watchTls(files: TlsFiles, log: HostLog, onChange: (options: SecureContextOptions) => void): () => void {
  let before = stampOf(files)
  const timer = setInterval(() => {
    const now = stampOf(files)
    if (now === before || now === undefined) return
    try {
      onChange(readTls(files))
      before = now
      log.info({ cert: files.cert }, 'took up a new certificate')
    } catch (error) {
      // One of the two may be written before the other.
      log.warn({ err: error }, 'a new certificate cannot be used yet: the one before stays')
    }
  }, files.lookEveryMs ?? LOOK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

function read(name: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (thrown) {
    throw new RangeError(`${name} cannot be read: ${(thrown as Error).message}`)
  }
}

/** Undefined while a file is not there. */
function stampOf({ cert, key }: TlsFiles): string | undefined {
  try {
    return [cert, key].map((path) => `${statSync(path).mtimeMs} ${statSync(path).ino}`).join()
  } catch {
    return undefined
  }
}
