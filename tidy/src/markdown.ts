import type { SourceFile } from './tree.ts'

export interface CodeBlock {
  path: string
  /** The line of the opening fence. */
  line: number
  /** The words behind the fence: `ts`, `run`. */
  info: string[]
  text: string
}

export function codeBlocks({ path, text }: SourceFile): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { line: number; fence: string; info: string[]; lines: string[] } | undefined
  text.split('\n').forEach((content, index) => {
    const fence = /^\s*(`{3,}|~{3,})(.*)$/.exec(content)
    if (open === undefined) {
      if (fence?.[1] === undefined) return
      const info = (fence[2] ?? '').trim().split(/\s+/).filter(Boolean)
      open = { line: index + 1, fence: fence[1], info, lines: [] }
    } else if (fence?.[1]?.startsWith(open.fence) && fence[2]?.trim() === '') {
      blocks.push({ path, line: open.line, info: open.info, text: `${open.lines.join('\n')}\n` })
      open = undefined
    } else open.lines.push(content)
  })
  return blocks
}

/** The text with everything inside code fences and code spans blanked, so that offsets stay. */
export function withoutCode(text: string): string {
  const blank = (found: string) => found.replace(/[^\n]/g, ' ')
  return text.replace(/^\s*(```+|~~~+)[^\n]*\n[\s\S]*?^\s*\1\s*$/gm, blank).replace(/`[^`\n]+`/g, blank)
}

/** Heading anchors, as the usual forges make them. */
export function anchors(text: string): Set<string> {
  const seen = new Map<string, number>()
  const found = new Set<string>()
  const headings = text.replace(/^\s*(```+|~~~+)[^\n]*\n[\s\S]*?^\s*\1\s*$/gm, '').matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)
  for (const [, heading = ''] of headings) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = plain.replace(/[^\p{L}\p{N}\p{M} _-]/gu, '').replace(/ /g, '-')
    const count = seen.get(slug) ?? 0
    seen.set(slug, count + 1)
    found.add(count === 0 ? slug : `${slug}-${count}`)
  }
  return found
}
