import type { OutboxSnapshot } from '@sluice/client-browser'
import { useOutboxClient } from '@sluice/client-browser/react'
import { useEffect, useRef, useState } from 'react'
import { summaryOf } from './item-words.ts'
import { type DemoUser, signIn } from './session.ts'

interface SignOutProps {
  user: DemoUser
  counts: OutboxSnapshot['counts']
  onClose: () => void
}

type Work = { state: 'asking' } | { state: 'working'; abort: () => void } | { state: 'failed'; message: string }

/** Asks what happens to what is still on this device. */
export function SignOut({ user: { name }, counts, onClose }: SignOutProps) {
  const client = useOutboxClient()
  const dialog = useRef<HTMLDialogElement>(null)
  const [work, setWork] = useState<Work>({ state: 'asking' })
  const { here } = summaryOf({ counts })
  useEffect(() => {
    // It is not closed on the way out: that would call `onClose` when development mounts twice.
    if (dialog.current?.open === false) dialog.current.showModal()
  }, [])

  const leave = (what: 'keep' | 'send' | 'delete') => async () => {
    const ends = new AbortController()
    setWork({ state: 'working', abort: () => ends.abort() })
    try {
      await client.signOut(what, { signal: ends.signal })
      signIn(undefined)
    } catch (error) {
      setWork(ends.signal.aborted ? { state: 'asking' } : { state: 'failed', message: (error as Error).message })
    }
  }
  const cancel = () => {
    if (work.state === 'working') work.abort()
    onClose()
  }
  const waits = here === 1 ? '1 photo is' : `${here} photos are`
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="sign-out-heading" onClose={cancel}>
      <h2 id="sign-out-heading">Sign out {name}?</h2>
      <p className="muted">
        {here === 0
          ? 'Everything was sent. Thumbnails of yours are still on this device.'
          : `${waits} on this device and not yet sent.`}
      </p>
      {work.state === 'working' ? (
        <div className="dialog-work" role="status">
          <p>
            {here === 0
              ? 'Signing out…'
              : `Waiting until ${waits.replace(/ (is|are)$/, '')} ${here === 1 ? 'is' : 'are'} sent. This needs a network.`}
          </p>
          <button type="button" className="button" onClick={work.abort}>
            Do not wait
          </button>
        </div>
      ) : (
        <div className="choices">
          <Choice onClick={leave('keep')} title="Keep">
            Photos stay on this device. What waits is sent when {name} signs in here again.
          </Choice>
          <Choice onClick={leave('send')} title="Send first">
            Signs out when the broker has all of them.
          </Choice>
          <Choice onClick={leave('delete')} title="Delete" isBad>
            Removes all photos of {name} from this device. What was sent goes on.
          </Choice>
        </div>
      )}
      {work.state === 'failed' && (
        <p className="problem" role="alert">
          That did not work: {work.message}
        </p>
      )}
      <button type="button" className="button quiet" onClick={cancel}>
        Stay signed in
      </button>
    </dialog>
  )
}

interface ChoiceProps {
  title: string
  children: React.ReactNode
  onClick: () => void
  isBad?: boolean
}

function Choice({ title, children, onClick, isBad = false }: ChoiceProps) {
  return (
    <button type="button" className={`choice${isBad ? ' bad' : ''}`} onClick={onClick}>
      <strong>{title}</strong>
      <span className="muted">{children}</span>
    </button>
  )
}
