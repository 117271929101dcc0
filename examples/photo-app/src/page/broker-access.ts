/** The server of the page says in its head where the broker is, and whether it hands out tokens. */
function metaOf(name: string): string | undefined {
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content
}

export const brokerUrl = metaOf('sluice-broker') ?? 'ws://127.0.0.1:7331'

const tokenUrl = metaOf('sluice-token')

/**
 * The token of a user, for a broker with access control. A real app asks its own server, which knows who is signed in.
 * @returns undefined for a broker without access control
 */
export function tokenOf(user: string): (() => Promise<string>) | undefined {
  if (tokenUrl === undefined) return undefined
  return async () => {
    const response = await fetch(`${tokenUrl}?user=${encodeURIComponent(user)}`)
    if (!response.ok) throw new Error(`the server gave no token: it answered ${response.status}`)
    return response.text()
  }
}
