import type { WireError } from '@sluice/protocol'

/** The reason that a leaving broker gives when it closes or refuses a connection. */
export function stopped(retryAfterMs: number): WireError {
  return { code: 'draining', message: 'the broker is leaving: connect again later', retryAfterMs }
}
