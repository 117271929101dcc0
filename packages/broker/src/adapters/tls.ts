import { readFileSync, statSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import { createSecureContext } from 'node:tls'
import type { HostLog } from '../core/platform.ts'

/** Files in PEM: a certificate with its chain, and its private key. */
export interface TlsFiles {
  cert: string
  key: string
  /** How often the files are checked, in ms. New connections use a renewed certificate. Default 5,000. */
  lookEveryMs?: number
}

const LOOK_EVERY_MS = 5000

/**
 * The content of the files.
 * @throws RangeError naming the file if one cannot be read, or if they do not belong together
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

/**
 * Calls `onChange` with the content of the files when one of them has changed. Returns a function that stops the watch.
 */
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
      // One of the two files may be written before the other.
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

/** Undefined while a file is missing. */
function stampOf({ cert, key }: TlsFiles): string | undefined {
  try {
    return [cert, key].map((path) => `${statSync(path).mtimeMs} ${statSync(path).ino}`).join()
  } catch {
    return undefined
  }
}
