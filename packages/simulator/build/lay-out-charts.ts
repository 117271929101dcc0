import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChartLayout } from '../src/charts/layout.ts'
import { DEFINITIONS } from './chart-definitions.ts'
import { DRAWINGS } from './chart-drawing.ts'
import { layOut } from './lay-out.ts'

const DIRECTORY = join(import.meta.dirname, '../src/charts/layouts')

/** One line for each box and each line, so that a difference can be read. */
function textOf({ nodes, edges, ...rest }: ChartLayout): string {
  const lines = (list: readonly object[]) => list.map((each) => `    ${JSON.stringify(each)}`).join(',\n')
  const head = JSON.stringify(rest).slice(1, -1)
  return `{\n  ${head},\n  "nodes": [\n${lines(nodes)}\n  ],\n  "edges": [\n${lines(edges)}\n  ]\n}\n`
}

for (const definition of DEFINITIONS) {
  const layout = await layOut(definition, DRAWINGS[definition.machine])
  writeFileSync(join(DIRECTORY, `${definition.machine}.json`), textOf(layout))
  console.log(
    `${definition.machine}: ${layout.nodes.length} boxes, ${layout.edges.length} lines, ${layout.w} × ${layout.h}`,
  )
}
