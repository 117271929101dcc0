import { useEffect, useRef } from 'preact/hooks'
import { SHORTCUTS } from './shortcuts.ts'

const TERMS = [
  { term: 'Lease', words: 'A task is lent to a worker for a limited time, which heartbeats (hearts) extend.' },
  { term: 'Credit', words: 'The small dots on a worker: how many more tasks it takes.' },
  { term: 'Journal', words: 'What the broker has written to its disk is durable. Nothing is accepted before.' },
  { term: 'Busy', words: 'A triangle on a link: the queue is full, and the producer tries again later.' },
  { term: 'Dead letter', words: 'A task that was given up after too many attempts. It is kept to be looked at.' },
  { term: 'Run', words: 'One seed and what hands have changed. A change makes a new run; the old one stays.' },
  { term: 'Marks on the line', words: 'Triangles are faults that the scene plans. Circles are your changes.' },
] as const

export function Help({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (isOpen) dialog.current?.showModal()
    else dialog.current?.close()
  }, [isOpen])
  return (
    <dialog ref={dialog} class="help" onClose={onClose} aria-labelledby="help-title">
      <h2 id="help-title">What you see, and how to move in it</h2>
      <p>
        This is not a model of a task queue. It is Sluice itself, the code that runs in production, with a clock, a
        network and a disk that this page controls. The same seed makes the same run on any machine.
      </p>
      <dl class="terms">
        {TERMS.map(({ term, words }) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <dl class="keys">
        {SHORTCUTS.map(({ keys, words }) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="solid" onClick={onClose}>
        Close
      </button>
    </dialog>
  )
}
