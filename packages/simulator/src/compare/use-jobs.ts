import { useCallback, useEffect, useRef, useState } from 'preact/hooks'

/** What a row of jobs has come to. */
export interface Progress<Answer> {
  answers: readonly Answer[]
  total: number
  state: 'idle' | 'running' | 'stopped' | 'done' | 'failed'
  /** Why it failed. */
  error: string
}

/** A picture is drawn anew at most this often. */
const DRAW_MS = 150

/** Does many jobs and shows their answers as they come. They stop when the component goes away. */
export function useJobs<Question, Answer>(
  ask: (question: Question, signal: AbortSignal) => Promise<Answer>,
): Progress<Answer> & { start(questions: readonly Question[]): void; stop(): void } {
  const [progress, setProgress] = useState<Progress<Answer>>({ answers: [], total: 0, state: 'idle', error: '' })
  const aborting = useRef<AbortController | undefined>(undefined)
  useEffect(() => () => aborting.current?.abort(), [])
  const stop = useCallback(() => {
    aborting.current?.abort()
    setProgress((before) => (before.state === 'running' ? { ...before, state: 'stopped' } : before))
  }, [])
  const start = useCallback(
    (questions: readonly Question[]) => {
      aborting.current?.abort()
      const own = new AbortController()
      aborting.current = own
      const answers: Answer[] = []
      let drawnMs = 0
      const draw = (state: Progress<Answer>['state'], error = ''): void => {
        if (own.signal.aborted) return
        drawnMs = performance.now()
        setProgress({ answers: [...answers], total: questions.length, state, error })
      }
      draw('running')
      const all = questions.map(async (question) => {
        answers.push(await ask(question, own.signal))
        if (performance.now() - drawnMs >= DRAW_MS) draw('running')
      })
      Promise.all(all).then(
        () => draw('done'),
        (error: Error) => {
          draw('failed', error.message)
          own.abort()
        },
      )
    },
    [ask],
  )
  return { ...progress, start, stop }
}
