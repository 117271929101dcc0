import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** A part of the page that is loaded when it is shown, so that the first view is small. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined
  return (props: Props) => {
    const [error, setError] = useState('')
    const [, setReady] = useState(loaded !== undefined)
    useEffect(() => {
      if (loaded !== undefined) return
      load().then(
        (component) => {
          loaded = component
          setReady(true)
        },
        (reason: Error) => setError(reason.message),
      )
    }, [])
    const Room = loaded
    if (Room !== undefined) return <Room {...props} />
    return (
      <main class="room">
        <p role="status">
          {error === '' ? 'One moment…' : `This room could not be loaded: ${error}. Reload the page.`}
        </p>
      </main>
    )
  }
}
