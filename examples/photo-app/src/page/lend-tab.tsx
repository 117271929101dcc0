import { createTabWorker, type TabWorker } from '@sluice/worker-browser'
import '@sluice/worker-browser/element'
import { useEffect, useRef } from 'react'
import { makeThumbnail } from '../thumbnail.ts'
import { brokerUrl, tokenOf } from './broker-access.ts'
import { useIsCut } from './network-switch.ts'
import type { DemoUser } from './session.ts'

const QUESTION =
  'This tab can make thumbnails too, beside the worker on the server. It uses a part of your processor while it is open, ' +
  'and stops at once when you say so.'

function createLentTab({ id }: DemoUser): TabWorker {
  const token = tokenOf(id)
  return createTabWorker({
    url: brokerUrl,
    name: 'photo-app tab',
    queues: [makeThumbnail],
    worker: () => new Worker(new URL('./thumbnail-worker.ts', import.meta.url), { type: 'module' }),
    consent: 'ask',
    consentKey: 'photo-app.lends-tab',
    ...(token === undefined ? {} : { token }),
  })
}

/** Lets the person lend this tab as a worker. */
export function LendTab({ user }: { user: DemoUser }) {
  const place = useRef<HTMLDivElement>(null)
  const worker = useRef<TabWorker>(undefined)
  const isCut = useIsCut()
  useEffect(() => {
    const lent = createLentTab(user)
    const element = document.createElement('sluice-tab-worker')
    element.worker = lent
    element.words = { question: QUESTION }
    place.current?.append(element)
    worker.current = lent
    lent.start()
    return () => {
      element.remove()
      lent.close()
    }
  }, [user])
  // Its connection is another one than the outbox's, and the switch cuts that one too.
  useEffect(() => {
    if (!isCut) return undefined
    const lent = worker.current
    if (lent === undefined || !['connecting', 'working'].includes(lent.getSnapshot().state)) return undefined
    lent.pause()
    return () => lent.resume()
  }, [isCut])
  return <div className="lend" ref={place} />
}
