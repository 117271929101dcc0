const DEFAULT_PORT = 7331
const USER = 'volunteer'

/** The server of the page may say in its head where the broker is, and whether it hands out tokens. */
function metaOf(name: string): string | undefined {
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content
}

/** The broker: of the parameter `broker`, of the server, of the build, or on the host of this page. */
export function brokerUrl(): string {
  const asked = new URLSearchParams(location.search).get('broker')
  if (asked !== null && /^wss?:\/\/\S+$/.test(asked)) return asked
  const built: unknown = import.meta.env.VITE_SLUICE_URL
  const { protocol, hostname } = location
  const fallback = `${protocol === 'https:' ? 'wss' : 'ws'}://${hostname || '127.0.0.1'}:${DEFAULT_PORT}`
  return metaOf('sluice-broker') ?? (typeof built === 'string' && built !== '' ? built : fallback)
}

/**
 * The token of all volunteers, for a broker with access control. A real app asks its own server, which knows who is
 * signed in.
 * @returns no field for a broker without access control
 */
export function brokerToken(): { token?: () => Promise<string> } {
  const path = metaOf('sluice-token')
  // A token is for the broker of the server, and for no other.
  if (path === undefined || brokerUrl() !== metaOf('sluice-broker')) return {}
  return {
    token: async () => {
      const response = await fetch(`${path}?user=${USER}`)
      if (!response.ok) throw new Error(`the server gave no token: it answered ${response.status}`)
      return response.text()
    },
  }
}
