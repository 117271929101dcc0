import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { HttpRefusal } from '../../src/http/error-response.ts'
import { RequestBodies } from '../../src/http/request-body.ts'

test('[HOST-25] bodies that are being received are bounded together, and one that has come whole makes room', async () => {
  const bodies = new RequestBodies(100, 150)
  const app = new Hono()
  app.post('/', async (c) => c.text(String((await bodies.receive(c)).byteLength)))
  app.onError((error) => new Response(error.message, { status: error instanceof HttpRefusal ? error.status : 500 }))
  const post = async (body: BodyInit, headers = {}) => {
    const response = await app.request('/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit)
    return [response.status, await response.text()]
  }
  let end = (): void => {}
  const slow = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(10))
      end = () => controller.close()
    },
  })
  const first = post(slow)
  expect(await post('x'.repeat(60), { 'content-length': '60' })).toEqual([503, expect.stringContaining('later')])
  expect(await post('x'.repeat(50), { 'content-length': '50' })).toEqual([200, '50'])
  end()
  expect(await first).toEqual([200, '10'])
  expect(await post('x'.repeat(60), { 'content-length': '60' })).toEqual([200, '60'])
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(40)) })
  expect(await post(endless)).toEqual([413, expect.stringContaining('at most 100 bytes')])
})
