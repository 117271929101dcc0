import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { expect, inject, test } from 'vitest'
import { type Manifest, manifestIn, packages, root } from '../src/packages.ts'

const { directory, tarballs } = inject('consumer')
const installed = (name: string) => join(directory, 'node_modules', name)
const names = packages.map(({ manifest }) => manifest.name)

/** What these packages do not offer: resolution from before `exports`, and CommonJS of their own beside `require` of ES modules. */
const notOffered = ['node10', 'node16-cjs']

test('each published package is packed', () => {
  expect(tarballs).toHaveLength(packages.length)
})

test.each(names)('publint finds nothing in %s', async (name) => {
  const { messages, pkg } = await publint({ pkgDir: installed(name), level: 'suggestion', pack: false })
  expect(messages.map((message) => formatMessage(message, pkg as Manifest))).toEqual([])
})

test.each(tarballs.map((tarball) => [basename(tarball), tarball]))(
  'the types of %s are those of its modules',
  async (_, tarball) => {
    const result = await checkPackage(createPackageFromTarballData(readFileSync(tarball)))
    const problems = result.types === false ? ['no types'] : result.problems
    expect(
      problems.filter(
        (found) =>
          !(typeof found === 'object' && 'resolutionKind' in found && notOffered.includes(found.resolutionKind)),
      ),
    ).toEqual([])
  },
)

test.each(names)('%s says what it is, and leads to no place that is not there', (name) => {
  const manifest = manifestIn(installed(name))
  expect(manifest).toMatchObject({
    license: 'MIT',
    type: 'module',
    description: /^.{30,120}$/,
    keywords: expect.any(Array),
  })
  for (const field of ['repository', 'homepage', 'bugs', 'funding']) expect(manifest, field).not.toHaveProperty(field)
  expect(JSON.stringify(manifest)).not.toContain('workspace:')
  for (const file of ['README.md', 'LICENSE']) expect(existsSync(join(installed(name), file)), file).toBe(true)
})

test.each(names)('every module of %s has its source map, with the source in it', (name) => {
  const dist = join(installed(name), 'dist')
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  const modules = files.filter((file) => file.endsWith('.js'))
  expect(modules).not.toEqual([])
  for (const file of modules) {
    const code = readFileSync(join(dist, file), 'utf8')
    // A module that only hands on the exports of others has nothing to map.
    if (!code.includes('sourceMappingURL')) {
      expect(code.replace(/^(import|export)\b.*$/gm, '').trim(), file).toBe('')
      continue
    }
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(dist, `${file}.map`), 'utf8'))
    expect(sourcesContent, file).toHaveLength(sources.length)
  }
})

test("no declaration but the machines' own speaks of XState", () => {
  for (const name of names.filter((other) => other !== '@sluice/machines'))
    for (const file of readdirSync(join(installed(name), 'dist'), { recursive: true, encoding: 'utf8' }))
      if (file.endsWith('.d.ts'))
        expect(readFileSync(join(installed(name), 'dist', file), 'utf8'), `${name} ${file}`).not.toMatch(
          /xstate|@sluice\/machines'/,
        )
})

test('the lowest Node and TypeScript are the same wherever they are named', () => {
  const { engines } = manifestIn(root)
  for (const { manifest } of packages) expect(manifest.engines, manifest.name).toEqual(engines)
  const node = engines?.node?.replace('>=', '')
  const [, typescript] =
    /(\d+\.\d+)\.\d+$/.exec(manifestIn(join(root, 'consumer')).dependencies?.['typescript-lowest'] ?? '') ?? []
  const stated = `Node ${node} or later, and TypeScript ${typescript} or later`
  expect(readFileSync(join(root, 'README.md'), 'utf8').replace(/\s+/g, ' ')).toContain(stated)
  for (const name of names)
    expect(readFileSync(join(installed(name), 'README.md'), 'utf8'), name).toContain(`Node ${node} or later`)
})
