import { useId, useRef } from 'preact/hooks'

export interface Tab {
  name: string
  words: string
}

interface TabsProps {
  tabs: readonly Tab[]
  current: string
  onTab: (name: string) => void
  label: string
  children: preact.ComponentChildren
}

/** Tabs as the ARIA authoring practices have them: arrows move, the panel follows. */
export function Tabs({ tabs, current, onTab, label, children }: TabsProps) {
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const go = (by: number) => {
    const at = tabs.findIndex(({ name }) => name === current)
    const next = tabs[(at + by + tabs.length) % tabs.length]
    if (next === undefined) return
    onTab(next.name)
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.name}"]`)?.focus()
  }
  return (
    <section class="tabs" aria-label={label}>
      <div
        class="tab-list"
        role="tablist"
        aria-label={label}
        ref={list}
        onKeyDown={(event) => {
          const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
          if (by === 0) return
          // The arrows do not move the time here.
          event.preventDefault()
          event.stopPropagation()
          go(by)
        }}
      >
        {tabs.map(({ name, words }) => (
          <button
            key={name}
            type="button"
            role="tab"
            data-tab={name}
            id={`${id}-${name}`}
            aria-selected={name === current}
            aria-controls={`${id}-panel`}
            tabIndex={name === current ? 0 : -1}
            onClick={() => onTab(name)}
          >
            {words}
          </button>
        ))}
      </div>
      <div class="tab-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${current}`}>
        {children}
      </div>
    </section>
  )
}
