/** The page with the rules of SPEC.md, beside the page of the simulator. */
const RULES_PAGE = 'rules.html'

/** Where a person reads this rule, such as `LEASE-3`. */
export function ruleHref(rule: string): string {
  return `${RULES_PAGE}#${rule}`
}
