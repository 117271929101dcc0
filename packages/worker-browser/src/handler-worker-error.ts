/**
 * The Worker that ran the handler has died: it was out of memory, crashed or called `self.close()`. The attempt fails,
 * and another may succeed.
 */
export class HandlerWorkerDiedError extends Error {
  override readonly name = 'HandlerWorkerDiedError'
  readonly retryable = true

  constructor() {
    super('the Worker that ran the handler has died: it was out of memory, crashed or called self.close()')
  }
}
