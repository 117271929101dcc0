import { CommandError, EXIT } from './exit-code.ts'

export const DEFAULT_URL = 'ws://127.0.0.1:7331'

export interface BrokerUrl {
  /** The WebSocket URL, for tasks. */
  webSocket: string
  /** The URL of the HTTP API, on the same port, without a slash at the end. */
  http: string
}

/** Parses a broker's address in either of its two forms. */
export function brokerUrl(stated: string): BrokerUrl {
  const match = /^(ws|http)(s?):\/\/([^/?#\s@]+)\/?$/.exec(stated)
  if (match === null || !URL.canParse(stated)) {
    throw new CommandError(
      `${JSON.stringify(stated)} is no address of a broker. It looks like ${DEFAULT_URL}`,
      EXIT.usage,
    )
  }
  const [, , secure, host] = match
  return { webSocket: `ws${secure}://${host}`, http: `http${secure}://${host}` }
}

export function unreachable(url: BrokerUrl): CommandError {
  return new CommandError(
    `No broker answers at ${url.webSocket}. Start one: sluice broker (or name another: --url, SLUICE_URL)`,
    EXIT.unreachable,
  )
}
