import { type ChangeEvent, useEffect, useRef, useState } from 'react'
import { samplePhotos } from './sample-photos.ts'
import type { Adding } from './use-add-photos.ts'

interface AddPhotosProps {
  adding: Adding
  isEmpty: boolean
}

/** Where photos come in: dropped anywhere on the page, chosen, or the samples. */
export function AddPhotos({ adding: { add, problem }, isEmpty }: AddPhotosProps) {
  const input = useRef<HTMLInputElement>(null)
  const isOver = useDrop((files) => void add(files))
  const choose = () => input.current?.click()
  const chosen = ({ target }: ChangeEvent<HTMLInputElement>) => {
    const files = [...(target.files ?? [])]
    // The same file may be chosen again.
    target.value = ''
    void add(files)
  }
  return (
    <section className={`add ${isEmpty ? 'empty' : 'compact'}`} data-over={isOver} aria-label="Add photos">
      <input ref={input} type="file" accept="image/*" multiple hidden onChange={chosen} />
      {isEmpty && <EmptyPicture />}
      <div className="add-words">
        {isEmpty ? (
          <>
            <h2>Drop photos here</h2>
            <p className="muted">
              Each is saved on this device first, then sent, and comes back as a thumbnail. Lose the network or close
              the page in between: no photo is lost, and none is done twice.
            </p>
          </>
        ) : (
          <p>
            <strong>Drop photos anywhere</strong>
            <span className="muted"> Saved first, sent when there is a network.</span>
          </p>
        )}
      </div>
      <div className="add-actions">
        <button type="button" className="button main" onClick={() => void add(samplePhotos)}>
          {isEmpty ? 'Use ten sample photos' : 'Add ten samples'}
        </button>
        <button type="button" className="button" onClick={choose}>
          Choose photos…
        </button>
      </div>
      <p className="problem" role="alert">
        {problem}
      </p>
    </section>
  )
}

/** Takes files that are dropped anywhere on the page. @returns whether some are held over it */
function useDrop(onFiles: (files: File[]) => void): boolean {
  const [isOver, setOver] = useState(false)
  const newest = useRef(onFiles)
  newest.current = onFiles
  useEffect(() => {
    const ends = new AbortController()
    const { signal } = ends
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      setOver(true)
    }
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false)
    }
    const drop = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      setOver(false)
      newest.current([...(event.dataTransfer?.files ?? [])])
    }
    window.addEventListener('dragover', over, { signal })
    window.addEventListener('dragleave', leave, { signal })
    window.addEventListener('drop', drop, { signal })
    return () => ends.abort()
  }, [])
  return isOver
}

function EmptyPicture() {
  return (
    <svg className="empty-picture" viewBox="0 0 160 96" aria-hidden="true">
      <g className="print back">
        <rect x="24" y="18" width="84" height="62" rx="7" transform="rotate(-7 66 49)" />
      </g>
      <g className="print">
        <rect x="50" y="16" width="84" height="62" rx="7" transform="rotate(5 92 47)" />
        <g transform="rotate(5 92 47)">
          <circle cx="112" cy="35" r="6" />
          <path d="M58 70l22-26 16 18 9-10 21 18z" />
        </g>
      </g>
    </svg>
  )
}
