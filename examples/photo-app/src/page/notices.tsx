import type { OutboxStatus } from '@sluice/client/outbox'
import type { OutboxSnapshot } from '@sluice/client-browser'
import { useOutboxClient } from '@sluice/client-browser/react'
import { tokenOf } from './broker-access.ts'
import type { DemoUser } from './session.ts'

function storageSentence(storage: OutboxStatus['storage']): string | undefined {
  switch (storage) {
    case 'ok':
      return undefined
    case 'store_full':
      return 'This device has no room left for this site. New photos are held by this tab only.'
    case 'store_blocked':
      return 'Another tab holds an old version of the storage open. Close the other tabs of this site.'
    case 'store_newer':
      return 'A newer version of this page is in use. Reload the page.'
    default:
      return 'This browser gives the page no storage now. New photos are held by this tab only, and lost with it.'
  }
}

/** What a person has to know or do. */
export function Notices({ outbox, user }: { outbox: OutboxSnapshot; user: DemoUser }) {
  const client = useOutboxClient()
  const { auth, storage } = outbox.status
  const sentence = storageSentence(storage)
  return (
    <div className="notices" aria-live="polite">
      {auth === 'needed' && (
        <div className="notice">
          <p>
            The broker does not know {user.name} any more. Nothing is sent, and nothing is lost, until {user.name} signs
            in again.
          </p>
          <button type="button" className="button" onClick={() => client.authenticate(tokenOf(user.id))}>
            Sign in again
          </button>
        </div>
      )}
      {sentence !== undefined && (
        <div className="notice">
          <p>{sentence}</p>
        </div>
      )}
    </div>
  )
}
