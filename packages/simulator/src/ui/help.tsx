import { useEffect, useRef } from 'preact/hooks'
import { SHORTCUTS } from './shortcuts.ts'

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
