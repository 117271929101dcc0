import { createServer } from 'node:net'

const LOOKS_MAX = 100

export function portIsFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, host, () => probe.close(() => resolve(true)))
  })
}

/** The first free port from this one on. Undefined if the next hundred are taken. */
export async function freePortFrom(first: number, host: string): Promise<number | undefined> {
  for (let port = first; port < first + LOOKS_MAX && port <= 65_535; port += 1)
    if (await portIsFree(port, host)) return port
  return undefined
}
