import { createBrowserClient } from '@sluice/client-browser'
import { OutboxProvider } from '@sluice/client-browser/react'
import { brokerUrl, tokenOf } from './broker-access.ts'
import { network } from './network-switch.ts'
import { PhotoPage } from './photo-page.tsx'
import { type DemoUser, useUser } from './session.ts'
import { SignIn } from './sign-in.tsx'

/** The number of photos that the page shows. */
const SHOWN_MAX = 200

function createClient({ id }: DemoUser) {
  const token = tokenOf(id)
  return createBrowserClient({
    url: brokerUrl,
    owner: id,
    name: 'photo-app',
    platform: network.platform,
    outbox: { name: 'photo-app' },
    // Where the browser keeps nothing, photos are sent from memory, and the page says so.
    whenUnsaved: 'memory',
    viewItems: SHOWN_MAX,
    ...(token === undefined ? {} : { token }),
  })
}

export function App() {
  const user = useUser()
  if (user === undefined) return <SignIn />
  return (
    <OutboxProvider key={user.id} create={() => createClient(user)}>
      <PhotoPage user={user} />
    </OutboxProvider>
  )
}
