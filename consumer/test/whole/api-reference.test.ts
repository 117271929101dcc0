import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packages, pnpm, root } from '../../src/packages.ts'

test('the API reference is built, and each library has a page in it', async () => {
  await pnpm(['docs:api'])
  const pages = readdirSync(join(root, 'docs', 'api', 'modules'))
  for (const { manifest } of packages.filter(({ manifest }) => manifest.name !== 'sluice'))
    expect(pages, manifest.name).toContain(`${manifest.name.replace(/[@/]/g, '_')}.html`)
  expect(readFileSync(join(root, 'docs', 'api', 'functions', '_sluice_client.createClient.html'), 'utf8')).toContain(
    'ClientOptions',
  )
})
