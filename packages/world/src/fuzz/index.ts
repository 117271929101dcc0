/**
 * Random worlds and the stories of what went wrong in them.
 * @module @sluice/world/fuzz
 */
export { type Examination, type Explanation, examine, explain } from './examine.ts'
export { Story } from './story.ts'
export { swarm } from './swarm.ts'
