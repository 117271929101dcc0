import { useEffect } from 'preact/hooks'

/** With reduced motion a run is shown in steps of this length. */
const STEP_MS = 1000

/** Calls back for every frame of the screen while the component is there, or once a second with reduced motion. */
export function useFrames(onFrame: (ms: number) => void): void {
  useEffect(() => {
    const calm = matchMedia('(prefers-reduced-motion: reduce)')
    let handle = 0
    let lastMs = performance.now()
    let heldMs = 0
    const frame = (nowMs: number) => {
      const ms = nowMs - lastMs
      lastMs = nowMs
      if (calm.matches) {
        heldMs += ms
        if (heldMs >= STEP_MS) {
          onFrame(heldMs)
          heldMs = 0
        }
      } else onFrame(ms)
      handle = requestAnimationFrame(frame)
    }
    handle = requestAnimationFrame(frame)
    return () => cancelAnimationFrame(handle)
  }, [onFrame])
}
