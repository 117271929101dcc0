import { serveHandlers } from '@sluice/worker-browser/handlers'

serveHandlers({
  /** Takes `ms` of the time in which the tab runs, and says when it has begun. */
  wait: async (input, ctx) => {
    const { ms } = input as { ms: number }
    ctx.progress('begun')
    await new Promise((resolve) => setTimeout(resolve, ms))
    return 'the tab'
  },
})
