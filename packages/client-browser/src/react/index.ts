/**
 * The outbox in React components.
 * @module @sluice/client-browser/react
 */
export { OutboxProvider, type OutboxProviderProps, useOutboxClient } from './outbox-provider.ts'
export { useConnection, useOutbox, useTask } from './use-outbox.ts'
export { type Submission, type Submitting, useSubmit } from './use-submit.ts'
