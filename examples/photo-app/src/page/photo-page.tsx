import { useOutbox, useOutboxClient } from '@sluice/client-browser/react'
import { useEffect, useState } from 'react'
import { AddPhotos } from './add-photos.tsx'
import { LendTab } from './lend-tab.tsx'
import { network } from './network-switch.ts'
import { Notices } from './notices.tsx'
import { PhotoGrid } from './photo-grid.tsx'
import type { DemoUser } from './session.ts'
import { SignOut } from './sign-out.tsx'
import { StatusBar } from './status-bar.tsx'
import { ThingsToTry } from './things-to-try.tsx'
import { useAddPhotos } from './use-add-photos.ts'
import { Wordmark } from './wordmark.tsx'

export function PhotoPage({ user }: { user: DemoUser }) {
  const client = useOutboxClient()
  const outbox = useOutbox()
  const adding = useAddPhotos()
  const [isSigningOut, setSigningOut] = useState(false)
  // Without this the client would wait for the end of its back-off.
  useEffect(() => network.subscribe(() => network.getSnapshot() || client.wake()), [client])
  // Nothing is shown that the first reading of the storage would move.
  const isKnown = outbox.isLoaded || outbox.status.storage !== 'ok'
  return (
    <>
      <header className="top">
        <Wordmark />
        <div className="who">
          <span className="avatar" aria-hidden="true">
            {user.name[0]}
          </span>
          <span>{user.name}</span>
          <button type="button" className="button quiet" onClick={() => setSigningOut(true)}>
            Sign out
          </button>
        </div>
      </header>
      <main>
        <h1 className="sr-only">Your photos</h1>
        <StatusBar outbox={outbox} />
        <Notices outbox={outbox} user={user} />
        {isKnown && (
          <>
            <AddPhotos adding={adding} isEmpty={outbox.items.length === 0} />
            {outbox.items.length > 0 && <PhotoGrid outbox={outbox} />}
            <div className="panels">
              <ThingsToTry adding={adding} />
              <LendTab user={user} />
            </div>
          </>
        )}
      </main>
      {isSigningOut && <SignOut user={user} counts={outbox.counts} onClose={() => setSigningOut(false)} />}
    </>
  )
}
