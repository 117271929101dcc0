import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { TraceFormat } from '../engine/playable.ts'
import { measuresCsv } from '../measures/units.ts'
import type { MeasuresView } from '../view/series.ts'
import './panels.css'

export interface ExportMenuProps {
  /** The beginning of the names of files. */
  name: string
  /** The stage as a picture. */
  onPng: () => Promise<Blob>
  onMeasures: () => Promise<MeasuresView>
  onTrace: (format: TraceFormat) => Promise<Blob>
}

/** Saves what is shown: a picture, the measures, or everything that was observed. */
export function ExportMenu({ name, onPng, onMeasures, onTrace }: ExportMenuProps) {
  const [isOpen, setOpen] = useState(false)
  const [said, say] = useState('')
  const menu = useRef<HTMLDivElement>(null)
  const id = useId()
  useEffect(() => {
    if (!isOpen) return
    const leave = (event: Event): void => {
      if (!(event.target instanceof Node && menu.current?.contains(event.target))) setOpen(false)
    }
    const onEscape = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return
      setOpen(false)
      menu.current?.querySelector('button')?.focus()
    }
    document.addEventListener('pointerdown', leave)
    document.addEventListener('keydown', onEscape)
    return () => {
      document.removeEventListener('pointerdown', leave)
      document.removeEventListener('keydown', onEscape)
    }
  }, [isOpen])

  const kinds: readonly { title: string; about: string; ending: string; make: () => Promise<Blob> }[] = [
    { title: 'Picture', about: 'the stage as it is now, PNG', ending: 'png', make: onPng },
    {
      title: 'Measures',
      about: 'a row for each point of the figures, CSV',
      ending: 'csv',
      make: async () => new Blob([measuresCsv(await onMeasures())], { type: 'text/csv' }),
    },
    {
      title: 'Trace',
      about: 'all that was observed; this page opens it again',
      ending: 'jsonl',
      make: () => onTrace('sluice'),
    },
    {
      title: 'For Perfetto',
      about: 'the attempts as spans, Chrome JSON',
      ending: 'chrome.json',
      make: () => onTrace('chrome'),
    },
  ]
  const save = async ({ title, ending, make }: (typeof kinds)[number]): Promise<void> => {
    say(`${title}: being written …`)
    try {
      download(await make(), `${name}.${ending}`)
      say(`${title} is saved as ${name}.${ending}.`)
    } catch (error) {
      say(`${title} cannot be saved: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return (
    <div class="export" ref={menu}>
      <button
        type="button"
        class="panel-button"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        Save …
      </button>
      <div id={id} class="export-list" hidden={!isOpen}>
        <ul>
          {kinds.map((kind) => (
            <li key={kind.title}>
              <button type="button" onClick={() => void save(kind)}>
                <b>{kind.title}</b>
                <small>{kind.about}</small>
              </button>
            </li>
          ))}
        </ul>
        <p class="fineprint" aria-live="polite">
          {said}
        </p>
      </div>
    </div>
  )
}

function download(blob: Blob, fileName: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = fileName
  link.click()
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
