import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type CodeBlock, codeBlocks } from './markdown.ts'
import { root, type SourceFile } from './tree.ts'

const timeoutMs = 60_000

/** Inside this package, so that the names of the workspace's packages resolve; git ignores it. */
const directory = join(root, 'tidy', '.snippets')

export interface Snippet extends CodeBlock {
  /** A file name that leads back to the document and line. */
  name: string
}

/** The blocks that a reader would copy: `ts` and `tsx` are checked, `ts run` and `sh run` are executed as well. */
export function snippetsOf(files: SourceFile[]): Snippet[] {
  return files
    .filter(({ path }) => /^(README|ARCHITECTURE)\.md$/.test(path) || /^(docs|packages\/[^/]+)\/.*\.md$/.test(path))
    .flatMap(codeBlocks)
    .filter(({ info }) => isTypeScript(info[0]) || (info[0] === 'sh' && info[1] === 'run'))
    .map((block) => ({ ...block, name: `${block.path.replace(/\W+/g, '-')}-${block.line}.${block.info[0]}` }))
}

const isTypeScript = (language: string | undefined) => language === 'ts' || language === 'tsx'

export const runs = (snippet: Snippet) => snippet.info[1] === 'run'

/** Lays each snippet out as a module of its own, in a directory named for the caller. */
export function extract(group: string, snippets: Snippet[]): string {
  const target = join(directory, group)
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  for (const { name, text } of snippets) writeFileSync(join(target, name), text)
  const options = {
    composite: false,
    emitDeclarationOnly: false,
    noEmit: true,
    moduleDetection: 'force',
    jsx: 'react-jsx',
    noUnusedLocals: false,
    noUnusedParameters: false,
  }
  const files = snippets.filter(({ info }) => isTypeScript(info[0])).map(({ name }) => name)
  const config = { extends: '../../../tsconfig.base.json', compilerOptions: options, files }
  writeFileSync(join(target, 'tsconfig.json'), JSON.stringify(config))
  return target
}

export interface Outcome {
  status: number | null
  output: string
}

function execute(command: string, args: string[], cwd: string): Outcome {
  const bins = [join(root, 'node_modules', '.bin'), join(root, 'tidy', 'node_modules', '.bin')]
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    env: { ...process.env, PATH: [...bins, process.env.PATH].join(delimiter), SLUICE_REPOSITORY: root },
  })
  return { status, output: `${stdout}${stderr}${error?.message ?? ''}` }
}

export const typecheck = (target: string): Outcome =>
  execute(join(root, 'node_modules', '.bin', 'tsc'), ['-p', target, '--pretty', 'false'], target)

/** Runs in an empty directory, which is gone afterwards. */
export function run(target: string, snippet: Snippet): Outcome {
  const cwd = mkdtempSync(join(tmpdir(), 'sluice-snippet-'))
  const file = join(target, snippet.name)
  try {
    return snippet.info[0] === 'ts'
      ? execute(process.execPath, [file], cwd)
      : execute('bash', ['-euo', 'pipefail', file], cwd)
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}
