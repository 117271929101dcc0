import type { IncomingHttpHeaders } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** The parts of a request, or of a WebSocket handshake, that are used. */
export interface Arrival {
  readonly headers: IncomingHttpHeaders
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** The faults of a list of proxies, one sentence each. */
export function problemsOfProxies(proxies: readonly string[]): string[] {
  return proxies
    .filter((proxy) => !isAddressOrNetwork(proxy))
    .map((proxy) => `trustedProxies must be addresses or networks such as 10.0.0.0/8, not ${JSON.stringify(proxy)}`)
}

export function isAddressOrNetwork(text: string): boolean {
  const [address, bits, more] = text.split('/')
  const family = isIP(address as string)
  if (family === 0 || more !== undefined) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32))
}

/**
 * Finds the client's address. Headers count only if the other end of the socket is one of these proxies, because
 * anybody else could claim any address. Of the addresses that proxies have added, the last one that is no such proxy is
 * the client's.
 */
export function addressSource(proxies: readonly string[]): (arrival: Arrival) => string {
  const trusted = new BlockList()
  for (const proxy of proxies) {
    const [address, bits] = proxy.split('/') as [string, string?]
    if (bits === undefined) trusted.addAddress(address, familyOf(address))
    else trusted.addSubnet(address, Number(bits), familyOf(address))
  }
  const isTrusted = (address: string): boolean => isIP(address) !== 0 && trusted.check(address, familyOf(address))
  return ({ headers, socket }) => {
    let client = plain(socket.remoteAddress ?? '')
    if (proxies.length === 0 || !isTrusted(client)) return client
    for (const hop of hopsOf(headers).toReversed()) {
      // If the entry is no address, the client is unknown, but the proxy that added it is known.
      if (isIP(hop) === 0) return client
      client = hop
      if (!isTrusted(hop)) return client
    }
    return client
  }
}

/**
 * The addresses that proxies have noted, the client's first. A proxy writes one of the two headers and may pass on the
 * other as the client sent it. If both are present and differ, neither is trusted.
 */
function hopsOf(headers: IncomingHttpHeaders): string[] {
  const byOlder = textOf(headers['x-forwarded-for'])?.split(',').map(plain)
  const byNewer = textOf(headers.forwarded)
    ?.split(',')
    .map((element) => plain(/(?:^|;)\s*for=("[^"]*"|[^;]*)/i.exec(element)?.[1] ?? ''))
  if (byOlder === undefined || byNewer === undefined) return byOlder ?? byNewer ?? []
  return byOlder.join() === byNewer.join() ? byOlder : []
}

/** A header that came more than once counts as one list. */
function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join() : header
}

/** The address without quotes, brackets, port, and the prefix of an IPv4 address that came over IPv6. */
function plain(text: string): string {
  const bare = text.trim().replace(/^"(.*)"$/, '$1')
  const address = /^\[(.*)\](?::\d+)?$/.exec(bare)?.[1] ?? bare.replace(/^([\d.]+):\d+$/, '$1')
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
