import type { WireError } from '@sluice/protocol'
import { SluiceError } from './errors.ts'

/** Why the broker refuses this client, with the option that caused the faulty field of `hello`. */
export function refusalOf(error: WireError | null): SluiceError {
  if (error === null) return new SluiceError({ code: 'internal', message: 'the connection failed' })
  const [, option] = /^messages\[0\]\.(\w+)$/.exec(error.field ?? '') ?? []
  return new SluiceError(option === undefined ? error : { ...error, message: `${option}: ${error.message}` })
}
