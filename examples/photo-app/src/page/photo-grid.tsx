import type { OutboxSnapshot } from '@sluice/client-browser'
import { useOutboxClient } from '@sluice/client-browser/react'
import { useMemo, useRef } from 'react'
import { summaryOf } from './item-words.ts'
import { PhotoCard } from './photo-card.tsx'

const REMOVABLE = new Set(['done', 'failed', 'cancelled'])

/** The photos, the newest first. A photo keeps its place while its state changes. */
export function PhotoGrid({ outbox }: { outbox: OutboxSnapshot }) {
  const client = useOutboxClient()
  const heading = useRef<HTMLHeadingElement>(null)
  const items = useMemo(() => [...outbox.items].sort((a, b) => b.seq - a.seq), [outbox.items])
  const ended = items.filter(({ state }) => REMOVABLE.has(state))
  const { here, sent, done, wrong } = summaryOf(outbox)
  const clear = async () => {
    heading.current?.focus()
    await Promise.all(ended.map(({ id }) => client.discard(id)))
  }
  return (
    <section className="photos" aria-labelledby="photos-heading">
      <div className="photos-head">
        <h2 id="photos-heading" ref={heading} tabIndex={-1}>
          Photos
        </h2>
        <p className="muted" aria-live="polite">
          {done} of {here + sent + done + wrong} done
        </p>
        <button type="button" className="button quiet" disabled={ended.length === 0} onClick={() => void clear()}>
          Remove finished
        </button>
      </div>
      <ul className="grid">
        {items.map((item) => (
          <PhotoCard key={item.id} item={item} onGone={() => heading.current?.focus()} />
        ))}
      </ul>
    </section>
  )
}
