import { defineTask } from '@sluice/client'
import type { BrowserClient } from '@sluice/client-browser'
import { createBrowserClient } from '@sluice/client-browser'
import {
  OutboxProvider,
  type OutboxProviderProps,
  useConnection,
  useOutbox,
  useOutboxClient,
  useSubmit,
  useTask,
} from '@sluice/client-browser/react'
import { createElement as h, type ReactNode, StrictMode } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { expect, onTestFinished, test, vi } from 'vitest'
import { databaseName, removeDatabase } from './databases.ts'
import { browserClient, NOBODY, queueName, url, worker } from './tab-broker.ts'

/** Renders into a page of its own, in StrictMode: everything is mounted, unmounted and mounted again. */
function show(element: ReactNode) {
  const container = document.body.appendChild(document.createElement('main'))
  const root = createRoot(container)
  root.render(h(StrictMode, null, element))
  onTestFinished(() => {
    root.unmount()
    container.remove()
  })
  return { container, root }
}

const textIs = (container: HTMLElement, text: string) =>
  expect.poll(() => container.textContent, { timeout: 20_000 }).toBe(text)

const click = (container: HTMLElement) => container.querySelector('button')!.click()

const double = defineTask<number, number>({ queue: queueName() })

function Task({ id }: { id: string }) {
  const task = useTask(id)
  if (task.state === 'done') return `the result is ${'result' in task ? task.result?.value : '?'}`
  return task.state === 'running' && 'progress' in task ? `at ${task.progress}` : '…'
}

function DoubleForm() {
  const { submit, submission } = useSubmit(double)
  if (submission.state === 'submitted') return h(Task, { id: submission.id })
  return h('button', { type: 'button', onClick: () => submit(21) }, submission.state)
}

function MapForm() {
  const { submit, submission } = useSubmit('q')
  const text = submission.state === 'failed' ? (submission.error as Error).message : submission.state
  return h('button', { type: 'button', onClick: () => submit(new Map([[1, 2]])).catch(() => {}) }, text)
}

function Labels() {
  const { counts, items } = useOutbox()
  return `${counts.saved} waiting: ${items.map(({ label }) => label)}. `
}

function Connection({ onRender }: { onRender: () => void }) {
  onRender()
  const { auth, storage } = useConnection()
  return `auth ${auth}, storage ${storage}`
}

function Role({ made }: { made: readonly BrowserClient[] }) {
  const client = useOutboxClient()
  const { role } = useConnection()
  return `client ${made.indexOf(client)} is ${role}`
}

function Badge() {
  const { isLoaded, counts } = useOutbox()
  return h('b', null, isLoaded ? `${counts.saved} waiting` : 'loading')
}

test('a component submits, follows its task and shows the result', async () => {
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>()
  worker({
    [double.queue]: async (input, ctx) => {
      ctx.progress('half')
      await mayEnd
      return (input as number) * 2
    },
  })
  const { container } = show(h(OutboxProvider, { client: browserClient() }, h(DoubleForm)))
  await textIs(container, 'idle')
  click(container)
  await textIs(container, 'at half')
  end()
  await textIs(container, 'the result is 42')
})

test('a submission that cannot be saved is shown as failed, with its error', async () => {
  const { container } = show(h(OutboxProvider, { client: browserClient({ url: NOBODY }) }, h(MapForm)))
  await textIs(container, 'idle')
  click(container)
  await expect.poll(() => container.textContent).toContain('input is a Map')
})

test('the outbox and the connection are shown, and a changed item wakes nobody who shows the connection', async () => {
  const client = browserClient({ url: NOBODY })
  let renders = 0
  const onRender = () => {
    renders += 1
  }
  const { container } = show(h(OutboxProvider, { client }, h(Labels), h(Connection, { onRender })))
  await client.submit('q', 1, { label: 'a.jpg' })
  await textIs(container, '1 waiting: a.jpg. auth ok, storage ok')
  // A page without a connection tries to connect again and again, and each try is another status.
  client.pause()
  await vi.waitUntil(() => client.view.getSnapshot().status.role === 'paused')
  await textIs(container, '1 waiting: a.jpg. auth ok, storage ok')
  const before = renders
  await client.submit('q', 1, { label: 'b.jpg' })
  await textIs(container, '2 waiting: b.jpg,a.jpg. auth ok, storage ok')
  expect(renders).toBe(before)
})

test('a provider makes a client for each mount and leaves nothing behind when it is unmounted', async () => {
  const name = databaseName()
  const made: BrowserClient[] = []
  const create = () => {
    const client = createBrowserClient({ url, owner: 'ada', outbox: { name } })
    made.push(client)
    return client
  }
  const props: OutboxProviderProps = { create, fallback: 'no client yet' }
  const { container, root } = show(h(OutboxProvider, props, h(Role, { made })))
  await textIs(container, 'client 1 is leading')
  expect(made.map(({ status }) => status.role)).toEqual(['closed', 'leading'])
  root.unmount()
  await vi.waitUntil(async () => {
    const { held = [], pending = [] } = await navigator.locks.query()
    return ![...held, ...pending].some((lock) => lock.name?.startsWith(name))
  })
  // It never ends if a handle is open.
  await removeDatabase(name)
})

test('a server renders what is known there, and the page takes over without an error', async () => {
  const client = browserClient({ url: NOBODY })
  await client.submit('q', 1)
  const app = h(OutboxProvider, { client }, h(Badge))
  const container = document.body.appendChild(document.createElement('main'))
  container.innerHTML = renderToString(app)
  expect(container.innerHTML).toBe('<b>loading</b>')
  const errors: unknown[] = []
  const root = hydrateRoot(container, app, { onRecoverableError: (error) => errors.push(error) })
  onTestFinished(() => {
    root.unmount()
    container.remove()
  })
  await textIs(container, '1 waiting')
  expect(errors).toEqual([])
  const own = { create: () => browserClient(), fallback: 'not on a server' }
  expect(renderToString(h(OutboxProvider, own, h(Badge)))).toBe('not on a server')
})

test('without a provider a hook says what is missing', () => {
  expect(() => renderToString(h(Badge))).toThrow('OutboxProvider')
})
