import { createContext, createElement, type ReactNode, useContext, useEffect, useState } from 'react'
import type { BrowserClient } from '../browser-client.ts'

const ClientContext = createContext<BrowserClient | undefined>(undefined)

export type OutboxProviderProps = { children?: ReactNode } & (
  | {
      /** A client that the app has made, and closes itself. */
      client: BrowserClient
    }
  | {
      /**
       * Makes the client when the provider is mounted; it is closed when the provider is unmounted. Only the first
       * function counts: give the provider another `key` to get another client, such as the id of the user.
       */
      create: () => BrowserClient
      /** Shown until there is a client, also on a server. Default: nothing. */
      fallback?: ReactNode
    }
)

/** Gives the components below it a client. */
export function OutboxProvider(props: OutboxProviderProps): ReactNode {
  const [own, setOwn] = useState<BrowserClient>()
  const [create] = useState(() => ('create' in props ? props.create : undefined))
  useEffect(() => {
    if (create === undefined) return undefined
    // Development mounts twice. Each mount has a client of its own, and closes it.
    const client = create()
    setOwn(client)
    return () => {
      setOwn(undefined)
      client.dispose()
    }
  }, [create])
  const client = 'client' in props ? props.client : own
  if (client === undefined) return 'fallback' in props ? props.fallback : null
  return createElement(ClientContext.Provider, { value: client }, props.children)
}

/**
 * The client of the nearest provider.
 * @throws Error without a provider
 */
export function useOutboxClient(): BrowserClient {
  const client = useContext(ClientContext)
  if (client === undefined) throw new Error('there is no OutboxProvider above this component: add one')
  return client
}
